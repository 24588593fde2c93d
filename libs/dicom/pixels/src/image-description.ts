/**
 * Image description: what the attributes of an object say of its pixels.
 * Decides which kinds of image are read at all, before anything is allocated or decoded.
 * Invariants: sizes are bounded; a kind that is not read is refused with fixed words; attributes
 * that contradict each other are malformed, never guessed at.
 * Source: PS3.3 C.7.6.3.1 (Image Pixel Description), PS3.5 8.1 and 8.2.
 */
import type { DicomDataset } from '@aifi/dicom-core';
import { AifiError, ok, refuse, type Result } from '@aifi/shared-kernel';

export interface FrameSize {
  readonly rows: number;
  readonly columns: number;
}
export interface ImageDescription extends FrameSize {
  readonly frames: number;
  readonly samplesPerPixel: 1 | 3;
  readonly bitsAllocated: 1 | 8 | 16 | 32;
  readonly bitsStored: number;
  readonly highBit: number;
  readonly signed: boolean;
  /** Planar Configuration 1: one colour plane after the other. */
  readonly isPlanar: boolean;
  readonly photometricInterpretation: string;
}

/** 8,192 × 8,192 of one sample; mammography and stitched legs have half of it, colour a third. */
export const FRAME_SAMPLES_MAX = 2 ** 26;
/** 8,192 × 8,192 × 16 bits. @unit bytes */
export const FRAME_BYTES_MAX = 2 ** 27;

const SINGLE = new Set(['MONOCHROME1', 'MONOCHROME2', 'PALETTE COLOR']);
/** JPEG 2000 names its colour transforms; its decoder undoes them (PS3.5 8.2.4). */
export const JPEG_2000_COLOURS = new Set(['YBR_RCT', 'YBR_ICT']);
const TRIPLE = new Set(['RGB', 'YBR_FULL', 'YBR_FULL_422', ...JPEG_2000_COLOURS]);
const ALLOCATIONS: ReadonlySet<number> = new Set([1, 8, 16, 32]);

/** QUARANTINED_PIXELS for what is not read here, MALFORMED for contradictions. */
export function describeImage(dataset: DicomDataset): Result<ImageDescription> {
  try {
    return described(dataset);
  } catch (error) {
    // A number that is none, in an attribute that a sender wrote.
    if (AifiError.from(error).code !== 'DICOM_MALFORMED') throw error;
    return refuse('MALFORMED', 'an image attribute is not a number');
  }
}

function described(dataset: DicomDataset): Result<ImageDescription> {
  const rows = dataset.number('Rows') ?? 0;
  const columns = dataset.number('Columns') ?? 0;
  if (rows < 1 || columns < 1) return refuse('QUARANTINED_PIXELS', 'an object without an image');
  const samplesPerPixel = dataset.number('SamplesPerPixel') ?? 1;
  const photometricInterpretation = dataset.string('PhotometricInterpretation') ?? '';
  if (!isRead(samplesPerPixel, photometricInterpretation)) {
    return refuse('QUARANTINED_PIXELS', 'a photometric interpretation that is not read');
  }
  const bitsAllocated = dataset.number('BitsAllocated') ?? 0;
  if (!isAllocation(bitsAllocated) || (bitsAllocated === 1 && samplesPerPixel !== 1)) {
    return refuse('QUARANTINED_PIXELS', 'bits allocated other than 1, 8, 16 and 32');
  }
  const bitsStored = dataset.number('BitsStored') ?? bitsAllocated;
  const highBit = dataset.number('HighBit') ?? bitsStored - 1;
  const frames = dataset.number('NumberOfFrames') ?? 1;
  const hasBits = bitsStored >= 1 && highBit < bitsAllocated && highBit + 1 >= bitsStored;
  if (!hasBits || !Number.isSafeInteger(frames) || frames < 1) {
    return refuse('MALFORMED', 'pixel attributes contradict each other');
  }
  const samples = rows * columns * samplesPerPixel;
  if (samples > FRAME_SAMPLES_MAX || (samples * bitsAllocated) / 8 > FRAME_BYTES_MAX) {
    return refuse('QUARANTINED_PIXELS', 'a frame larger than is read here');
  }
  return ok({
    ...{ rows, columns, frames, samplesPerPixel, bitsAllocated, bitsStored, highBit },
    photometricInterpretation,
    signed: dataset.number('PixelRepresentation') === 1,
    isPlanar: samplesPerPixel === 3 && dataset.number('PlanarConfiguration') === 1,
  });
}

function isRead(samplesPerPixel: number, photometric: string): samplesPerPixel is 1 | 3 {
  return samplesPerPixel === 1
    ? SINGLE.has(photometric)
    : samplesPerPixel === 3 && TRIPLE.has(photometric);
}
function isAllocation(bits: number): bits is ImageDescription['bitsAllocated'] {
  return ALLOCATIONS.has(bits);
}
