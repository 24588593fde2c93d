/**
 * The tables of docs/conformance/de-identification-comparison.md, as figures.
 * Decides what of the document a test can hold on to: what was planted, what each tool left, which
 * codes it wrote; how many checks of each action passed. Invariant: a table of another shape is an
 * error, not an empty answer.
 */
import { readFileSync } from 'node:fs';

export interface ComparisonRow {
  readonly name: string;
  readonly total: number;
  readonly text: number;
  readonly datesAndUids: number;
  /** Of De-identification Method Code Sequence, with a space between. */
  readonly codes: string;
}
export interface ComparisonDocument {
  /** Carriers: all, with text, with dates, times and UIDs. */
  readonly planted: Omit<ComparisonRow, 'name' | 'codes'>;
  readonly markers: number;
  readonly rows: readonly ComparisonRow[];
}

/** One row of the suite's table: actions that are counted together. */
export interface ActionRow {
  readonly actions: readonly string[];
  readonly passed: number;
  readonly total: number;
}

const FILE = new URL(
  '../../../../docs/conformance/de-identification-comparison.md',
  import.meta.url,
);
const HEAD = new RegExp(
  String.raw`^\| Tool \| left of (\d+) \| text \((\d+)\) \| ` +
    String.raw`dates, times, UIDs \((\d+)\) \|`,
  'm',
);

export function readComparison(): ComparisonDocument {
  const text = readFileSync(FILE, 'utf8');
  const head = HEAD.exec(text);
  const markers = /\*\*Markers\*\*: ([\d,]+),/.exec(text)?.[1];
  if (!head || markers === undefined) throw new Error('the comparison has no table of this shape');
  const [total = 0, words = 0, datesAndUids = 0] = head.slice(1).map(Number);
  // The line below the head is that of the dashes.
  const [, , ...lines] = text.slice(head.index).split('\n');
  const end = lines.findIndex((line) => !line.startsWith('|'));
  return {
    planted: { total, text: words, datesAndUids },
    markers: numberOf(markers),
    rows: lines.slice(0, end).map(rowOf),
  };
}

function rowOf(line: string): ComparisonRow {
  const cells = line
    .replaceAll('**', '')
    .split('|')
    .map((cell) => cell.trim());
  const [, name = '', total, text, datesAndUids, codes = ''] = cells;
  const figures = [total, text, datesAndUids].map(Number);
  if (figures.some(Number.isNaN)) throw new Error(`the row of ${name} has no figures`);
  const [all = 0, words = 0, dates = 0] = figures;
  return { name, total: all, text: words, datesAndUids: dates, codes };
}

const ACTIONS = /^\| ([a-z_, ]+) \| ([\d,]+) of ([\d,]+) \|$/gm;

/** The table of the suite in the manner of MIDI-B. */
export function readActions(): ActionRow[] {
  const rows = [...readFileSync(FILE, 'utf8').matchAll(ACTIONS)];
  if (rows.length === 0) throw new Error('the comparison has no table of actions');
  return rows.map(([, actions = '', passed = '', total = '']) => ({
    ...{ actions: actions.split(', '), passed: numberOf(passed), total: numberOf(total) },
  }));
}
const numberOf = (text: string): number => Number(text.replaceAll(',', ''));
