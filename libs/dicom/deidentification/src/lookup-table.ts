/**
 * Lookup tables and offset tables: opaque bytes that may leave only as what they claim to be.
 * Decides by the length: a table has as many entries as its descriptor says; anything else in its
 * place could be a text. Invariant: without its descriptor a table does not leave.
 * Source: PS3.3 C.7.6.3.1.5, C.11.1.1 (descriptor: entries, first value, bits), C.7.6.3.1.8.
 */
import { tagOf, type DicomDataset } from '@aifi/dicom-core';

const DESCRIPTORS: ReadonlyMap<number, number> = new Map(
  [
    ['LUTData', 'LUTDescriptor'],
    ...['Red', 'Green', 'Blue'].map((colour) => [
      `${colour}PaletteColorLookupTableData`,
      `${colour}PaletteColorLookupTableDescriptor`,
    ]),
  ].map(([data, descriptor]) => [tagOf(data!), tagOf(descriptor!)]),
);
const OFFSETS: ReadonlySet<number> = new Set(
  ['ExtendedOffsetTable', 'ExtendedOffsetTableLengths'].map(tagOf),
);
/** Entries that a descriptor writes as 0, because it has 16 bits. */
const ENTRIES_MAX = 65_536;

/** Whether this attribute is a table at all, and of the right length; true for what is none. */
export function isWholeTable(tag: number, value: Uint8Array, dataset: DicomDataset): boolean {
  if (OFFSETS.has(tag)) {
    return value.length === 8 * Math.max(1, dataset.number('NumberOfFrames') ?? 1);
  }
  const descriptor = DESCRIPTORS.get(tag);
  if (descriptor === undefined) return true;
  const given = dataset.bytes(descriptor);
  if (given?.length !== 6) return false;
  const entries = given[0]! | (given[1]! << 8) || ENTRIES_MAX;
  // One byte per entry, padded to even, or two.
  return [entries, entries + (entries % 2), 2 * entries].includes(value.length);
}
