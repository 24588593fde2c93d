/**
 * Palettes: stored indices to colours.
 * Decides how lookup tables of palette images are read: 8 or 16 bits, a byte or a word each.
 * Invariant: an index outside of the table has the colour of the nearest entry, as is displayed.
 * Source: PS3.3 C.7.6.3.1.5 and C.7.6.3.1.6 (descriptor and data of palette colour tables).
 */
import type { DicomDataset } from '@aifi/dicom-core';
import { ok, refuse, type Result } from '@aifi/shared-kernel';

export interface Palette {
  /** Stored value of the first entry. */
  readonly first: number;
  /** Red, green and blue of every entry, 0..65535. */
  readonly colours: readonly [Uint16Array, Uint16Array, Uint16Array];
}

const COLOURS = ['Red', 'Green', 'Blue'] as const;
/** An 8-bit colour at full brightness is one of 16 bits at full brightness. */
const WIDENED = 257;

export function paletteOf(dataset: DicomDataset, signed: boolean): Result<Palette> {
  const tables = COLOURS.map((colour) => tableOf(dataset, colour, signed));
  const [red, green, blue] = tables;
  if (!red || !green || !blue) {
    return refuse('QUARANTINED_PIXELS', 'a palette that is not read');
  }
  const isAlike = [green, blue].every(
    ({ first, values }) => first === red.first && values.length === red.values.length,
  );
  if (!isAlike) return refuse('MALFORMED', 'the tables of a palette differ in size');
  return ok({ first: red.first, colours: [red.values, green.values, blue.values] });
}

function tableOf(
  dataset: DicomDataset,
  colour: (typeof COLOURS)[number],
  signed: boolean,
): { readonly first: number; readonly values: Uint16Array } | undefined {
  const descriptor = dataset.bytes(`${colour}PaletteColorLookupTableDescriptor`);
  const data = dataset.bytes(`${colour}PaletteColorLookupTableData`);
  if (descriptor?.length !== 6 || !data) return undefined;
  const told = new DataView(descriptor.buffer, descriptor.byteOffset, descriptor.byteLength);
  // 65,536 does not fit the descriptor and is written as 0.
  const entries = told.getUint16(0, true) || 2 ** 16;
  const first = signed ? told.getInt16(2, true) : told.getUint16(2, true);
  const bits = told.getUint16(4, true);
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const values = new Uint16Array(entries);
  if (bits === 16 && data.length >= entries * 2) {
    for (let i = 0; i < entries; i += 1) values[i] = view.getUint16(i * 2, true);
  } else if (bits === 8 && data.length >= entries * 2) {
    for (let i = 0; i < entries; i += 1) values[i] = view.getUint8(i * 2) * WIDENED;
  } else if (bits === 8 && data.length >= entries) {
    for (let i = 0; i < entries; i += 1) values[i] = view.getUint8(i) * WIDENED;
  } else {
    return undefined;
  }
  return { first, values };
}

/** The entry of a stored value. */
export function entryOf({ first, colours }: Palette, stored: number): number {
  return Math.min(Math.max(stored - first, 0), colours[0].length - 1);
}

/** The lowest stored value with the darkest colour that values from `low` to `high` can have. */
export function darkestIndex(palette: Palette, low: number, high: number): number {
  const [red, green, blue] = palette.colours;
  let [darkest, least] = [low, Infinity];
  for (let entry = 0; entry < red.length; entry += 1) {
    const stored = palette.first + entry;
    // Weights of ITU-R BT.601: how bright an eye finds the colours.
    const light = 299 * red[entry]! + 587 * green[entry]! + 114 * blue[entry]!;
    if (stored >= low && stored <= high && light < least) [darkest, least] = [stored, light];
  }
  return darkest;
}
