/**
 * Goal: only whole datasets that are what their command announced pass the walk (F2).
 * Method: encoded datasets, cut at random places and in random chunks, plain and deflated.
 */
import { deflateRawSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { DicomDataset, encodeDataset } from '@aifi/dicom-core';
import { DatasetCheck } from './dataset-check.js';
import { readInstanceHeader } from './instance-header-reader.js';

const SOP_CLASS = '1.2.840.10008.5.1.4.1.1.4';
const EXPLICIT = '1.2.840.10008.1.2.1';
const DEFLATED = '1.2.840.10008.1.2.1.99';
const announced = {
  affectedSopClassUid: SOP_CLASS,
  affectedSopInstanceUid: '2.25.3',
  transferSyntaxUid: EXPLICIT,
};
const dataset = new DicomDataset()
  .setString('SOPClassUID', SOP_CLASS)
  .setString('SOPInstanceUID', '2.25.3')
  .setString('Modality', 'MR')
  .setString('PatientName', 'Canary^Red')
  .setString('StudyInstanceUID', '2.25.1')
  .setString('SeriesInstanceUID', '2.25.2')
  .setString('SliceThickness', 'thick', 'DS')
  .setNumbers('Rows', [10])
  .setNumbers('Columns', [10])
  .setNumbers('BitsAllocated', [16])
  .setBytes('PixelData', Buffer.alloc(200, 5), 'OW');
const plain = encodeDataset(dataset, { explicitVr: true, littleEndian: true });

async function walk(sut: DatasetCheck, bytes: Uint8Array, chunkBytes: number) {
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    await sut.write(bytes.subarray(at, at + chunkBytes));
  }
  return (await sut.end()).dataset;
}

describe(DatasetCheck.name, () => {
  it.each([
    ['plain', EXPLICIT, plain],
    ['deflated', DEFLATED, deflateRawSync(plain)],
    ['deflated and padded', DEFLATED, Buffer.concat([deflateRawSync(plain), Buffer.of(0)])],
  ])('takes a whole dataset in any chunks: %s', async (_, transferSyntaxUid, bytes) => {
    for (const chunkBytes of [1, 13, bytes.length]) {
      const sut = new DatasetCheck({ ...announced, transferSyntaxUid });
      expect((await walk(sut, bytes, chunkBytes)).string('Modality')).toBe('MR');
    }
  });

  it('refuses a dataset that is cut inside an element, wherever that is', async () => {
    const boundaries = new Set<number>();
    const soFar = new DicomDataset();
    for (const element of dataset) {
      soFar.put(element);
      boundaries.add(encodeDataset(soFar, { explicitVr: true, littleEndian: true }).length);
    }
    const cut = fc.integer({ min: 1, max: plain.length - 1 }).filter((at) => !boundaries.has(at));
    await fc.assert(
      fc.asyncProperty(cut, async (at) => {
        const walked = walk(new DatasetCheck(announced), plain.subarray(0, at), 64);
        await expect(walked).rejects.toMatchObject({ code: 'DICOM_MALFORMED' });
      }),
      { numRuns: 200 },
    );
  });

  it.each([
    ['cut', deflateRawSync(plain).subarray(0, 60)],
    ['no deflated data', Buffer.from([7, 7, 7, 7])],
    ['followed by more', Buffer.concat([deflateRawSync(plain), Buffer.from('more')])],
  ])('refuses a deflated dataset that is %s', async (_, bytes) => {
    const sut = new DatasetCheck({ ...announced, transferSyntaxUid: DEFLATED });
    await expect(walk(sut, bytes, 9)).rejects.toMatchObject({ code: 'DICOM_MALFORMED' });
    sut.close();
  });

  it('holds nothing of a deflated bomb and ends it at the limit of the header', async () => {
    const head = Buffer.from('0800101153510000ffffffff', 'hex');
    const item = Buffer.from('feff00e000000000', 'hex');
    const bomb = deflateRawSync(Buffer.concat([head, Buffer.alloc(64 * 1024 ** 2, item)]));
    expect(bomb.length).toBeLessThan(128 * 1024);
    const sut = new DatasetCheck({ ...announced, transferSyntaxUid: DEFLATED });
    await expect(walk(sut, bomb, 4096)).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' });
    sut.close();
  }, 30_000);

  it.each([
    ['two values', '2.25.3\\2.25.4', 'UI'],
    ['another VR', '2.25.3', 'LO'],
    ['a space in front', ' 2.25.3', 'UI'],
    ['a NUL inside', '2.25.3\0\0\x002', 'UI'],
  ])('refuses an instance UID with %s', async (_, uid, vr) => {
    const other = encodeDataset(
      new DicomDataset().setString('SOPClassUID', SOP_CLASS).setString('SOPInstanceUID', uid, vr),
      { explicitVr: true, littleEndian: true },
    );
    const walked = walk(new DatasetCheck(announced), other, 99);
    await expect(walked).rejects.toMatchObject({ code: 'DICOM_SOP_MISMATCH' });
  });

  it.each([
    ['another instance', { affectedSopInstanceUid: '2.25.4' }],
    ['another class', { affectedSopClassUid: '1.2.840.10008.5.1.4.1.1.2' }],
  ])('refuses a dataset whose command names %s', async (_, other) => {
    const sut = new DatasetCheck({ ...announced, ...other });
    await expect(walk(sut, plain, 99)).rejects.toMatchObject({ code: 'DICOM_SOP_MISMATCH' });
  });
});

describe(readInstanceHeader.name, () => {
  it('holds no patient attribute and leaves out what does not read', () => {
    expect(readInstanceHeader(dataset)).toEqual({ modality: 'MR', rows: 10, columns: 10 });
  });
});
