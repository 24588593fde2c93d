/** Goal: the settings of a PACS are whole, or the start is refused. Method: parse, make peers. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { DicomWebPacs } from '@aifi/dicom-dicomweb';
import { DimseScu } from '@aifi/dicom-dimse';
import { systemClock } from '@aifi/shared-kernel';
import { temporaryFolder } from '@aifi/shared-testing';
import { createPacsPeer } from './create-pacs-peer.js';
import { deliverConfigSchema } from './deliver.config.js';

const PEER = { host: '10.0.0.1', port: 104, calledAeTitle: 'PACS', callingAeTitle: 'AIFI' };
const isValid = (more: object): boolean =>
  deliverConfigSchema.safeParse({ ...PEER, ...more }).success;

describe('deliverConfigSchema', () => {
  it('asks two at a time, 10 objects a second, and waits a day for a report', () => {
    expect(deliverConfigSchema.parse({ ...PEER, commitment: {} })).toEqual({
      ...PEER,
      associationsMax: 2,
      rate: { perSecond: 10, burst: 20 },
      commitment: { waitMs: 2_000, timeoutMs: 86_400_000 },
    });
    expect(deliverConfigSchema.parse(PEER)).not.toHaveProperty('commitment');
  });

  it.each<[string, object]>([
    ['three associations', { associationsMax: 3 }],
    ['no association', { associationsMax: 0 }],
    ['no rate', { rate: { perSecond: 0 } }],
    ['TLS without a key', { tls: { caFile: 'a', certificateFile: 'b' } }],
    ['http that is not said to be plain', { stow: { url: 'http://pacs/dicom-web' } }],
    ['https without who signs', { stow: { url: 'https://pacs/dicom-web' } }],
    ['a certificate without its key', aStow({ certificateFile: 'b' })],
    ['a key without its certificate', aStow({ keyFile: 'b' })],
    ['another protocol', { stow: { url: 'ftp://pacs', plain: true } }],
    ['storage commitment over DICOMweb', { ...aStow({}), commitment: {} }],
    ['a setting nobody knows', { retries: 3 }],
  ])('refuses %s', (_, more) => {
    expect(isValid(more)).toBe(false);
  });

  it.each<[string, object]>([
    ['plain http where that is said', { stow: { url: 'http://pacs/dicom-web', plain: true } }],
    ['https', aStow({})],
    ['https with a certificate of ours', aStow({ certificateFile: 'b', keyFile: 'c' })],
  ])('takes %s', (_, more) => {
    expect(isValid(more)).toBe(true);
  });
});

function aStow(more: object): object {
  return { stow: { url: 'https://pacs/dicom-web', caFile: 'a', ...more } };
}

describe(createPacsPeer.name, () => {
  const folder = temporaryFolder('pacs-peer');
  afterAll(() => folder.remove());
  const peerOf = (more: object) =>
    createPacsPeer(deliverConfigSchema.parse({ ...PEER, ...more }), systemClock);

  it('asks over DIMSE, or over DICOMweb where that is set', () => {
    expect(peerOf({})).toBeInstanceOf(DimseScu);
    const stow = { url: 'http://127.0.0.1:1/dicom-web', plain: true };
    expect(peerOf({ stow })).toBeInstanceOf(DicomWebPacs);
  });

  it('refuses the start when a file of the settings is not there', () => {
    const file = join(folder.path, 'ca.pem');
    writeFileSync(file, '');
    const [caFile, certificateFile] = [file, file];
    const missing = join(folder.path, 'nowhere');
    const invalid = expect.objectContaining({ code: 'CONFIG_INVALID' });
    expect(() => peerOf({ tls: { caFile, certificateFile, keyFile: missing } })).toThrow(invalid);
    const stow = { url: 'http://pacs/dicom-web', plain: true, authorizationFile: missing };
    expect(() => peerOf({ stow })).toThrow(invalid);
  });
});
