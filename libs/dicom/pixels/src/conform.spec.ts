/**
 * Goal: the conformed grid is the stated one, values are trilinear and halves go up, labels come
 * back to the voxels they belong to, and a conformed volume passes bit-identical.
 * Method: phantoms with known voxels in permuted and anisotropic grids; the T1 volume when present.
 */
import { describe, expect, it } from '@jest/globals';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import type { Affine } from './affine.js';
import { conform, CONFORMED_SIZE, conformedGeometry, resampleLabelsToSeries } from './conform.js';
import type { Volume } from './volume.js';

const SIZE = CONFORMED_SIZE;
const LIA: Affine = [1, 0, 0, -127.6, 0, 0, -1, 133.48, 0, -1, 0, 134.48];
const at = (i: number, j: number, k: number): number => (k * SIZE + j) * SIZE + i;

/** 256³ uint8 0..255 without any symmetry: each voxel tells its place. */
function conformedPhantom(): Volume & { data: Uint8Array } {
  const data = new Uint8Array(SIZE ** 3);
  for (let v = 0, state = 1; v < data.length; v += 1) {
    state = (state * 48_271) % 2_147_483_647;
    data[v] = state & 255;
  }
  return { data, shape: [SIZE, SIZE, SIZE], affine: LIA };
}
/** Compares without letting Jest print 16 million values. */
const isEqual = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

/** The volume with array axes (x, y, z) taken from axes `order` of the original, some reversed. */
function permuted(
  volume: Volume & { data: Uint8Array },
  order: readonly number[],
  flip: readonly boolean[],
) {
  const strides = [1, SIZE, SIZE * SIZE];
  const steps = order.map((axis, n) => (flip[n] ? -strides[axis]! : strides[axis]!));
  const start = order.reduce(
    (sum, axis, n) => sum + (flip[n] ? strides[axis]! * (SIZE - 1) : 0),
    0,
  );
  const data = new Uint8Array(volume.data.length);
  for (let z = 0, v = 0; z < SIZE; z += 1) {
    for (let y = 0; y < SIZE; y += 1) {
      for (let x = 0; x < SIZE; x += 1, v += 1) {
        data[v] = volume.data[start + x * steps[0]! + y * steps[1]! + z * steps[2]!]!;
      }
    }
  }
  const a = volume.affine;
  const column = (n: number, row: number): number => a[row * 4 + order[n]!]! * (flip[n] ? -1 : 1);
  const rows = [0, 1, 2].map((row) => {
    const shift = [0, 1, 2].reduce((s, n) => s + (flip[n] ? -column(n, row) * (SIZE - 1) : 0), 0);
    return [column(0, row), column(1, row), column(2, row), a[row * 4 + 3]! + shift];
  });
  return { data, shape: volume.shape, affine: rows.flat() as unknown as Affine };
}

const t1Path = fileURLToPath(
  new URL('../../../../../shared/data/models/t1_crop.nii.gz', import.meta.url),
);
/** NIfTI-1: voxels begin at byte 352; sform RAS to LPS reverses the first two rows. */
const t1Volume = (): Volume & { data: Uint8Array } => ({
  data: gunzipSync(readFileSync(t1Path)).subarray(352),
  shape: [SIZE, SIZE, SIZE],
  affine: LIA,
});

describe.each([
  ['phantom', conformedPhantom],
  ...(existsSync(t1Path) ? ([['T1 volume', t1Volume]] as const) : []),
])('a %s that is conformed already', (_, make) => {
  const original = make();
  it('passes bit-identical, on the same grid', () => {
    const result = conform(original);
    expect(isEqual(result.data, original.data)).toBe(true);
    result.affine.forEach((value, n) => expect(value).toBeCloseTo(LIA[n]!, 9));
  });
  it.each([
    ['axial', [0, 2, 1], [false, true, true]],
    ['sagittal', [2, 1, 0], [true, false, false]],
    ['reversed slices', [0, 1, 2], [false, false, true]],
  ])('is restored from %s storage, and labels go back to it', (_name, order, flip) => {
    const stored = permuted(original, order, flip);
    expect(isEqual(conform(stored).data, original.data)).toBe(true);
    expect(isEqual(resampleLabelsToSeries(original.data, stored), stored.data)).toBe(true);
  });
});

describe(conform.name, () => {
  /** 5 × 5 × 5 voxels of 2 × 4 × 3 mm, axial, one bright voxel. */
  const anisotropic = (): Volume => {
    const data = new Int16Array(125);
    data[62] = 1000;
    return { data, shape: [5, 5, 5], affine: [2, 0, 0, 10, 0, 4, 0, -20, 0, 0, 3, 7] };
  };
  it('shares the centre of the input: index (n - 1) / 2', () => {
    const { affine } = conformedGeometry(anisotropic());
    // Centre of the input: (10 + 2·2, -20 + 2·4, 7 + 2·3) = (14, -12, 13).
    expect([affine[3], affine[7], affine[11]]).toEqual([14 - 127.5, -12 + 127.5, 13 + 127.5]);
  });
  it('is trilinear around the centre and 0 outside the input', () => {
    const { data } = conform(anisotropic());
    // Half a voxel off in each axis: (1 - 0.5/2)(1 - 0.5/4)(1 - 0.5/3) · 255 = 139.45.
    const corners = [127, 128].flatMap((i) => [127, 128].map((j) => data[at(i, j, 127)]));
    expect(corners).toEqual([139, 139, 139, 139]);
    // 2.5 mm from the centre along i is past the neighbour at 2 mm.
    expect(data[at(130, 127, 127)]).toBe(0);
    // Input ends 4 mm from the centre along i.
    expect(data.subarray(at(0, 127, 127), at(123, 127, 127)).every((v) => v === 0)).toBe(true);
  });
  it('rounds halves up', () => {
    // 1 of 0..2 becomes 127.5. An even number of voxels lies on the voxels of the conformed grid.
    const even: Volume = {
      data: Uint8Array.from({ length: 64 }, (_, v) => [0, 1, 1, 2][v % 4]!),
      shape: [4, 4, 4],
      affine: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0],
    };
    expect([...conform(even).data.subarray(at(126, 127, 127), at(130, 127, 127))]).toEqual([
      0, 128, 128, 255,
    ]);
  });
  it('scales negative values from the minimum and gives 0 for a constant volume', () => {
    const geometry = { shape: [4, 4, 4], affine: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0] } as const;
    const ramp = Int16Array.from({ length: 64 }, (_, v) => (v % 4 === 1 ? 1000 : -1000));
    const { data } = conform({ ...geometry, data: ramp });
    expect([...data.subarray(at(126, 127, 127), at(130, 127, 127))]).toEqual([0, 255, 0, 0]);
    const constant = conform({ ...geometry, data: new Int16Array(64).fill(7) });
    expect(constant.data.every((v) => v === 0)).toBe(true);
  });
});

describe(resampleLabelsToSeries.name, () => {
  it('takes the nearest conformed voxel on an anisotropic grid and 0 outside', () => {
    const geometry = { shape: [3, 3, 300], affine: [1, 0, 0, 0, 0, 5, 0, 0, 0, 0, 5, 0] } as const;
    const labels = new Uint8Array(SIZE ** 3).fill(2);
    const result = resampleLabelsToSeries(labels, geometry);
    // 300 mm along i: 22 columns on either side lie outside 256 mm.
    expect([result[21], result[22], result[277], result[278]]).toEqual([0, 2, 2, 0]);
  });
});
