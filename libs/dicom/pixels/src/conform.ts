/**
 * Conform: any volume to the grid that the brain models were trained on, and labels back.
 * Decides the target grid: 256³ at 1 mm, axes of the patient, orientation LIA, array [k, j, i]
 * (i → Left, j → Inferior, k → Anterior).
 * Convention: the centre of a grid is index (n − 1) / 2 on each axis, and source and target share
 * it. A grid of 256³ at 1 mm along the axes, in any order and direction, so maps voxel on voxel,
 * and a volume that is conformed already passes bit-identical.
 * Source: issue 2, item 5; nibabel coordinate systems (LIA); PS3.3 C.7.6.2.1.1 (LPS).
 */
import {
  add,
  affineOf,
  applyAffine,
  columnsOf,
  composeAffine,
  invertAffine,
  scaled,
  type Affine,
  type Vector3,
} from './affine.js';
import type { Volume, VolumeGeometry } from './volume.js';

/** Voxels along each axis of the conformed grid; 1 mm each. */
export const CONFORMED_SIZE = 256;
/** Rotations below this are rounding of direction cosines (six digits): 0.001 voxel at the edge. */
const SNAP = 1e-5;
/** A coordinate this far outside is on the border: rounding of the sums below. @unit voxel */
const BORDER = 1e-6;

/** Bound once: in a vm context, where the tests run, each use of a global is a slow lookup. */
const { floor } = Math;

export interface ConformedVolume extends VolumeGeometry {
  /** [k, j, i] uint8; 0 is the minimum of the input, 255 its maximum. */
  readonly data: Uint8Array;
}

/** The conformed grid of an input grid: same centre, affine to patient LPS in mm. */
export function conformedGeometry(geometry: VolumeGeometry): VolumeGeometry {
  // LPS: Left is +x, Inferior is −z, Anterior is −y.
  const left: Vector3 = [1, 0, 0];
  const inferior: Vector3 = [0, 0, -1];
  const anterior: Vector3 = [0, -1, 0];
  const half = (CONFORMED_SIZE - 1) / 2;
  const centre = applyAffine(geometry.affine, centreOf(geometry));
  const diagonal = add(add(left, inferior), anterior);
  return {
    shape: [CONFORMED_SIZE, CONFORMED_SIZE, CONFORMED_SIZE],
    affine: affineOf(left, inferior, anterior, add(centre, scaled(diagonal, -half))),
  };
}

/**
 * Trilinear on the conformed grid, then min..max of the whole input to 0..255, halves up. Points
 * outside the input's outermost voxel centres get its minimum, hence 0. A constant volume gives 0.
 */
export function conform(volume: Volume): ConformedVolume {
  const geometry = conformedGeometry(volume);
  const [min, max] = rangeOf(volume);
  const scale = max > min ? 255 / (max - min) : 0;
  const toSource = indexTransform(geometry, volume);
  const data = new Uint8Array(CONFORMED_SIZE ** 3);
  for (let k = 0, at = 0; k < CONFORMED_SIZE; k += 1) {
    for (let j = 0; j < CONFORMED_SIZE; j += 1, at += CONFORMED_SIZE) {
      const row = data.subarray(at, at + CONFORMED_SIZE);
      sampleRow(volume, toSource, { j, k }, { row, min, scale });
    }
  }
  return { ...geometry, data };
}

interface RowTarget {
  readonly row: Uint8Array;
  readonly min: number;
  readonly scale: number;
}

/**
 * One row of the target. A function of its own: 65,536 calls, each small enough to be optimised.
 */
function sampleRow(
  { data, shape }: Volume,
  m: Affine,
  { j, k }: { readonly j: number; readonly k: number },
  { row, min, scale }: RowTarget,
): void {
  const [nz, ny, nx] = shape;
  const [x0, y0, z0] = applyAffine(m, [0, j, k]);
  for (let i = 0; i < row.length; i += 1) {
    const x = clamped(x0 + m[0] * i, nx);
    const y = clamped(y0 + m[4] * i, ny);
    const z = clamped(z0 + m[8] * i, nz);
    if (x < 0 || y < 0 || z < 0) continue;
    const [fx, fy, fz] = [x - floor(x), y - floor(y), z - floor(z)];
    const at = (floor(z) * ny + floor(y)) * nx + floor(x);
    // On the last voxel the fraction is 0 and the neighbour, which does not exist, is not read.
    const dx = fx > 0 ? 1 : 0;
    const dy = fy > 0 ? nx : 0;
    const dz = fz > 0 ? nx * ny : 0;
    const a = mix(data[at]!, data[at + dx]!, fx);
    const b = mix(data[at + dy]!, data[at + dy + dx]!, fx);
    const c = mix(data[at + dz]!, data[at + dz + dx]!, fx);
    const d = mix(data[at + dz + dy]!, data[at + dz + dy + dx]!, fx);
    const value = mix(mix(a, b, fy), mix(c, d, fy), fz);
    row[i] = floor((value - min) * scale + 0.5);
  }
}

/** The coordinate, moved onto the border when within rounding of it; −1 when outside. */
function clamped(coordinate: number, size: number): number {
  if (coordinate < -BORDER || coordinate > size - 1 + BORDER) return -1;
  return coordinate < 0 ? 0 : coordinate > size - 1 ? size - 1 : coordinate;
}
function mix(a: number, b: number, fraction: number): number {
  return a + (b - a) * fraction;
}

/**
 * Labels of the conformed grid back on the grid of the input: the nearest conformed voxel, halves
 * up; 0 outside the conformed grid. `labels` [k, j, i] uint8 as made from `conform` of a volume
 * with this geometry; the answer is [z, y, x] of that volume.
 */
export function resampleLabelsToSeries(labels: Uint8Array, geometry: VolumeGeometry): Uint8Array {
  const m = indexTransform(geometry, conformedGeometry(geometry));
  const [nz, ny, nx] = geometry.shape;
  const out = new Uint8Array(nz * ny * nx);
  for (let z = 0, at = 0; z < nz; z += 1) {
    for (let y = 0; y < ny; y += 1, at += nx) {
      nearestRow(labels, m, { y, z }, out.subarray(at, at + nx));
    }
  }
  return out;
}

function nearestRow(
  labels: Uint8Array,
  m: Affine,
  { y, z }: { readonly y: number; readonly z: number },
  row: Uint8Array,
): void {
  const [i0, j0, k0] = applyAffine(m, [0, y, z]);
  for (let x = 0; x < row.length; x += 1) {
    const i = floor(i0 + m[0] * x + 0.5);
    const j = floor(j0 + m[4] * x + 0.5);
    const k = floor(k0 + m[8] * x + 0.5);
    if (i < 0 || j < 0 || k < 0) continue;
    if (i >= CONFORMED_SIZE || j >= CONFORMED_SIZE || k >= CONFORMED_SIZE) continue;
    row[x] = labels[(k * CONFORMED_SIZE + j) * CONFORMED_SIZE + i]!;
  }
}

/**
 * Index of `from` → index of `to`, both sharing their centre. Near-whole coefficients are made
 * whole and the centre is kept, so that grids that differ by order and direction only match
 * exactly.
 */
function indexTransform(from: VolumeGeometry, to: VolumeGeometry): Affine {
  const exact = composeAffine(invertAffine(to.affine), from.affine);
  const [x, y, z] = columnsOf(exact).map((column) => column.map(snapped) as unknown as Vector3);
  const rotation = affineOf(x!, y!, z!, [0, 0, 0]);
  const offset = add(centreOf(to), scaled(applyAffine(rotation, centreOf(from)), -1));
  return affineOf(x!, y!, z!, offset);
}

function snapped(value: number): number {
  const whole = Math.round(value);
  return Math.abs(value - whole) < SNAP ? whole : value;
}

/** Centre of a grid as index (x, y, z): (n − 1) / 2. */
function centreOf({ shape: [nz, ny, nx] }: VolumeGeometry): Vector3 {
  return [(nx - 1) / 2, (ny - 1) / 2, (nz - 1) / 2];
}

function rangeOf({ data }: Volume): readonly [number, number] {
  let [min, max] = [data[0] ?? 0, data[0] ?? 0];
  for (let at = 0; at < data.length; at += 1) {
    const value = data[at]!;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  return [min, max];
}
