/**
 * An element as the data dictionary has it.
 * Decides what to do with a value representation that is not the one of the standard: UN is read as
 * what the tag is, a sequence in it is parsed; any other wrong VR drops the attribute, because a
 * date declared as text would pass unshifted. Invariants: nothing of an unparsed sequence survives;
 * bounds are those of the walker.
 * Source: PS3.5 6.2.2 (UN; note 2: its sequences are Implicit VR Little Endian), 7.5; PS3.6 6.
 */
import {
  DicomDataset,
  elementHeader,
  ElementWalker,
  encodeDataset,
  vrOf,
  type DicomElement,
} from '@aifi/dicom-core';
import { AifiError } from '@aifi/shared-kernel';

const IMPLICIT_LE = { explicitVr: false, littleEndian: true };
const SPECIFIC_CHARACTER_SET = 0x00080005;
/** Bytes of one value; what is not a whole number of values is none. */
const WIDTHS: Readonly<Record<string, number>> = {
  ...{ US: 2, SS: 2, UL: 4, SL: 4, FL: 4, FD: 8, AT: 4, OW: 2, OL: 4, OF: 4, OD: 8, OV: 8 },
};

/** The element in the VR of the dictionary, or undefined when it cannot be read so. */
export function standardElement(
  element: DicomElement,
  input: DicomDataset,
): DicomElement | undefined {
  const { tag, vr, value } = element;
  const standard = vrOf(tag);
  if (standard === vr) return element;
  // PS3.6 leaves these open ("US or SS", "OB or OW").
  if (standard === 'US' && vr === 'SS') return element;
  if (standard === 'OW' && (vr === 'US' || vr === 'OB')) return element;
  if (vr !== 'UN' || !(value instanceof Uint8Array)) return undefined;
  if (standard === 'SQ') return parsedSequence(tag, value, input);
  const width = WIDTHS[standard];
  if (width !== undefined && value.length % width !== 0) return undefined;
  return { tag, vr: standard, value };
}

function parsedSequence(
  tag: number,
  value: Uint8Array,
  input: DicomDataset,
): DicomElement | undefined {
  // Items inherit the character set of the dataset that they stand in.
  const around = new DicomDataset().setStrings(SPECIFIC_CHARACTER_SET, input.characterSets);
  const walker = new ElementWalker(IMPLICIT_LE);
  try {
    walker.push(encodeDataset(around, IMPLICIT_LE));
    walker.push(elementHeader(tag, 'SQ', value.length, IMPLICIT_LE));
    walker.push(value);
    return walker.end().dataset.get(tag);
  } catch (error) {
    const { code } = AifiError.from(error);
    if (code !== 'DICOM_MALFORMED' && code !== 'LIMIT_EXCEEDED') throw error;
    return undefined;
  }
}
