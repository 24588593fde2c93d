/**
 * Coverage: how far a series reaches along its slice normal.
 * Decides, from plain numbers, what `coverageMinMm` of a model manifest is compared with; the
 * gateway asks before anything leaves, the worker asks again.
 * Frame: patient LPS, mm. Source: PS3.3 C.7.6.2.1.1.
 */
import { cross, dot, type Vector3 } from './affine.js';

/** Where one slice lies; the names are those of the DICOM attributes. */
export interface SlicePlacement {
  /** Direction cosines of row and column: six numbers, LPS. */
  readonly imageOrientationPatient: readonly number[];
  /** Centre of the first voxel: three numbers, LPS. @unit mm */
  readonly imagePositionPatient: readonly number[];
  /** @unit mm */
  readonly sliceThicknessMm?: number | undefined;
}

/** Direction cosines are printed with six digits or fewer; beyond this they are another plane. */
export const ORIENTATION_TOLERANCE = 1e-3;

/**
 * Row × column: unit normal of the slice, LPS; undefined unless both are orthogonal unit vectors.
 */
export function sliceNormal(orientation: readonly number[]): Vector3 | undefined {
  if (orientation.length !== 6 || !orientation.every(Number.isFinite)) return undefined;
  const row = orientation.slice(0, 3) as unknown as Vector3;
  const column = orientation.slice(3, 6) as unknown as Vector3;
  const errors = [dot(row, row) - 1, dot(column, column) - 1, dot(row, column)];
  if (errors.some((error) => Math.abs(error) > ORIENTATION_TOLERANCE)) return undefined;
  return cross(row, column);
}

export function isSameOrientation(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((v, i) => Math.abs(v - b[i]!) <= ORIENTATION_TOLERANCE);
}

/**
 * Extent along the common normal from the outer face of the first to that of the last slice;
 * a slice without thickness counts as a plane. Undefined when there is no slice, no valid geometry
 * or more than one orientation: then there is no common normal. @unit mm
 */
export function coverageMm(slices: readonly SlicePlacement[]): number | undefined {
  const orientation = slices[0]?.imageOrientationPatient;
  const normal = orientation && sliceNormal(orientation);
  if (!normal) return undefined;
  let [from, to] = [Infinity, -Infinity];
  for (const slice of slices) {
    const position = slice.imagePositionPatient;
    if (position.length !== 3 || !position.every(Number.isFinite)) return undefined;
    if (!isSameOrientation(slice.imageOrientationPatient, orientation)) return undefined;
    const at = dot(position as unknown as Vector3, normal);
    const half = Math.max(0, slice.sliceThicknessMm ?? 0) / 2;
    from = Math.min(from, at - half);
    to = Math.max(to, at + half);
  }
  return to - from;
}
