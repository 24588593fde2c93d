/**
 * Native pixel data: bytes of one monochrome frame to values.
 * Decides how stored bits become numbers: bits above High Bit are cut off, signed values are sign
 * extended, Rescale Slope and Intercept are applied.
 * Source: PS3.5 8.1 and 8.2 (encoding of pixel data), PS3.3 C.7.6.3 and C.11.1.
 */
import type { DicomDataset } from '@aifi/dicom-core';
import { AifiError, ok, refuse, type Result } from '@aifi/shared-kernel';
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

export interface NativeFrame {
  /** Value field of Pixel Data, at least `out.length` pixels. */
  readonly bytes: Uint8Array;
  readonly littleEndian: boolean;
  /** VR of Pixel Data: 8-bit pixels in OW are swapped in pairs in big endian (PS3.5 8.2). */
  readonly vr: string;
}

/** Decodes the frame into `out` [y, x]. */
export function decodeFrame(frame: NativeFrame, encoding: PixelEncoding, out: VoxelArray): void {
  const { bitsAllocated, bitsStored, highBit, signed, slope, intercept } = encoding;
  const { bytes, littleEndian } = frame;
  if (bytes.length * 8 < out.length * bitsAllocated) {
    throw new AifiError('DICOM_MALFORMED', 'pixel data is shorter than its attributes say');
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const pairSwap = !littleEndian && frame.vr === 'OW' ? 1 : 0;
  // The stored bits go to the top of 32 bits and come back: cut off above, sign extended below.
  const [up, down] = [31 - highBit, 32 - bitsStored];
  for (let at = 0; at < out.length; at += 1) {
    const raw = bitsAllocated === 8 ? bytes[at ^ pairSwap]! : view.getUint16(at * 2, littleEndian);
    const stored = signed ? (raw << up) >> down : (raw << up) >>> down;
    out[at] = stored * slope + intercept;
  }
}
