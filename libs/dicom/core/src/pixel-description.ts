/**
 * The attributes that describe pixel data, and the length that follows from them.
 * Decides that pixel data is read in one way only: the attributes have the VR and the number of
 * values of the standard, do not contradict each other, and native pixels are exactly as long as
 * they say. Source: PS3.5 8.1 and A.4; PS3.3 C.7.6.3.1, C.7.6.6.1; reliability specification F2.
 */
import { AifiError } from '@aifi/shared-kernel';
import type { DicomDataset } from './dataset.js';
import { tagOf } from './dictionary.js';

export const PIXEL_DATA = 0x7fe00010;
/** Float, double float and integer pixel data, with the VRs that they can have (PS3.6). */
export const PIXEL_DATA_VRS: ReadonlyMap<number, readonly string[]> = new Map([
  [0x7fe00008, ['OF']],
  [0x7fe00009, ['OD']],
  [PIXEL_DATA, ['OB', 'OW']],
]);

/** Where top-level pixel data lies. Offsets in bytes from the first byte that was pushed. */
export interface PixelDataRange {
  readonly tag: number;
  readonly vr: string;
  /** First byte of the element's tag. */
  readonly elementOffset: number;
  /** First byte of the value: pixels, or the first item tag when encapsulated. */
  readonly valueOffset: number;
  /** Bytes of the value, item tags and the closing delimiter included. */
  readonly valueLength: number;
  readonly encapsulated: boolean;
  /** Value ranges of the items, the Basic Offset Table first; empty when native. */
  readonly fragments: readonly { readonly offset: number; readonly length: number }[];
}

const COUNTS = ['Rows', 'Columns', 'SamplesPerPixel', 'BitsAllocated'].map(tagOf);
const [ROWS, COLUMNS, SAMPLES_PER_PIXEL, BITS_ALLOCATED] = COUNTS as [number, ...number[]] &
  Record<1 | 2 | 3, number>;
const BITS_STORED = tagOf('BitsStored');
const HIGH_BIT = tagOf('HighBit');
const NUMBER_OF_FRAMES = tagOf('NumberOfFrames');
const PHOTOMETRIC_INTERPRETATION = tagOf('PhotometricInterpretation');
const SINGLE_US = [
  ...[...COUNTS, BITS_STORED, HIGH_BIT],
  ...['PixelRepresentation', 'PlanarConfiguration'].map(tagOf),
];
const TEXTS: readonly (readonly [tag: number, vr: string])[] = [
  [NUMBER_OF_FRAMES, 'IS'],
  [PHOTOMETRIC_INTERPRETATION, 'CS'],
];
/** What a reader must keep to check pixel data. */
export const PIXEL_DESCRIPTION_TAGS: ReadonlySet<number> = new Set([
  ...SINGLE_US,
  ...TEXTS.map(([tag]) => tag),
]);
/** PS3.3 C.7.6.3.1.2: these share their colour samples between two pixels. */
const HALF_COLOUR = new Set(['YBR_FULL_422', 'YBR_PARTIAL_422']);

export function malformed(what: string): AifiError {
  return new AifiError('DICOM_MALFORMED', what);
}

/** Throws DICOM_MALFORMED; `nativeLength` is undefined for encapsulated pixel data. */
export function checkPixelData(
  dataset: DicomDataset,
  tag: number,
  nativeLength: number | undefined,
): void {
  for (const described of SINGLE_US) {
    const element = dataset.get(described);
    if (element && (element.vr !== 'US' || element.value.length !== 2)) {
      throw malformed('an image attribute has another VR or number of values');
    }
  }
  for (const [described, vr] of TEXTS) {
    // Under another VR its text would depend on the character set.
    if ((dataset.get(described)?.vr ?? vr) !== vr) {
      throw malformed('an image attribute has another VR');
    }
  }
  const frames = dataset.number(NUMBER_OF_FRAMES) ?? 1;
  if (!Number.isSafeInteger(frames) || frames < 1) throw malformed('no valid number of frames');
  const allocated = dataset.number(BITS_ALLOCATED);
  if (tag === PIXEL_DATA && allocated !== undefined) checkBits(dataset, allocated);
  if (nativeLength === undefined) return;
  const bits = allocated ?? 0;
  const samples = dataset.number(SAMPLES_PER_PIXEL) ?? 1;
  const isHalf = HALF_COLOUR.has(dataset.string(PHOTOMETRIC_INTERPRETATION) ?? '');
  const pixels =
    (dataset.number(ROWS) ?? 0) *
    (dataset.number(COLUMNS) ?? 0) *
    (isHalf && samples === 3 ? 2 : samples) *
    frames;
  const expected = bits === 1 ? Math.ceil(pixels / 8) : pixels * Math.ceil(bits / 8);
  // Some writers leave the padding byte out (PS3.5 8.1.1); no pixel is missing then.
  if (nativeLength !== expected && nativeLength !== expected + (expected % 2)) {
    throw malformed('pixel data does not have the length of its attributes');
  }
}

/** PS3.5 8.1.1: what is stored lies inside what is allocated. */
function checkBits(dataset: DicomDataset, allocated: number): void {
  const stored = dataset.number(BITS_STORED) ?? allocated;
  const high = dataset.number(HIGH_BIT) ?? stored - 1;
  if (stored < 1 || stored > allocated || high < stored - 1 || high >= allocated) {
    throw malformed('the stored bits do not fit the allocated bits');
  }
}
