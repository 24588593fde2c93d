/**
 * CSV as hospitals export it: RFC 4180 with comma, semicolon or tab, as UTF-8 or windows-1252.
 * Decides separator and character set from the file itself, and what is no CSV at all.
 * Invariants: a row knows the line it begins on; what is wrong is told by line, never by its words;
 * size of the file, rows and cells are bounded, also of a file that comes compressed.
 * Source: RFC 4180; RFC 1952 (gzip); WHATWG Encoding (windows-1252).
 */
import { isUtf8 } from 'node:buffer';
import { gunzipSync } from 'node:zlib';
import { AifiError } from '@aifi/shared-kernel';

/** Of a file once it is unpacked: some 60,000 rows. @unit bytes */
export const CSV_BYTES_MAX = 4 * 1024 * 1024;
/** Of one file; a hospital has a few thousand codes. */
export const CSV_ROWS_MAX = 50_000;
/** Longer than any description of a procedure. */
const CELL_LENGTH_MAX = 1_000;
const CELLS_MAX = 64;
const SEPARATORS = [';', ',', '\t'] as const;

export interface CsvRow {
  /** Of the file, from 1; of a row over several lines the first. */
  readonly line: number;
  readonly cells: readonly string[];
}

/** The bytes of a file that came as base64, plain or as gzip. */
export function unpackFile(base64: string): Uint8Array {
  const bytes = Buffer.from(base64, 'base64');
  const plain = bytes[0] === 0x1f && bytes[1] === 0x8b ? unzipped(bytes) : bytes;
  if (plain.length <= CSV_BYTES_MAX) return plain;
  throw new AifiError('LIMIT_EXCEEDED', 'the file is larger than 4 MiB');
}

function unzipped(bytes: Uint8Array): Uint8Array {
  try {
    return gunzipSync(bytes, { maxOutputLength: CSV_BYTES_MAX });
  } catch (error) {
    const isLong = (error as { code?: string }).code === 'ERR_BUFFER_TOO_LARGE';
    if (isLong) throw new AifiError('LIMIT_EXCEEDED', 'the file is larger than 4 MiB');
    throw new AifiError('INVALID_ARGUMENT', 'the file is no whole gzip', { cause: error });
  }
}

/** UTF-8 with or without its mark; what is no UTF-8 is what Windows programs write here. */
export function decodeText(bytes: Uint8Array): string {
  const encoding = isUtf8(bytes) ? 'utf-8' : 'windows-1252';
  return new TextDecoder(encoding).decode(bytes);
}

/** Rows in their order, the header among them; empty lines are left out. */
export function* readCsv(text: string): Generator<CsvRow> {
  const separator = separatorOf(text);
  const state = { at: 0, line: 1 };
  for (let rows = 0; state.at < text.length;) {
    const { line } = state;
    const cells = readRow(text, separator, state);
    if (cells.length === 1 && cells[0]!.trim() === '') continue;
    rows += 1;
    if (rows > CSV_ROWS_MAX) throw new AifiError('LIMIT_EXCEEDED', 'the file has too many rows');
    yield { line, cells };
  }
}

interface Place {
  at: number;
  line: number;
}

/** The one that the first line has most of, outside of quotes. */
function separatorOf(text: string): string {
  const [first = ''] = text.split(/[\r\n]/, 1);
  const bare = first.replace(/"[^"]*"/g, '');
  const counts = SEPARATORS.map((each) => bare.split(each).length);
  return SEPARATORS[counts.indexOf(Math.max(...counts))]!;
}

function readRow(text: string, separator: string, place: Place): string[] {
  const cells: string[] = [];
  for (;;) {
    const cell =
      text[place.at] === '"' ? quotedCell(text, place) : bareCell(text, separator, place);
    if (cell.length > CELL_LENGTH_MAX || cells.length === CELLS_MAX) {
      throw new AifiError('LIMIT_EXCEEDED', `line ${place.line}: too long`);
    }
    cells.push(cell);
    const next = text[place.at];
    place.at += 1;
    if (next === separator) continue;
    if (next === '\r' && text[place.at] === '\n') place.at += 1;
    if (next === undefined || next === '\n' || next === '\r') {
      place.line += 1;
      return cells;
    }
    throw new AifiError('INVALID_ARGUMENT', `line ${place.line}: something follows a quoted cell`);
  }
}

function bareCell(text: string, separator: string, place: Place): string {
  const begin = place.at;
  while (place.at < text.length) {
    const each = text[place.at]!;
    if (each === separator || each === '\n' || each === '\r') break;
    place.at += 1;
  }
  return text.slice(begin, place.at);
}

function quotedCell(text: string, place: Place): string {
  const { line } = place;
  let cell = '';
  for (let begin = place.at + 1; ;) {
    const end = text.indexOf('"', begin);
    if (end < 0) throw new AifiError('INVALID_ARGUMENT', `line ${line}: a quote is not closed`);
    const part = text.slice(begin, end);
    cell += part;
    place.line += part.match(/\r\n|\n|\r/g)?.length ?? 0;
    if (text[end + 1] !== '"') {
      place.at = end + 1;
      return cell;
    }
    cell += '"';
    begin = end + 2;
  }
}

/** A column's name in the file, without case, spaces and hyphens. */
export const plainName = (text: string): string => text.toLowerCase().replace(/[^\p{L}\d]/gu, '');

export interface CsvColumns<C extends string> {
  readonly places: Readonly<Partial<Record<C, number>>>;
  /** Names of the header that mean nothing here. */
  readonly unknown: readonly string[];
}

/** Which column is where; INVALID_ARGUMENT for one that is there twice. */
export function columnsOf<C extends string>(
  header: readonly string[],
  names: Readonly<Record<C, readonly string[]>>,
): CsvColumns<C> {
  const places: Partial<Record<C, number>> = {};
  const unknown: string[] = [];
  for (const [index, cell] of header.entries()) {
    const name = plainName(cell);
    const column = (Object.keys(names) as C[]).find((each) => names[each].includes(name));
    if (column === undefined) unknown.push(cell);
    else if (places[column] === undefined) places[column] = index;
    else throw new AifiError('INVALID_ARGUMENT', `the header has the column ${column} twice`);
  }
  return { places, unknown };
}

/** What a spreadsheet would take for a formula, with marks before it that say it is none. */
const FORMULA = /^'*[=+\-@\t\r]/;

/** One line with its end; no spreadsheet runs a cell of it. */
export const csvLine = (cells: readonly string[]): string =>
  `${cells.map((cell) => quoted(FORMULA.test(cell) ? `'${cell}` : cell)).join(',')}\r\n`;
const quoted = (cell: string): string =>
  /[",;\t\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;

/** A cell as it was before `csvLine`, without spaces around it. */
export function plainCell(cell: string): string {
  const text = cell.trim();
  return text.startsWith("'") && FORMULA.test(text) ? text.slice(1) : text;
}
