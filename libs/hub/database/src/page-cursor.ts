/**
 * Cursors of lists that are read newest first: time, site and id of the last line of a page.
 * Decides their spelling. Invariant: a cursor is a position and no right; each query filters for
 * itself, so a forged one shows nothing more. Source: rest contract (pageQuery: opaque cursors).
 */
import { z } from 'zod';
import { AifiError } from '@aifi/shared-kernel';

/** Time in microseconds, as precise as the database keeps it; then what breaks ties. */
const cursorSchema = z.tuple([z.int().nonnegative(), z.string().max(64), z.string().max(64)]);
export type PageCursor = z.infer<typeof cursorSchema>;

/** Later than every line: the first page (the year 2255). */
const FIRST: PageCursor = [Number.MAX_SAFE_INTEGER, '', ''];
/** The time of parameter n as SQL; exact, because whole microseconds fit a double. */
export const cursorTime = (n: number): string =>
  `(timestamptz 'epoch' + $${n}::float8 * interval '1 microsecond')`;
/** A time column as the cursor holds it. */
export const cursorMicros = (column: string): string =>
  `(extract(epoch FROM ${column}) * 1000000)::bigint`;

/** INVALID_ARGUMENT for a text that is no cursor. */
export function readCursor(text: string | undefined): PageCursor {
  if (text === undefined) return FIRST;
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
  } catch (error) {
    throw notACursor(error);
  }
  const parsed = cursorSchema.safeParse(json);
  if (!parsed.success || /\0/.test(parsed.data.join(''))) throw notACursor(parsed.error);
  return parsed.data;
}
const notACursor = (cause: unknown): AifiError =>
  new AifiError('INVALID_ARGUMENT', 'the request does not match: cursor', { cause });

export interface Page<T> {
  readonly items: T[];
  readonly nextCursor: string | null;
}
/** A page of rows that were read with a limit of one more: that one says there is a next page. */
export function pageOfRows<Row, T>(
  rows: readonly Row[],
  limit: number,
  { item, cursor }: { item: (row: Row) => T; cursor: (row: Row) => PageCursor },
): Page<T> {
  const shown = rows.slice(0, limit);
  const last = rows.length > limit ? shown.at(-1) : undefined;
  const nextCursor = last && Buffer.from(JSON.stringify(cursor(last))).toString('base64url');
  return { items: shown.map(item), nextCursor: nextCursor ?? null };
}
