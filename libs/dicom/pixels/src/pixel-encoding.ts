/**
 * Pixel encoding: what a monochrome image says of its values, and stored samples to values.
 * Decides which images models can take, and that Rescale Slope and Intercept are applied without
 * rounding. Source: PS3.3 C.7.6.3 and C.11.1.
 */
import type { DicomDataset } from '@aifi/dicom-core';
import { AifiError, ok, refuse, type Result } from '@aifi/shared-kernel';
import type { FrameSamples } from './frame-samples.js';
import type { VoxelArray } from './volume.js';

export interface PixelEncoding {
  readonly bitsAllocated: 8 | 16;
  readonly bitsStored: number;
  readonly highBit: number;
  readonly signed: boolean;
  readonly slope: number;
  readonly intercept: number;
  readonly photometricInterpretation: 'MONOCHROME1' | 'MONOCHROME2';
}

/** The encoding of one object; INPUT_INCOMPLETE for a kind of image that is not read here. */
export function pixelEncodingOf(dataset: DicomDataset): Result<PixelEncoding> {
  const photometricInterpretation = dataset.string('PhotometricInterpretation');
  if (photometricInterpretation !== 'MONOCHROME1' && photometricInterpretation !== 'MONOCHROME2') {
    return refuse('INPUT_INCOMPLETE', 'not a monochrome image');
  }
  if ((dataset.number('SamplesPerPixel') ?? 1) !== 1) {
    return refuse('INPUT_INCOMPLETE', 'more than one sample per pixel');
  }
  if (dataset.items('ModalityLUTSequence').length > 0) {
    return refuse('INPUT_INCOMPLETE', 'modality lookup tables are not read');
  }
  const bitsAllocated = dataset.number('BitsAllocated');
  if (bitsAllocated !== 8 && bitsAllocated !== 16) {
    return refuse('INPUT_INCOMPLETE', 'bits allocated other than 8 and 16');
  }
  const bitsStored = dataset.number('BitsStored') ?? bitsAllocated;
  const highBit = dataset.number('HighBit') ?? bitsStored - 1;
  const slope = dataset.number('RescaleSlope') ?? 1;
  const intercept = dataset.number('RescaleIntercept') ?? 0;
  if (bitsStored < 1 || highBit >= bitsAllocated || highBit + 1 < bitsStored || slope === 0) {
    throw new AifiError('DICOM_MALFORMED', 'pixel attributes contradict each other');
  }
  const signed = dataset.number('PixelRepresentation') === 1;
  const bits = { bitsAllocated, bitsStored, highBit, signed } as const;
  return ok({ ...bits, slope, intercept, photometricInterpretation });
}

/** The smallest array type that holds every value these encodings can give, without rounding. */
export function voxelArrayFor(encodings: readonly PixelEncoding[], size: number): VoxelArray {
  let [low, high, isWhole] = [0, 0, true];
  for (const { bitsStored, signed, slope, intercept } of encodings) {
    const lowest = signed ? -(2 ** (bitsStored - 1)) : 0;
    const ends = [lowest, lowest + 2 ** bitsStored - 1].map((v) => v * slope + intercept);
    low = Math.min(low, ...ends);
    high = Math.max(high, ...ends);
    isWhole &&= Number.isInteger(slope) && Number.isInteger(intercept);
  }
  if (isWhole && low >= 0 && high <= 255) return new Uint8Array(size);
  if (isWhole && low >= -32_768 && high <= 32_767) return new Int16Array(size);
  return new Float32Array(size);
}

/** Values of stored samples, after rescale; `out` [y, x] has as many. */
export function rescaleInto(stored: FrameSamples, encoding: PixelEncoding, out: VoxelArray): void {
  const { slope, intercept } = encoding;
  for (let at = 0; at < out.length; at += 1) out[at] = stored[at]! * slope + intercept;
}
