/**
 * Volume: a regular grid of voxels with its place in the patient.
 * Decides the layout that everything here shares: data [z, y, x] (the last index runs fastest),
 * affine from voxel index (i, j, k) = (x, y, z) to patient LPS in mm, voxel centres at integers.
 * Source: PS3.3 C.7.6.2.1.1.
 */
import type { Sha256 } from '@aifi/shared-kernel';
import type { Affine } from './affine.js';

export interface VolumeGeometry {
  /** [slices, rows, columns] = [z, y, x]. */
  readonly shape: readonly [number, number, number];
  /** (i, j, k) → patient LPS. @unit mm */
  readonly affine: Affine;
}
export type VoxelArray = Uint8Array | Int16Array | Float32Array;

export interface Volume extends VolumeGeometry {
  /** [z, y, x]; values after rescale (HU for CT, arbitrary for MR). */
  readonly data: VoxelArray;
}

export interface SeriesVolume extends Volume {
  /** SOP Instance UID of slice k, as read. */
  readonly sopInstanceUids: readonly string[];
  /** SHA-256 of the bytes that slice k was read from (guard C6). */
  readonly objectDigests: readonly Sha256[];
  /** MONOCHROME1: low values are shown bright; the values themselves are not inverted. */
  readonly photometricInterpretation: 'MONOCHROME1' | 'MONOCHROME2';
  /** Extent along the slice normal, half a slice beyond both end positions. @unit mm */
  readonly coverageMm: number;
}
