/**
 * Cursors of the gateway's lists that are kept newest first by time and identifier.
 * Decides the opaque form of a place in a list: rows that come in later never move it.
 * Invariant: a cursor is a position and no right; what is no cursor is refused.
 */
import { z } from 'zod';
import { AifiError } from '@aifi/shared-kernel';

const placeSchema = z.tuple([z.int().nonnegative(), z.union([z.string().max(128), z.int()])]);
export interface Place {
  readonly atMs: number;
  readonly id: string | number;
}

export const cursorOf = ({ atMs, id }: Place): string =>
  Buffer.from(JSON.stringify([atMs, id])).toString('base64url');

/** After the newest: where a list begins without a cursor. INVALID_ARGUMENT for another text. */
export function placeOf(cursor: string | undefined): Place {
  if (cursor === undefined) return { atMs: Number.MAX_SAFE_INTEGER, id: '' };
  try {
    const json: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    const [atMs, id] = placeSchema.parse(json);
    return { atMs, id };
  } catch (error) {
    throw new AifiError('INVALID_ARGUMENT', 'the request does not match: cursor', { cause: error });
  }
}

export interface Page<T> {
  readonly items: T[];
  readonly nextCursor: string | null;
}
/** A page from rows read with a limit of one more: that one says a next page exists. */
export function pageFrom<T>(rows: readonly T[], limit: number, place: (row: T) => Place): Page<T> {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return { items, nextCursor: last && rows.length > limit ? cursorOf(place(last)) : null };
}
