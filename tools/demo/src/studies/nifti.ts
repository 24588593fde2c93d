/**
 * NIfTI-1: reads an uint8 volume with its sform.
 * Decides the only form that the demo input has; anything else is refused.
 * Frame: the sform maps voxel [i, j, k] to RAS in mm; array order is [k, j, i], uint8.
 * Source: NIfTI-1 data format (nifti1.h): dim 40, datatype 70, vox_offset 108, sform 254, srow 280.
 */
import { gunzipSync } from 'node:zlib';
import { AifiError } from '@aifi/shared-kernel';

const HEADER_BYTES = 348;
const DATATYPE_UINT8 = 2;

export interface NiftiVolume {
  /** [i, j, k] counts. */
  readonly size: readonly [number, number, number];
  /** Rows x, y, z of the affine from [i, j, k, 1] to RAS. @unit mm */
  readonly sform: readonly [readonly number[], readonly number[], readonly number[]];
  /** [k, j, i] uint8. */
  readonly voxels: Uint8Array;
}

export function readNifti(compressed: Uint8Array): NiftiVolume {
  const bytes = gunzipSync(compressed);
  const dimensions = [42, 44, 46].map((at) => bytes.readInt16LE(at));
  const [columns = 0, rows = 0, slices = 0] = dimensions;
  const isReadable =
    bytes.readInt32LE(0) === HEADER_BYTES &&
    bytes.readInt16LE(70) === DATATYPE_UINT8 &&
    bytes.readInt16LE(254) > 0;
  const start = bytes.readFloatLE(108);
  const length = columns * rows * slices;
  if (!isReadable || length <= 0 || start + length > bytes.length) {
    throw new AifiError('INVALID_ARGUMENT', 'not a NIfTI-1 uint8 volume with an sform');
  }
  const row = (at: number): number[] => [0, 4, 8, 12].map((i) => bytes.readFloatLE(at + i));
  return {
    size: [columns, rows, slices],
    sform: [row(280), row(296), row(312)],
    voxels: bytes.subarray(start, start + length),
  };
}
