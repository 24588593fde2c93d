/**
 * Binary values: numbers, pointers and tables that may leave only as what they claim to be.
 * Decides by multiplicity and size of the values: the bytes of a text are no count, no pixel value
 * and no measure. Tables have as many entries as is said of them (`lookup-table.ts`).
 * Invariant: what is not of the multiplicity that the dictionary has does not leave. What stays
 * open: the entries of lookup tables and of ultrasound calibration tables are any numbers.
 * Source: PS3.6 6 (VM); PS3.5 6.2 (VR), 7.8 (private groups).
 */
import { keywordOf, tagOf, type DicomDataset, type DicomElement } from '@aifi/dicom-core';
import { isLookupTable, isWholeTable } from './lookup-table.js';

const WIDTHS: Readonly<Record<string, number>> = {
  ...{ AT: 4, FL: 4, FD: 8, SL: 4, SS: 2, UL: 4, US: 2 },
};
/** Kept binary attributes of another multiplicity than 1: least, most (PS3.6). */
const VALUES_MAX = 1_024;
export const MULTIPLICITIES: ReadonlyMap<number, readonly [number, number]> = new Map(
  Object.entries({
    ...{ AcquisitionMatrix: [4, 4], MaskSubPixelShift: [2, 2] },
    ...{ ReconstructionFieldOfView: [2, 2], ReconstructionPixelSpacing: [2, 2] },
    ...{ TransmitterFrequency: [1, 2], LUTDescriptor: [3, 3] },
    ...{ RedPaletteColorLookupTableDescriptor: [3, 3] },
    ...{ GreenPaletteColorLookupTableDescriptor: [3, 3] },
    ...{ BluePaletteColorLookupTableDescriptor: [3, 3] },
    ...{ DataCollectionCenterPatient: [3, 3], ReconstructionTargetCenterPatient: [3, 3] },
    ...{ DiffusionGradientOrientation: [3, 3], SlabOrientation: [3, 3] },
    ...{ MidSlabPosition: [3, 3], VelocityEncodingDirection: [3, 3] },
    ...{ FrameIncrementPointer: [1, 8], DimensionIndexValues: [1, 32] },
    ...{ ReferencedXRaySourceIndex: [1, 32], ReferencedPathIndex: [1, 32] },
    ...{ InversionTimes: [1, 256], ApplicableFrameRange: [2, VALUES_MAX] },
    ...{ MaskFrameNumbers: [1, VALUES_MAX], RWaveTimeVector: [1, VALUES_MAX] },
    ...{ TableOfXBreakPoints: [1, VALUES_MAX], TableOfYBreakPoints: [1, VALUES_MAX] },
    ...{ TableOfPixelValues: [1, 65_536], TableOfParameterValues: [1, 65_536] },
  }).map(([keyword, bounds]) => [tagOf(keyword), [bounds[0]!, bounds[1]!]]),
);
const ONE = [1, 1] as const;
/** Their entries are of the device: any first value, any number of bits. */
const DESCRIPTORS: ReadonlySet<number> = new Set(
  [...MULTIPLICITIES.keys()].filter((tag) => keywordOf(tag).endsWith('Descriptor')),
);
/** As many entries as the other attribute of the same item says. */
const COUNTED_BY: ReadonlyMap<number, number> = new Map(
  (
    [
      ['TableOfXBreakPoints', 'NumberOfTableBreakPoints'],
      ['TableOfYBreakPoints', 'NumberOfTableBreakPoints'],
      ['TableOfPixelValues', 'NumberOfTableEntries'],
      ['TableOfParameterValues', 'NumberOfTableEntries'],
    ] as const
  ).map(([table, count]) => [tagOf(table), tagOf(count)]),
);

/** The least number of two, or of four, printable characters. */
const TWO_CHARACTERS = 0x2020;
const FOUR_CHARACTERS = 0x20202020;
/** Eight characters as FD are 1e-154, or more than 1e5 and mostly far more. */
const FRACTION_MIN = 1e-12;
const FRACTION_MAX = 1e12;

/** Whether the bytes of a kept element are what its attribute holds. */
export function isPlausibleBinary(element: DicomElement, dataset: DicomDataset): boolean {
  const { tag, vr, value } = element;
  if (!(value instanceof Uint8Array)) return false;
  if (isLookupTable(tag)) return isWholeTable(tag, value, dataset);
  const width = WIDTHS[vr];
  if (width === undefined || value.length % width !== 0) return false;
  if (value.length === 0) return true;
  const count = value.length / width;
  const [least, most] = MULTIPLICITIES.get(tag) ?? ONE;
  if (count < least || count > most) return false;
  const counter = COUNTED_BY.get(tag);
  if (counter !== undefined && dataset.number(counter) !== count) return false;
  if (DESCRIPTORS.has(tag)) return true;
  if (isTextOfMeasures(value, vr)) return false;
  return areNumbers(value, vr, count);
}

function areNumbers(value: Uint8Array, vr: string, count: number): boolean {
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength);
  for (let i = 0; i < count; i += 1) {
    if (!isNumber(view, vr, { at: i * (view.byteLength / count), isOnly: count === 1 })) {
      return false;
    }
  }
  return true;
}

function isNumber(
  view: DataView,
  vr: string,
  { at, isOnly }: { readonly at: number; readonly isOnly: boolean },
): boolean {
  if (vr === 'AT') return isPointer(view.getUint16(at, true), view.getUint16(at + 2, true));
  if (vr === 'UL') return view.getUint32(at, true) < FOUR_CHARACTERS;
  if (vr === 'SL') return Math.abs(view.getInt32(at, true)) < FOUR_CHARACTERS;
  // One of 16 bits is too short to say anything; pixel values need all of them.
  if (vr === 'US') return isOnly || view.getUint16(at, true) < TWO_CHARACTERS;
  if (vr === 'SS') return isOnly || Math.abs(view.getInt16(at, true)) < TWO_CHARACTERS;
  const number = vr === 'FL' ? view.getFloat32(at, true) : view.getFloat64(at, true);
  const size = Math.abs(number);
  return number === 0 || (size > FRACTION_MIN && size < FRACTION_MAX);
}

/**
 * Eight characters and more of names, numbers and dates in the place of measures: most capitals and
 * all digits are plausible ones there ("JANSEN B"). Of all printable characters it would be too
 * many: measures around 1 end in ? or @, and the bytes of a decimal repeat.
 */
function isTextOfMeasures(value: Uint8Array, vr: string): boolean {
  if ((vr !== 'FL' && vr !== 'FD') || value.length < 8) return false;
  return value.every((byte) => /[A-Za-z0-9 ^.,'/=-]/.test(String.fromCharCode(byte)));
}

const isPrintable = (byte: number): boolean => byte >= 0x20 && byte <= 0x7e;

/** An attribute of the dictionary, or of a private group whose number is no text. */
function isPointer(group: number, element: number): boolean {
  const tag = group * 0x10000 + element;
  if (!keywordOf(tag).startsWith('(')) return true;
  return group % 2 === 1 && !(isPrintable(group & 0xff) && isPrintable(group >>> 8));
}
