/**
 * Lookup tables: opaque bytes that may leave only as what they claim to be.
 * Decides by the length: a table has as many entries as its descriptor says; anything else in its
 * place could be a text. Invariant: without its descriptor a table does not leave. What stays open:
 * a table of the right length has any entries; the compliance documents name this residue.
 * Source: PS3.3 C.7.6.3.1.5, C.11.1.1 (descriptor: entries, first value, bits).
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
/** Entries that a descriptor writes as 0, because it has 16 bits. */
const ENTRIES_MAX = 65_536;

export function isLookupTable(tag: number): boolean {
  return DESCRIPTORS.has(tag);
}

/** Whether a table has the length that its descriptor says. */
export function isWholeTable(tag: number, value: Uint8Array, dataset: DicomDataset): boolean {
  const descriptor = DESCRIPTORS.get(tag);
  const given = descriptor === undefined ? undefined : dataset.bytes(descriptor);
  if (given?.length !== 6) return false;
  const entries = given[0]! | (given[1]! << 8) || ENTRIES_MAX;
  // One byte per entry, padded to even, or two.
  return [entries, entries + (entries % 2), 2 * entries].includes(value.length);
}
