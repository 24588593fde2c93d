/**
 * Goal: a file of several gigabytes takes no more memory than one of a megabyte.
 * Method: a sparse file of 2.6 GB (more than a signed 32-bit length holds); the resident memory of
 * this process is looked at while the file is written. What is written is removed at once.
 */
import { afterAll, expect, it } from '@jest/globals';
import { statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import {
  DicomDataset,
  elementHeader,
  encodeDataset,
  encodeFileMeta,
  encodingOf,
} from '@aifi/dicom-core';
import { temporaryFolder } from '@aifi/shared-testing';
import { PseudonymisedFolder, type DeidentificationContext } from './index.js';

const temporary = temporaryFolder('pseudonymised-size');
afterAll(() => temporary.remove());
const SIDE = 36_000;
const PIXEL_BYTES = SIDE * SIDE * 2;
const MEBIBYTE = 1024 * 1024;
const syntax = '1.2.840.10008.1.2.1';
const MR = '1.2.840.10008.5.1.4.1.1.4';

async function sparseImage(path: string): Promise<void> {
  const dataset = new DicomDataset()
    .setString('SOPClassUID', MR)
    .setString('SOPInstanceUID', '1.2.3.4.1')
    .setString('StudyInstanceUID', '1.2.3.4.2')
    .setString('SeriesInstanceUID', '1.2.3.4.3')
    .setString('PatientName', 'Berg^Jan')
    .setString('PatientID', '0012345')
    .setString('BodyPartExamined', 'KNEE')
    .setNumbers('SamplesPerPixel', [1])
    .setNumbers('Rows', [SIDE])
    .setNumbers('Columns', [SIDE])
    .setNumbers('BitsAllocated', [16]);
  const head = Buffer.concat([
    encodeFileMeta({ sopClassUid: MR, sopInstanceUid: '1.2.3.4.1', transferSyntaxUid: syntax }),
    encodeDataset(dataset, encodingOf(syntax)),
    elementHeader(0x7fe00010, 'OW', PIXEL_BYTES, encodingOf(syntax)),
  ]);
  const file = await open(path, 'w');
  await file.write(head);
  await file.truncate(head.length + PIXEL_BYTES);
  await file.close();
}

it('writes an image of 2.6 GB in bounded memory', async () => {
  const sourcePath = join(temporary.path, 'large.source');
  await sparseImage(sourcePath);
  const context: DeidentificationContext = {
    siteCode: 'SITE-A',
    keys: { uid: Buffer.alloc(32, 1), pid: Buffer.alloc(32, 2), date: Buffer.alloc(32, 3) },
  };
  const folder = await PseudonymisedFolder.open(join(temporary.path, 'out'));
  const before = process.memoryUsage.rss();
  let most = before;
  const watch = setInterval(() => (most = Math.max(most, process.memoryUsage.rss())), 20);
  const result = await folder.write({ sourcePath, context });
  clearInterval(watch);
  if (!result.ok) throw new Error(result.refusal.detail);
  expect(result.value.sizeBytes).toBeGreaterThan(PIXEL_BYTES);
  expect(statSync(result.value.path).size).toBe(result.value.sizeBytes);
  expect(most - before).toBeLessThan(64 * MEBIBYTE);
}, 120_000);
