/**
 * Goal: a series is read as exactly the volume it is, and what is no regular grid is refused.
 * Method: small phantoms written as Part 10 files, read back in a shuffled order.
 */
import { afterAll, describe, expect, it } from '@jest/globals';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  DicomDataset,
  encodePart10,
  EXPLICIT_VR_BIG_ENDIAN,
  EXPLICIT_VR_LITTLE_ENDIAN,
  IMPLICIT_VR_LITTLE_ENDIAN,
  decodePart10,
} from '@aifi/dicom-core';
import { sha256Hex } from '@aifi/shared-kernel';
import { temporaryFolder } from '@aifi/shared-testing';
import { encapsulatedFile } from '../test/phantom-image.js';
import { encodeRle, RLE_LOSSLESS } from './rle.js';
import { readSeriesVolume as sut } from './series-volume.js';
import { encodeVolumeSeries, type EncodableVolume } from './volume-encoder.js';

const folder = temporaryFolder('series');
afterAll(() => folder.remove());
let files = 0;

/** 4 slices of 3 × 2, 5 mm apart, rows 0.5 mm and columns 0.75 mm, values unlike one another. */
const phantom = (
  data: EncodableVolume['data'] = Int16Array.from({ length: 24 }, (_, i) => i * 7 - 50),
) => ({
  data,
  shape: [4, 3, 2] as const,
  affine: [0.75, 0, 0, -10, 0, 0.5, 0, 20, 0, 0, 5, 30] as const,
});
const attributes = () =>
  new DicomDataset()
    .setString('SeriesInstanceUID', '1.2.3')
    .setString('FrameOfReferenceUID', '1.2.4')
    .setString('Modality', 'MR');

function objectsOf(
  volume: EncodableVolume,
  transferSyntaxUid = EXPLICIT_VR_LITTLE_ENDIAN,
): Buffer[] {
  const sopInstanceUid = (k: number): string => `1.2.3.${k + 1}`;
  return [
    ...encodeVolumeSeries(volume, { sopInstanceUid, attributes: attributes(), transferSyntaxUid }),
  ];
}
/** Files of the objects, last first. */
function written(objects: readonly Uint8Array[]): string[] {
  const paths = objects.map((bytes) => {
    const path = join(folder.path, `${(files += 1)}.dcm`);
    writeFileSync(path, bytes);
    return path;
  });
  return paths.reverse();
}
function edited(object: Uint8Array, edit: (dataset: DicomDataset) => void): Buffer {
  const { dataset, datasetOffset, pixelData } = decodePart10(object);
  const from = datasetOffset + pixelData!.valueOffset;
  dataset.setBytes('PixelData', object.slice(from, from + pixelData!.valueLength), 'OW');
  edit(dataset);
  return encodePart10(dataset);
}
/** The phantom with one attribute of slice k changed. */
const changed = (k: number, edit: (dataset: DicomDataset) => void) =>
  objectsOf(phantom()).map((object, at) => (at === k ? edited(object, edit) : object));

describe('readSeriesVolume', () => {
  it.each([
    ['explicit little endian', EXPLICIT_VR_LITTLE_ENDIAN],
    ['implicit little endian', IMPLICIT_VR_LITTLE_ENDIAN],
    ['explicit big endian', EXPLICIT_VR_BIG_ENDIAN],
  ])('gives voxels, affine, UIDs and digests in slice order (%s)', async (_, syntax) => {
    const objects = objectsOf(phantom(), syntax);
    const result = await sut(written(objects));
    expect(result).toMatchObject({
      ok: true,
      value: {
        ...phantom(),
        sopInstanceUids: ['1.2.3.1', '1.2.3.2', '1.2.3.3', '1.2.3.4'],
        objectDigests: objects.map((object) => sha256Hex(object)),
        coverageMm: 20,
        photometricInterpretation: 'MONOCHROME2',
      },
    });
  });
  it.each([EXPLICIT_VR_LITTLE_ENDIAN, EXPLICIT_VR_BIG_ENDIAN])(
    'reads 8 bits (%s)',
    async (syntax) => {
      const volume = phantom(Uint8Array.from({ length: 24 }, (_, i) => i * 10));
      const result = await sut(written(objectsOf(volume, syntax)));
      expect(result.ok && result.value.data).toEqual(volume.data);
    },
  );
  it('puts slices in the order of the normal when the array ran the other way', async () => {
    const reversed = {
      ...phantom(),
      affine: [0.75, 0, 0, -10, 0, 0.5, 0, 20, 0, 0, -5, 45] as const,
    };
    const result = await sut(written(objectsOf(reversed)));
    expect(result.ok && result.value.affine).toEqual(phantom().affine);
    expect(result.ok && result.value.data.subarray(18)).toEqual(phantom().data.subarray(0, 6));
  });
  it('applies the rescale of each slice', async () => {
    const result = await sut(written(changed(3, (d) => d.setNumbers('RescaleSlope', [0.5]))));
    expect(result.ok && [result.value.data[0], result.value.data[18]]).toEqual([-50, 38]);
  });
  const position = (z: number) => (d: DicomDataset) =>
    d.setNumbers('ImagePositionPatient', [-10, 20, z]);
  it.each([
    ['uneven spacing', changed(1, position(36.5))],
    ['a missing slice', objectsOf(phantom()).filter((_, k) => k !== 2)],
    ['two slices in one place', changed(1, position(30))],
    ['one slice', objectsOf(phantom()).slice(0, 1)],
    [
      'a tilted gantry',
      objectsOf({ ...phantom(), affine: [0.75, 0, 0, -10, 0, 0.5, 1, 20, 0, 0, 5, 30] as const }),
    ],
    [
      'another orientation',
      changed(2, (d) => d.setNumbers('ImageOrientationPatient', [0, 1, 0, 1, 0, 0])),
    ],
    ['another pixel spacing', changed(2, (d) => d.setNumbers('PixelSpacing', [0.6, 0.75]))],
    ['another series', changed(2, (d) => d.setString('SeriesInstanceUID', '1.2.9'))],
    ['no position', changed(2, (d) => d.delete('ImagePositionPatient'))],
    ['a multi-frame image', changed(2, (d) => d.setNumbers('NumberOfFrames', [2]))],
    [
      'two photometric interpretations',
      changed(2, (d) => d.setString('PhotometricInterpretation', 'MONOCHROME1')),
    ],
  ])('refuses %s as INPUT_INCOMPLETE', async (_, objects) => {
    expect(await sut(written(objects))).toMatchObject({
      ok: false,
      refusal: { code: 'INPUT_INCOMPLETE' },
    });
  });
  it('lets positions that are rounded by a twentieth of the spacing pass', async () => {
    expect(await sut(written(changed(1, position(35.25))))).toMatchObject({ ok: true });
  });
  it('reads slices of a compressed transfer syntax without loss', async () => {
    const { data } = phantom();
    const paths = [0, 1, 2, 3].map((k) => {
      const plane = data.subarray(k * 6, k * 6 + 6);
      const samples = new Uint8Array(plane.buffer, plane.byteOffset, plane.byteLength);
      const layout = { rows: 3, columns: 2, samplesPerPixel: 1, bytesPerSample: 2 };
      const change = (dataset: DicomDataset): void => {
        for (const element of decodePart10(objectsOf(phantom())[k]!).dataset) dataset.put(element);
      };
      const rle = { rows: 3, columns: 2, transferSyntaxUid: RLE_LOSSLESS, change };
      const path = join(folder.path, `${(files += 1)}.dcm`);
      return encapsulatedFile(path, rle, new Uint8Array(0), [encodeRle(samples, layout)]);
    });
    const result = await sut(paths);
    expect(result.ok && result.value.data).toEqual(data);
  });
  it('refuses a transfer syntax that loses values', async () => {
    const jpeg = encodePart10(
      new DicomDataset()
        .setString('SOPClassUID', '1.2.840.10008.5.1.4.1.1.4')
        .setString('SOPInstanceUID', '1.2.3.1'),
      '1.2.840.10008.1.2.4.50',
    );
    const result = await sut(written([jpeg, jpeg]));
    expect(result).toMatchObject({ ok: false, refusal: { code: 'INPUT_INCOMPLETE' } });
  });
  it('throws DICOM_MALFORMED for a file that is cut short', async () => {
    const objects = objectsOf(phantom()).map((object) => object.subarray(0, object.length - 4));
    await expect(sut(written(objects))).rejects.toMatchObject({ code: 'DICOM_MALFORMED' });
  });
});
