/**
 * Volume encoder: a volume as the Part 10 objects of a single-frame series.
 * Decides how phantoms and demonstration volumes that come in other formats become DICOM, slice k
 * of the array as one object. Invariant: reading the objects back gives the same voxels at the same
 * place (slices then ascend along row × column, whichever way k ran here).
 * Source: PS3.3 A.4 (MR Image IOD), C.7.6.2, C.7.6.3.
 */
import { DicomDataset, encodePart10, EXPLICIT_VR_LITTLE_ENDIAN } from '@aifi/dicom-core';
import { applyAffine, columnsOf, length, scaled } from './affine.js';
import type { VolumeGeometry } from './volume.js';

export const MR_IMAGE_STORAGE = '1.2.840.10008.5.1.4.1.1.4';
/** DS holds 16 characters; 10⁻⁶ mm and 10⁻⁶ rad are far below any voxel. */
const DECIMALS = 1e6;

export interface EncodableVolume extends VolumeGeometry {
  /** [z, y, x]; integers only, a float has no native encoding. */
  readonly data: Uint8Array | Int16Array;
}
export interface SeriesEncoding {
  /** SOP Instance UID of slice k. */
  readonly sopInstanceUid: (k: number) => string;
  /** Every other attribute: study, series, patient, modality; copied into each object. */
  readonly attributes: DicomDataset;
  readonly transferSyntaxUid?: string;
}

/** The objects of the series in the order of k, one at a time. */
export function* encodeVolumeSeries(
  volume: EncodableVolume,
  encoding: SeriesEncoding,
): Generator<Buffer> {
  const { transferSyntaxUid = EXPLICIT_VR_LITTLE_ENDIAN, attributes } = encoding;
  for (let k = 0; k < volume.shape[0]; k += 1) {
    const dataset = new DicomDataset();
    for (const element of attributes) dataset.put(element);
    if (!dataset.has('SOPClassUID')) dataset.setString('SOPClassUID', MR_IMAGE_STORAGE);
    dataset.setString('SOPInstanceUID', encoding.sopInstanceUid(k));
    dataset.setNumbers('InstanceNumber', [k + 1]);
    placeSlice(dataset, volume, k);
    putPixels(dataset, volume, k);
    yield encodePart10(dataset, transferSyntaxUid);
  }
}

function placeSlice(dataset: DicomDataset, { affine, shape }: VolumeGeometry, k: number): void {
  const [x, y, z] = columnsOf(affine);
  const directions = [x, y].flatMap((step) => scaled(step, 1 / length(step)));
  dataset
    .setNumbers('ImageOrientationPatient', directions.map(rounded))
    .setNumbers('ImagePositionPatient', applyAffine(affine, [0, 0, k]).map(rounded))
    .setNumbers('PixelSpacing', [length(y), length(x)].map(rounded))
    .setNumbers('SliceThickness', [rounded(length(z))])
    .setNumbers('Rows', [shape[1]])
    .setNumbers('Columns', [shape[2]]);
}

function putPixels(dataset: DicomDataset, { data, shape }: EncodableVolume, k: number): void {
  const bits = data.BYTES_PER_ELEMENT * 8;
  const size = shape[1] * shape[2];
  const plane = data.subarray(k * size, (k + 1) * size);
  dataset
    .setNumbers('SamplesPerPixel', [1])
    .setString('PhotometricInterpretation', 'MONOCHROME2')
    .setNumbers('BitsAllocated', [bits])
    .setNumbers('BitsStored', [bits])
    .setNumbers('HighBit', [bits - 1])
    .setNumbers('PixelRepresentation', [data instanceof Int16Array ? 1 : 0])
    .setBytes('PixelData', new Uint8Array(plane.buffer, plane.byteOffset, plane.byteLength), 'OW');
}

function rounded(value: number): number {
  // Adding 0 turns a negative zero, which would print as such, into zero.
  return Math.round(value * DECIMALS) / DECIMALS + 0;
}
