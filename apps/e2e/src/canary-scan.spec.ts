/**
 * Goal: the scanner finds a planted text in every encoding that it claims, and nothing else.
 * Method: texts planted in bytes and files of a temporary folder.
 */
import { describe, expect, it } from '@jest/globals';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { temporaryFolder } from '@aifi/shared-testing';
import { scanBytes, scanFolder } from './canary-scan.js';

const canaries = [{ carrier: 'PatientName', text: 'Zwaardlelie' }];
const around = (bytes: Buffer): Buffer =>
  Buffer.concat([Buffer.from([1, 2, 3]), bytes, Buffer.from('tail')]);

describe(scanBytes.name, () => {
  it.each([
    ['utf-8', Buffer.from('van der Zwaardlelie^Jan')],
    ['utf-8', Buffer.from('VAN DER ZWAARDLELIE')],
    ['utf-16', Buffer.from('xZwaardlelie', 'utf16le')],
    ['utf-16', Buffer.from('Zwaardlelie', 'utf16le').swap16()],
    ['hex', Buffer.from(Buffer.from('Zwaardlelie').toString('hex'))],
    ['base64', Buffer.from(Buffer.from('Zwaardlelie').toString('base64'))],
    ['base64', Buffer.from(Buffer.from('aZwaardlelie!').toString('base64'))],
    ['base64', Buffer.from(Buffer.from('abZwaardlelie').toString('base64'))],
  ])('finds a text as %s', (encoding, bytes) => {
    expect(scanBytes(around(bytes), 'here', canaries)).toContainEqual({
      carrier: 'PatientName',
      place: 'here',
      encoding,
    });
  });
  it('finds a date as a value or in a date and time, not among the digits of a UID', () => {
    const date = [{ carrier: 'PatientBirthDate', text: '19450814' }];
    const found = (text: string) => scanBytes(Buffer.from(text), 'here', date).length;
    expect(found('DA 19450814 ')).toBe(1);
    expect(found('19450814101500.123456')).toBe(1);
    expect(found('2.25.311316920649619450814384540932411704277')).toBe(0);
  });
  it('finds nothing where nothing is', () => {
    expect(scanBytes(around(Buffer.from('Zwaardleli e')), 'here', canaries)).toEqual([]);
  });
});

describe(scanFolder.name, () => {
  it('reads files at any depth, compressed ones and names', () => {
    const folder = temporaryFolder('scan');
    mkdirSync(join(folder.path, 'deep'));
    writeFileSync(join(folder.path, 'deep', 'a.gz'), gzipSync('x Zwaardlelie'));
    writeFileSync(join(folder.path, 'zwaardlelie.dcm'), 'nothing');
    const places = scanFolder(folder.path, canaries).map(({ place }) => place);
    folder.remove();
    expect(places.sort()).toEqual(['deep/a.gz (unpacked)', 'name of zwaardlelie.dcm']);
  });
});
