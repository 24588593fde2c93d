/**
 * Goal: a comment inside a compressed frame that identifies is found, in every frame and wherever
 * the standards allow one; comments of devices are not.
 * Method: codestreams built marker by marker, cut into fragments and pieces of every size.
 */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { commentsOf } from './codestream-comments.js';
import { CodestreamSweep } from './codestream-sweep.js';
import { aHeaderOf } from './test-headers.js';

const patient = aHeaderOf('CT', {
  PatientName: 'van der Meijden^José',
  PatientID: '00-123.4567',
  PatientBirthDate: '19700101',
});

const u16 = (value: number): number[] => [value >> 8, value & 0xff];
const segment = (marker: number, payload: Uint8Array): Buffer =>
  Buffer.from([0xff, marker, ...u16(payload.length + 2), ...payload]);
const com = (text: string, encoding: BufferEncoding = 'latin1'): Buffer =>
  segment(0xfe, Buffer.from(text, encoding));
const SOI = Buffer.of(0xff, 0xd8);
const EOI = Buffer.of(0xff, 0xd9);
const SOF = segment(0xc0, Buffer.of(8, 0, 4, 0, 4, 1, 1, 0x11, 0));
const SOS = segment(0xda, Buffer.of(1, 1, 0, 0, 63, 0));
const SAMPLES = Buffer.from('12ff0034ffd356ff7fff00', 'hex');
const jpeg = (...comments: readonly Buffer[]): Buffer =>
  Buffer.concat([SOI, ...comments, SOF, SOS, SAMPLES, EOI]);

const J2K_COM = (text: string): Buffer =>
  segment(0x64, Buffer.concat([Buffer.of(0, 1), Buffer.from(text, 'latin1')]));
const tilePart = (packets: Buffer, ...segments: readonly Buffer[]): Buffer => {
  const length = 12 + Buffer.concat([...segments]).length + 2 + packets.length;
  const sot = Buffer.alloc(8);
  sot.writeUInt32BE(length, 2);
  return Buffer.concat([segment(0x90, sot), ...segments, Buffer.of(0xff, 0x93), packets]);
};
const j2k = (main: readonly Buffer[], ...parts: readonly Buffer[]): Buffer =>
  Buffer.concat([Buffer.of(0xff, 0x4f), segment(0x51, Buffer.alloc(36)), ...main, ...parts, EOI]);

const item = (bytes: Buffer): Buffer => {
  const even = bytes.length % 2 === 0 ? bytes : Buffer.concat([bytes, Buffer.of(0)]);
  const header = Buffer.from('feff00e000000000', 'hex');
  header.writeUInt32LE(even.length, 4);
  return Buffer.concat([header, even]);
};
const DELIMITER = Buffer.from('feffdde000000000', 'hex');
const encapsulated = (...fragments: readonly Buffer[]): Buffer =>
  Buffer.concat([item(Buffer.alloc(0)), ...fragments.map(item), DELIMITER]);

function isFound(value: Buffer, pieces = value.length): boolean {
  const sweep = new CodestreamSweep(patient);
  for (let at = 0; at < value.length; at += pieces) sweep.push(value.subarray(at, at + pieces));
  return sweep.end();
}

describe(commentsOf.name, () => {
  const texts = (codestream: Buffer): string[] =>
    commentsOf(codestream).map((bytes) => bytes.toString('latin1'));

  it('tells COM and APPn of a JPEG, between scans and behind its end too', () => {
    const app1 = segment(0xe1, Buffer.from('Exif'));
    const codestream = Buffer.concat([
      ...[SOI, com('first'), app1, SOF, SOS, SAMPLES, com('second'), SOS, SAMPLES, EOI],
      Buffer.from('third'),
    ]);
    expect(texts(codestream)).toEqual(['first', 'Exif', 'second', 'third']);
  });
  it('tells COM of the main header and of every tile part of a JPEG 2000', () => {
    const packets = Buffer.from('00ff64000841ff0142', 'hex');
    const codestream = j2k(
      [J2K_COM('main')],
      tilePart(packets, J2K_COM('one')),
      tilePart(packets),
      tilePart(packets, J2K_COM('three')),
    );
    expect(texts(codestream)).toEqual(['\0\x01main', '\0\x01one', '\0\x01three']);
  });
  it('takes nothing of the samples for a comment, and ends for any bytes', () => {
    expect(texts(jpeg())).toEqual([]);
    expect(texts(Buffer.from('RLE, or nothing at all'))).toEqual([]);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.boolean(), (bytes, isJpeg) => {
        const start = isJpeg ? 'ffd8ff' : 'ff4fff51';
        const given = Buffer.concat([Buffer.from(start, 'hex'), bytes]);
        const total = commentsOf(given).reduce((sum, { length }) => sum + length, 0);
        expect(total).toBeLessThanOrEqual(given.length);
      }),
    );
  });
});

describe(CodestreamSweep.name, () => {
  const planted: readonly (readonly [string, Buffer])[] = [
    ['a name in a COM', jpeg(com('pat: VAN DER MEYDEN'))],
    ['a name in UTF-8', jpeg(com('José', 'utf8'))],
    ['a number in an APP1', jpeg(segment(0xe1, Buffer.from('Exif\0\0id 1234567')))],
    ['a name in wide characters', jpeg(segment(0xe1, Buffer.from('Meijden', 'utf16le')))],
    ['a BSN', jpeg(com('123456782'))],
    ['a name behind the end', Buffer.concat([jpeg(), Buffer.from('Meijden')])],
    ['a name far into a long text', jpeg(com(`${'lossless '.repeat(700)}Meijden`))],
    ['a JPEG 2000 comment', j2k([J2K_COM('Meijden')], tilePart(SAMPLES))],
    ['one of a tile part', j2k([], tilePart(SAMPLES), tilePart(SAMPLES, J2K_COM('Meijden')))],
  ];
  it.each(planted)('finds %s, in any frame, however the bytes are cut', (_, codestream) => {
    const clean = jpeg(com('LEAD Technologies Inc. V1.01'));
    for (const pieces of [1, 2, 3, 7, 100_000]) {
      expect(isFound(encapsulated(codestream, clean), pieces)).toBe(true);
      expect(isFound(encapsulated(clean, clean, codestream), pieces)).toBe(true);
    }
    // Fragments are even.
    for (const cut of [2, 4, 6, 10, (codestream.length - 4) & ~1]) {
      const [head, tail] = [codestream.subarray(0, cut), codestream.subarray(cut)];
      expect(isFound(encapsulated(clean, head, tail, clean), 5)).toBe(true);
    }
  });

  it.each([
    ...['LEAD Technologies Inc. V1.01', 'Kakadu-v5.2.1', 'JFIF\0\x01\x02\0\0\x01\0\x01\0\0'],
    'CREATOR: gd-jpeg v1.0 (using IJG JPEG v62), quality = 95',
    'Kdu-Layer-Info: log_2{Delta-D(squared-error)/Delta-L(bytes)}, L(bytes)\n-192.0, 1.5e+005\n',
    ...['Created by OpenJPEG version 2.5.0', 'Optimized by JPEGmini 3.9.20.0', ''],
  ])('passes the device comment "%s"', (text) => {
    expect(isFound(encapsulated(jpeg(com(text)), j2k([J2K_COM(text)], tilePart(SAMPLES))))).toBe(
      false,
    );
  });
  it('a birth date that the site writes for an unknown one is no identifier', () => {
    const value = encapsulated(jpeg(com('19700101')));
    const sweep = new CodestreamSweep(patient, { placeholderBirthDates: ['19700101'] });
    sweep.push(value);
    expect([isFound(value), sweep.end()]).toEqual([true, false]);
  });
  it('finds nothing in samples, but in what is no codestream, and holds too many comments', () => {
    const samples = Buffer.from('Meijden 123456782 '.repeat(20));
    const picture = Buffer.concat([SOI, SOF, SOS, samples, EOI]);
    expect(isFound(encapsulated(picture))).toBe(false);
    const isUnknown = Buffer.from('a JP2 file, <xml> van der Meijden </xml>');
    expect(isFound(encapsulated(isUnknown))).toBe(true);
    expect(isFound(encapsulated(Buffer.from('a JP2 file of somebody')))).toBe(false);
    const many = Array.from({ length: 80 }, (_, i) => com(`${i} ${'ab '.repeat(1_300)}`));
    expect(isFound(encapsulated(jpeg(...many)))).toBe(true);
    // But every frame may have its own.
    expect(isFound(encapsulated(...many.map((comment) => jpeg(comment))))).toBe(false);
  });
});
