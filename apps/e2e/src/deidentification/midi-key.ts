/**
 * The answer key: what has to be true of every output, and how it is scored.
 * Decides the ten actions and their scoring: text by words, numbers as numbers; without an output
 * the checks of removal pass and those of retention and consistency fail, so that holding
 * everything back is no way to a good score. Source: pseudonymisation specification 4.
 */
import { markersIn, readObject, type ReadObject } from '@aifi/dicom-deidentification-check';
import { readFileSync } from 'node:fs';
import { tagOf, type DicomDataset } from '@aifi/dicom-core';
import { openFrames, type PixelRegion } from '@aifi/dicom-pixels';

export const MIDI_ACTIONS = [
  ...(['tag_retained', 'text_notnull', 'text_retained', 'text_removed', 'date_shifted'] as const),
  ...(['uid_changed', 'uid_consistent', 'patid_consistent'] as const),
  ...(['pixels_hidden', 'pixels_retained'] as const),
] as const;
export type MidiAction = (typeof MIDI_ACTIONS)[number];

export interface MidiCheck {
  readonly action: MidiAction;
  /** Keywords from the top, items of sequences by number: `['A', 0, 'B']`. @default none */
  readonly path?: readonly (string | number)[];
  /** Words to be gone or to be there; the old UID, date or patient. */
  readonly value?: string;
  readonly category: string;
}
export interface MidiCase {
  readonly name: string;
  readonly file: Buffer;
  /** What may not leave stays behind: pixels with text, screens, bits of overlays in pixels. */
  readonly mustStay: boolean;
  /** What is black afterwards, and nothing else. @default nothing may be blacked out */
  readonly blackBox?: PixelRegion | undefined;
  readonly checks: readonly MidiCheck[];
}
/** What was made of a case: a file, or nothing. */
export interface MidiOutcome {
  readonly object?: ReadObject;
  readonly bytes?: Buffer;
  readonly original: ReadObject;
  /** The box is black and every other sample is what it was; undefined without a box. */
  readonly isBoxBlack?: boolean;
}
/** UIDs and patients of all cases before: an answer has to be the same everywhere. */
export interface MidiMappings {
  readonly uids: Map<string, string>;
  readonly patients: Map<string, string>;
}

const REMOVALS: ReadonlySet<MidiAction> = new Set([
  ...(['text_removed', 'date_shifted', 'uid_changed', 'pixels_hidden'] as const),
]);

export async function outcomeOf(
  original: string,
  output?: string,
  box?: PixelRegion,
): Promise<MidiOutcome> {
  const before = await readObject(original);
  if (output === undefined) return { original: before };
  return {
    ...{ original: before, object: await readObject(output), bytes: readFileSync(output) },
    ...(box && { isBoxBlack: await isOnlyBoxBlack(original, output, box) }),
  };
}

/** Of pictures with one sample per pixel, in which 0 is black. */
async function isOnlyBoxBlack(
  original: string,
  output: string,
  { x, y, width, height }: PixelRegion,
): Promise<boolean> {
  const [before, after] = [await samplesOf(original), await samplesOf(output)];
  const { columns } = before;
  if (before.values.length !== after.values.length || columns !== after.columns) return false;
  // A box that was black before would prove nothing.
  let wasWritten = false;
  const isRight = before.values.every((value, at) => {
    const [column, row] = [at % columns, Math.floor(at / columns)];
    const isIn = column >= x && column < x + width && row >= y && row < y + height;
    if (isIn && value !== 0) wasWritten = true;
    return after.values[at] === (isIn ? 0 : value);
  });
  return isRight && wasWritten;
}
async function samplesOf(path: string): Promise<{ values: number[]; columns: number }> {
  const opened = await openFrames(path);
  if (!opened.ok) throw new Error(opened.refusal.detail);
  try {
    const { frames, samplesPerPixel, columns } = opened.value;
    if (frames !== 1 || samplesPerPixel !== 1) throw new Error('one grey frame is expected');
    return { values: Array.from(await opened.value.frame(0)), columns };
  } finally {
    await opened.value.close();
  }
}

/** Whether one check passes. */
export function passes(check: MidiCheck, outcome: MidiOutcome, seen: MidiMappings): boolean {
  const { object, bytes, original } = outcome;
  if (!object || !bytes) return REMOVALS.has(check.action);
  const { action, path = [], value = '' } = check;
  const texts = textsAt(object.dataset, path);
  const joined = texts?.join('\\') ?? '';
  switch (action) {
    case 'tag_retained':
      return texts !== undefined;
    case 'text_notnull':
      return joined !== '';
    case 'text_retained':
      return isRetained(value, joined);
    case 'text_removed':
      // Not in its place, and nowhere else either.
      return markersIn(bytes, wordsOf(value)).length === 0;
    case 'date_shifted':
      return !joined.includes(value) && (texts === undefined || /^(\d{8}.*)?$/.test(joined));
    case 'uid_changed':
      return !bytes.includes(value);
    case 'uid_consistent':
      return texts === undefined || isSameAsBefore(seen.uids, value, joined);
    case 'patid_consistent':
      return joined !== '' && isSameAsBefore(seen.patients, value, joined);
    case 'pixels_hidden':
      // Pixels with text leave after a blackout only: nobody releases anything here.
      return outcome.isBoxBlack ?? object.pixelsSha256 !== original.pixelsSha256;
    case 'pixels_retained':
      return object.pixelsSha256 === original.pixelsSha256;
  }
}

function isSameAsBefore(map: Map<string, string>, before: string, after: string): boolean {
  const known = map.get(before) ?? after;
  map.set(before, known);
  return known === after && after !== before;
}

/** Words of an identifier: letters, digits and what stands inside of them. */
export function wordsOf(text: string): string[] {
  return text.split(/[\s^=,;:()\\]+/).filter((word) => word.length >= 4);
}
function isRetained(expected: string, found: string): boolean {
  const [before, after] = [expected.split('\\'), found.split('\\')];
  if (before.length === after.length && before.every((text, i) => isSameValue(text, after[i]!))) {
    return true;
  }
  const words = expected.toUpperCase().split(/\s+/);
  return words.every((word) => found.toUpperCase().includes(word));
}
function isSameValue(before: string, after: string): boolean {
  if (before === after) return true;
  return before !== '' && after !== '' && Number(before) === Number(after);
}

/** Values at a path; undefined when the attribute is not there. */
function textsAt(dataset: DicomDataset, path: readonly (string | number)[]): string[] | undefined {
  const [keyword, index, ...rest] = path;
  if (typeof keyword !== 'string') return undefined;
  const element = dataset.get(tagOf(keyword));
  if (!element) return undefined;
  if (index !== undefined) {
    const item = dataset.items(keyword)[Number(index)];
    return item && textsAt(item, rest);
  }
  if (/^(US|SS|UL|SL|FL|FD)$/.test(element.vr)) return dataset.numbers(keyword).map(String);
  return element.value instanceof Uint8Array ? dataset.strings(keyword) : [];
}

export interface Score {
  readonly passed: number;
  readonly total: number;
  readonly failures: readonly string[];
}
/** Adds up per key; failures name case, action and place, never a value. */
export class ScoreSheet {
  readonly #rows = new Map<string, { passed: number; total: number; failures: string[] }>();

  count(keys: readonly string[], isPassed: boolean, what: string): void {
    for (const key of keys) {
      const row = this.#rows.get(key) ?? { passed: 0, total: 0, failures: [] };
      row.total += 1;
      if (isPassed) row.passed += 1;
      else row.failures.push(what);
      this.#rows.set(key, row);
    }
  }
  get(key: string): Score {
    return this.#rows.get(key) ?? { passed: 0, total: 0, failures: [] };
  }
  table(): Record<string, string> {
    return Object.fromEntries(
      [...this.#rows].map(([key, { passed, total }]) => [
        key,
        `${passed}/${total} (${((100 * passed) / total).toFixed(2)} %)`,
      ]),
    );
  }
}
