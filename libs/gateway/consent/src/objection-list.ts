/**
 * A hospital's list of objections as a CSV file.
 * Decides the columns with their Dutch and English names, the kinds, and that days are days of the
 * hospital's clock, the last one included.
 * Invariants: every bad line is told by its number and column, never by a value; a line is good or
 * bad as a whole. Source: governance specification 4.3; RFC 4180.
 */
import type { ObjectionColumn, ObjectionProblem } from '@aifi/contracts-rest';
import { columnsOf, decodeText, plainCell, plainName, readCsv } from '@aifi/gateway-catalogue';
import type { ObjectionKind } from '@aifi/policy-routing-rules';
import { AifiError } from '@aifi/shared-kernel';

const COLUMNS: Readonly<Record<ObjectionColumn, readonly string[]>> = {
  number: ['number', 'patientnumber', 'patientid', 'patientnummer', 'nummer', 'patiëntnummer'],
  issuer: ['issuer', 'issuerofpatientid', 'uitgever', 'domein'],
  kind: ['kind', 'kinds', 'objection', 'bezwaar', 'soort'],
  from: ['from', 'since', 'vanaf', 'begin', 'ingangsdatum'],
  until: ['until', 'to', 'tot', 'totenmet', 'einde', 'einddatum'],
};
const KIND_NAMES: Readonly<Record<string, readonly ObjectionKind[]>> = {
  aiinowncare: ['ai-in-own-care'],
  ai: ['ai-in-own-care'],
  aiineigenzorg: ['ai-in-own-care'],
  secondaryuse: ['secondary-use'],
  nadergebruik: ['secondary-use'],
  secundairgebruik: ['secondary-use'],
  sharing: ['sharing'],
  delen: ['sharing'],
  all: ['ai-in-own-care', 'secondary-use', 'sharing'],
  alles: ['ai-in-own-care', 'secondary-use', 'sharing'],
};
/** Longest patient number and issuer: VR LO, PS3.5. */
const LO_LENGTH = 64;

export interface ListedObjection {
  readonly line: number;
  readonly patientId: string;
  readonly issuer: string;
  readonly kinds: readonly ObjectionKind[];
  /** Undefined: from now on. */
  readonly sinceMs: number | undefined;
  readonly untilMs: number | undefined;
}
export interface BadLine {
  readonly line: number;
  readonly column: ObjectionColumn;
  readonly problem: ObjectionProblem;
}
export type ListLine = { readonly good: ListedObjection } | { readonly bad: BadLine };

/** Line by line; INVALID_ARGUMENT when it is no CSV with a number and a kind. */
export function* readObjectionList(bytes: Uint8Array): Generator<ListLine> {
  const rows = readCsv(decodeText(bytes));
  const header = rows.next();
  if (header.done) throw new AifiError('INVALID_ARGUMENT', 'the list is empty');
  const { places } = columnsOf(header.value.cells, COLUMNS);
  if (places.number === undefined || places.kind === undefined) {
    throw new AifiError('INVALID_ARGUMENT', 'the list needs the columns number and kind');
  }
  for (const { line, cells } of rows) {
    const text = (column: ObjectionColumn): string =>
      plainCell(places[column] === undefined ? '' : (cells[places[column]] ?? ''));
    const found = lineOf(line, text);
    yield 'problem' in found ? { bad: found } : { good: found };
  }
}

function lineOf(
  line: number,
  text: (column: ObjectionColumn) => string,
): ListedObjection | BadLine {
  const bad = (column: ObjectionColumn, problem: ObjectionProblem): BadLine => ({
    ...{ line, column, problem },
  });
  const [patientId, issuer] = [text('number'), text('issuer')];
  if (patientId === '') return bad('number', 'no-number');
  if (patientId.length > LO_LENGTH) return bad('number', 'too-long');
  if (issuer.length > LO_LENGTH) return bad('issuer', 'too-long');
  const kinds = kindsOf(text('kind'));
  if (!kinds) return bad('kind', 'unknown-kind');
  const [sinceMs, untilMs] = [dayOf(text('from'), 0), dayOf(text('until'), 1)];
  if (sinceMs === null) return bad('from', 'bad-date');
  if (untilMs === null) return bad('until', 'bad-date');
  if (sinceMs !== undefined && untilMs !== undefined && untilMs <= sinceMs) {
    return bad('until', 'ends-before');
  }
  return { line, patientId, issuer, kinds, sinceMs, untilMs };
}

function kindsOf(text: string): readonly ObjectionKind[] | undefined {
  const names = text.split(/[|,+]/).map(plainName);
  const lists = names.map((name) => (Object.hasOwn(KIND_NAMES, name) ? KIND_NAMES[name]! : []));
  return lists.some((list) => list.length === 0) ? undefined : [...new Set(lists.flat())];
}

/** Start of the day, so many days on; undefined: empty; null: no day of the calendar. */
function dayOf(text: string, daysOn: number): number | null | undefined {
  if (text === '') return undefined;
  const [, y1, m1, d1] = /^(\d{4})-?(\d{2})-?(\d{2})$/.exec(text) ?? [];
  const [, d2, m2, y2] = /^(\d{1,2})[-/](\d{1,2})[-/](\d{4})$/.exec(text) ?? [];
  const [year, month, day] = [y1 ?? y2, m1 ?? m2, d1 ?? d2].map(Number) as [number, number, number];
  const isDay = new Date(year, month - 1, day).getDate() === day && month >= 1 && month <= 12;
  return isDay ? new Date(year, month - 1, day + daysOn).getTime() : null;
}
