/**
 * Affine maps between voxel indices and patient space.
 * Decides one layout: three rows of four numbers, row-major, applied to a column (x, y, z, 1).
 * Frame: patient LPS in mm wherever a map leads to patient space; NIfTI's RAS has the signs of the
 * first two rows reversed. Source: PS3.3 C.7.6.2.1.1 (equation C.7.6.2.1-1).
 */
import { AifiError } from '@aifi/shared-kernel';

/** Row-major 3×4: [m00 m01 m02 t0, m10 m11 m12 t1, m20 m21 m22 t2]. */
export type Affine = readonly [
  ...[number, number, number, number],
  ...[number, number, number, number],
  ...[number, number, number, number],
];
export type Vector3 = readonly [number, number, number];

/** The map whose matrix has these columns, with the given image of the origin. */
export function affineOf(x: Vector3, y: Vector3, z: Vector3, origin: Vector3): Affine {
  return [
    ...[x[0], y[0], z[0], origin[0]],
    ...[x[1], y[1], z[1], origin[1]],
    ...[x[2], y[2], z[2], origin[2]],
  ] as unknown as Affine;
}

export function applyAffine(a: Affine, [x, y, z]: Vector3): Vector3 {
  return [
    a[0] * x + a[1] * y + a[2] * z + a[3],
    a[4] * x + a[5] * y + a[6] * z + a[7],
    a[8] * x + a[9] * y + a[10] * z + a[11],
  ];
}

/** Columns of the matrix: the steps of one index each. */
export function columnsOf(a: Affine): readonly [Vector3, Vector3, Vector3] {
  return [
    [a[0], a[4], a[8]],
    [a[1], a[5], a[9]],
    [a[2], a[6], a[10]],
  ];
}

/** The map back; a map that flattens space has none and is refused as INVALID_ARGUMENT. */
export function invertAffine(a: Affine): Affine {
  const [x, y, z] = columnsOf(a);
  // Rows of the inverse matrix are the cross products of the columns over the determinant.
  const determinant = dot(x, cross(y, z));
  if (!Number.isFinite(1 / determinant)) {
    throw new AifiError('INVALID_ARGUMENT', 'affine map has no inverse');
  }
  const rows = [cross(y, z), cross(z, x), cross(x, y)].map((row) => scaled(row, 1 / determinant));
  const origin: Vector3 = [a[3], a[7], a[11]];
  return rows.flatMap((row) => [...row, -dot(row, origin)]) as unknown as Affine;
}

/** `outer` after `inner`. */
export function composeAffine(outer: Affine, inner: Affine): Affine {
  const rotated = columnsOf(inner).map((column) => rotate(outer, column));
  const origin = applyAffine(outer, [inner[3], inner[7], inner[11]]);
  return affineOf(rotated[0]!, rotated[1]!, rotated[2]!, origin);
}

function rotate(a: Affine, v: Vector3): Vector3 {
  const [x, y, z] = columnsOf(a);
  return add(add(scaled(x, v[0]), scaled(y, v[1])), scaled(z, v[2]));
}

export function dot(a: Vector3, b: Vector3): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}
export function cross(a: Vector3, b: Vector3): Vector3 {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
}
export function add(a: Vector3, b: Vector3): Vector3 {
  return [a[0] + b[0], a[1] + b[1], a[2] + b[2]];
}
export function scaled(a: Vector3, by: number): Vector3 {
  return [a[0] * by, a[1] * by, a[2] * by];
}
export function length(a: Vector3): number {
  return Math.sqrt(dot(a, a));
}
