/**
 * Goal: output that does not fit the manifest or the product never becomes a result.
 * Method: sealed answers in a temporary folder, changed in one place at a time.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { ManifestObject, ModelManifest, StudyManifest } from '@aifi/contracts-manifests';
import { DicomDataset } from '@aifi/dicom-core';
import { temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import { readModelOutput, type ModelOutput } from './model-output.js';

interface SealedTensor {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  readonly data?: readonly unknown[];
  /** Binary part. */
  readonly binary?: Buffer;
  /** Size that is declared in place of the real one. */
  readonly declaredBytes?: number;
}

const VOXELS = 256 ** 3;
const manifest = {
  objects: [{ sopInstanceUid: '1.2.1' }, { sopInstanceUid: '1.2.2' }],
} as unknown as StudyManifest;
const withOutput = (output: object): ModelManifest => ({ output }) as unknown as ModelManifest;
const headerOf = ({ sopInstanceUid }: ManifestObject): Promise<DicomDataset> =>
  Promise.resolve(
    new DicomDataset()
      .setString('SOPInstanceUID', sopInstanceUid)
      .setNumbers('Rows', [40])
      .setNumbers('Columns', [30])
      .setNumbers('ImagePositionPatient', [0, 0, Number(sopInstanceUid.slice(-1))]),
  );

let folder: TemporaryFolder;
beforeEach(() => {
  folder = temporaryFolder('model-output');
});
afterEach(() => folder.remove());

function read(
  tensors: readonly SealedTensor[],
  model: ModelManifest,
  cutBytes = 0,
): Promise<ModelOutput> {
  const outputs = tensors.map(({ binary, declaredBytes, ...tensor }) => ({
    ...tensor,
    ...(binary && { parameters: { binary_data_size: declaredBytes ?? binary.length } }),
  }));
  const header = Buffer.from(JSON.stringify({ outputs }));
  const bytes = Buffer.concat([header, ...tensors.flatMap(({ binary }) => binary ?? [])]);
  const path = join(folder.path, 'sealed');
  writeFileSync(path, bytes.subarray(0, bytes.length - cutBytes));
  return readModelOutput(path, header.length, { manifest, model, headerOf });
}
const replaced = (
  tensors: readonly SealedTensor[],
  name: string,
  change: Partial<SealedTensor>,
): SealedTensor[] =>
  tensors.map((tensor) => (tensor.name === name ? { ...tensor, ...change } : tensor));
const without = (tensors: readonly SealedTensor[], name: string): SealedTensor[] =>
  tensors.filter((tensor) => tensor.name !== name);

const instances = (...uids: string[]): SealedTensor => ({
  ...{ name: 'series_instances', datatype: 'BYTES', shape: [uids.length], data: uids },
});

describe('readModelOutput of a segmentation', () => {
  const model = withOutput({ kind: 'segmentation', classes: [{ value: 0 }, { value: 1 }] });
  const uint8 = { datatype: 'UINT8' };
  const grid = [256, 256, 256];
  const labels = Buffer.from([1, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 1]);
  const good: readonly SealedTensor[] = [
    instances('1.2.2', '1.2.1'),
    { name: 'voxel_counts', datatype: 'INT64', shape: [2], data: [VOXELS - 5, 5] },
    { name: 'series_labels', ...uint8, shape: [2, 2, 3], binary: labels },
    { name: 'conformed_image', ...uint8, shape: grid, binary: Buffer.alloc(VOXELS, 7) },
    { name: 'conformed_labels', ...uint8, shape: grid, binary: Buffer.alloc(VOXELS, 1) },
  ];

  it('reads instances in the order of the model, their planes, and each tensor', async () => {
    const output = await read(good, model);
    if (output.kind !== 'segmentation') throw new Error('another kind');
    expect(output.instances.map(({ sopInstanceUid }) => sopInstanceUid)).toEqual([
      '1.2.2',
      '1.2.1',
    ]);
    expect(output.source.string('SOPInstanceUID')).toBe('1.2.2');
    expect(output.planes.map(({ position }) => position[2])).toEqual([2, 1]);
    expect(output.voxelCounts).toEqual([VOXELS - 5, 5]);
    expect(output.series).toMatchObject({ rows: 2, columns: 3 });
    expect(labels.equals(output.series.labels)).toBe(true);
    const { image, labels: conformed } = output.conformed;
    expect([image[0], image[VOXELS - 1]]).toEqual([7, 7]);
    expect([conformed[0], conformed[VOXELS - 1]]).toEqual([1, 1]);
  });

  it.each<[string, readonly SealedTensor[]]>([
    ['an instance that was not sent', replaced(good, 'series_instances', { data: ['1.2.9', '1'] })],
    ['no instances', replaced(good, 'series_instances', { data: [] })],
    ['an instance twice', replaced(good, 'series_instances', { data: ['1.2.1', '1.2.1'] })],
    ['a count that is missing', replaced(good, 'voxel_counts', { data: [VOXELS] })],
    ['a negative count', replaced(good, 'voxel_counts', { data: [VOXELS + 1, -1] })],
    ['half a voxel', replaced(good, 'voxel_counts', { data: [VOXELS - 0.5, 0.5] })],
    ['counts that are not the whole grid', replaced(good, 'voxel_counts', { data: [1, 1] })],
    ['counts of another type', replaced(good, 'voxel_counts', { datatype: 'FP32' })],
    ['no labels', without(good, 'conformed_labels')],
    ['labels of another size', replaced(good, 'conformed_labels', { declaredBytes: 8 })],
    ['labels of fewer slices', replaced(good, 'series_labels', { shape: [1, 2, 3] })],
    ['labels of another shape', replaced(good, 'series_labels', { shape: [2, 6] })],
    ['labels of a shape without pixels', replaced(good, 'series_labels', { shape: [2, 0, 3] })],
    ['labels of half a row', replaced(good, 'series_labels', { shape: [2, 1.5, 4] })],
    ['labels beyond memory', replaced(good, 'series_labels', { shape: [2, 65_536, 65_536] })],
  ])('refuses %s', async (_name, tensors) => {
    await expect(read(tensors, model)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  it('refuses a sealed answer that is cut short', async () => {
    await expect(read(good, model, 1)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});

describe('readModelOutput of a detection', () => {
  const model = withOutput({ kind: 'detection' });
  const box = [1.5, 2, 10, 20, 0.75];
  // Pictures of 4 x 3 and 2 x 3 in a frame of 4 x 4, the padding marked by 9.
  const previews = Buffer.from([
    ...[1, 1, 1, 9, 1, 1, 1, 9, 1, 1, 1, 9, 1, 1, 2, 9],
    ...[3, 3, 3, 9, 3, 3, 4, 9, 9, 9, 9, 9, 9, 9, 9, 9],
  ]);
  const good: readonly SealedTensor[] = [
    instances('1.2.1', '1.2.2'),
    { name: 'detections', datatype: 'FP32', shape: [1, 5], data: box },
    { name: 'detection_instances', datatype: 'BYTES', shape: [1], data: ['1.2.2'] },
    { name: 'preview_sizes', datatype: 'INT32', shape: [2, 2], data: [4, 3, 2, 3] },
    { name: 'image_sizes', datatype: 'INT32', shape: [2, 2], data: [40, 30, 40, 30] },
    { name: 'previews', datatype: 'UINT8', shape: [2, 4, 4], binary: previews },
  ];
  const nothing = replaced(
    replaced(good, 'detections', { shape: [0, 5], data: [] }),
    'detection_instances',
    { shape: [0], data: [] },
  );

  it('puts each box on its image and cuts the padding off the pictures', async () => {
    const output = await read(good, model);
    if (output.kind !== 'detection') throw new Error('another kind');
    const [detection] = output.detections;
    expect(detection).toMatchObject({ box: { x1: 1.5, y1: 2, x2: 10, y2: 20 }, score: 0.75 });
    expect(detection!.instance.sopInstanceUid).toBe('1.2.2');
    expect(output.pictures.map(({ pixels }) => [...pixels])).toEqual([
      [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2],
      [3, 3, 3, 3, 3, 4],
    ]);
    expect(output.pictures[1]).toMatchObject({ rows: 2, columns: 3, imageRows: 40 });
  });

  it('reads the same numbers from the binary part', async () => {
    const bytes = Buffer.alloc(20);
    box.forEach((value, index) => bytes.writeFloatLE(value, index * 4));
    const sealed = { name: 'detections', datatype: 'FP32', shape: [1, 5], binary: bytes };
    const tensors = good.map((each) => (each.name === 'detections' ? sealed : each));
    const output = await read(tensors, model);
    expect(output).toMatchObject({ detections: [{ box: { x1: 1.5, y2: 20 }, score: 0.75 }] });
  });

  it('takes nothing found as a result', async () => {
    const output = await read(nothing, model);
    expect(output).toMatchObject({ kind: 'detection', detections: [] });
  });

  const boxOf = (...values: unknown[]): SealedTensor[] =>
    replaced(good, 'detections', { data: values });
  it.each<[string, readonly SealedTensor[]]>([
    ['a box on an image not read', replaced(good, 'detection_instances', { data: ['1.2.3'] })],
    ['a box without image', replaced(good, 'detection_instances', { data: [] })],
    ['a box beyond the columns', boxOf(1, 2, 30.5, 20, 0.9)],
    ['a box beyond the rows', boxOf(1, 2, 10, 41, 0.9)],
    ['a box before the image', boxOf(-0.1, 2, 10, 20, 0.9)],
    ['a box of text', boxOf('1', 2, 10, 20, 0.9)],
    ['a box without score', boxOf(1, 2, 10, 20)],
    ['no pictures', without(good, 'previews')],
    ['pictures of fewer images', replaced(good, 'previews', { shape: [1, 4, 4] })],
    ['pictures of another size', replaced(good, 'previews', { declaredBytes: 16 })],
    ['a picture larger than its frame', replaced(good, 'preview_sizes', { data: [5, 3, 2, 3] })],
    ['a picture without rows', replaced(good, 'preview_sizes', { data: [0, 3, 2, 3] })],
    ['an image of another size', replaced(good, 'image_sizes', { data: [41, 30, 40, 30] })],
  ])('refuses %s', async (_name, tensors) => {
    await expect(read(tensors, model)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});
