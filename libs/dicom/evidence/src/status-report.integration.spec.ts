/**
 * Goal: independent tools read the status object. Method: write it for every kind of end and in
 * both languages, run dciodvfy (dicom3tools) and dsrdump (DCMTK); damage it, see dciodvfy object.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodePart10, type DicomDataset } from '@aifi/dicom-core';
import { temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import { statusContext, statusProducts, unfinishedProduct } from './status-phantom.js';
import { buildStatusReport, type StatusReport } from './status-report.js';

const REPLACED = {
  issuedAt: new Date('2026-03-05T13:05:59Z'),
  seriesInstanceUid: '2.25.8001',
  sopInstanceUid: '2.25.8002',
};
const [negative, notAnalysed, result] = statusProducts();
const REPORTS: readonly [string, StatusReport][] = [
  ['all ends, English', { products: statusProducts(), language: 'en-GB' }],
  ['all ends, Dutch', { products: statusProducts(), language: 'nl-NL' }],
  ['a reason only', { products: [notAnalysed], language: 'nl-NL' }],
  ['a replacement', { products: [result, negative], language: 'nl-NL', replaces: REPLACED }],
  ['unfinished', { products: [unfinishedProduct()], language: 'en-GB' }],
];

let folder: TemporaryFolder;
beforeAll(() => {
  folder = temporaryFolder('status-report');
});
afterAll(() => folder.remove());

function judge(command: string, dataset: DicomDataset): { status: number | null; text: string } {
  const path = join(folder.path, 'status.dcm');
  writeFileSync(path, encodePart10(dataset));
  const { status, stdout, stderr, error } = spawnSync(command, [path], { encoding: 'utf8' });
  if (error) throw error;
  return { status, text: `${stdout}${stderr}` };
}

describe.each(REPORTS)('status object with %s', (_name, report) => {
  const sut = (): DicomDataset => buildStatusReport(statusContext(), report);

  it('has no dciodvfy error', () => {
    const { text } = judge('dciodvfy', sut());
    expect(text).toContain('Comprehensive3DSR');
    expect(text.split('\n').filter((line) => line.startsWith('Error'))).toEqual([]);
  });
  it('reads as a document with dsrdump, every product by its id', () => {
    const { status, text } = judge('dsrdump', sut());
    expect(text).not.toMatch(/^[EF]: /m);
    expect(status).toBe(0);
    for (const { product } of report.products) expect(text).toContain(product);
  });
});

describe('status object that is damaged', () => {
  it('is found by dciodvfy when its evidence is missing', () => {
    const sut = buildStatusReport(statusContext(), REPORTS[0]![1]);
    sut.delete('CurrentRequestedProcedureEvidenceSequence');
    expect(judge('dciodvfy', sut).text).toMatch(/^Error/m);
  });
});
