/**
 * Ports to where the trail is kept, and the cursor of its search.
 * Decides what a database must be able to do for audit: append in the act's own transaction, search
 * newest first, stream whole chains oldest first. Chain and hash are made by `sealRecord`.
 * Invariants: a reader never changes anything; a cursor is a position and no right; a stream gives
 * the records of a chain without gaps unless a filter leaves some out.
 * Source: security specification 5; rest contract (pageQuery: opaque cursors).
 */
import { z } from 'zod';
import type { AuditAnchor, AuditDraft, AuditQuery, AuditRecord } from '@aifi/contracts-rest';
import { AifiError } from '@aifi/shared-kernel';

/** What a caller may see at most, whatever it asks for. */
export interface AuditReach {
  /** Records of the chains of these sites; absent: every chain. */
  readonly siteIds?: readonly string[] | undefined;
  /** Only what this user did. */
  readonly onlyUserId?: string | undefined;
}
export type AuditSearch = AuditQuery & AuditReach;

/** Times: `fromMs` is part of the answer, `toMs` is not. */
export type AuditStreamFilter = Omit<AuditQuery, 'cursor' | 'limit'> &
  AuditReach & {
    /** One chain only. */
    readonly chain?: string;
    /** With `chain`: records after this one. */
    readonly afterSequence?: number;
  };

export interface AuditPage {
  readonly items: AuditRecord[];
  readonly nextCursor: string | null;
}
/** The last record of a chain. */
export interface ChainHead {
  readonly chain: string;
  readonly sequence: number;
  readonly hash: string;
}

export interface AuditReader {
  /** Newest first: by time, then chain, then sequence, each descending. */
  search(query: AuditSearch): Promise<AuditPage>;
  /** Chain by chain, each by rising sequence; reads in batches, so it never holds a whole chain. */
  stream(filter: AuditStreamFilter): AsyncIterable<AuditRecord>;
  /** Chains that have records. */
  heads(): Promise<readonly ChainHead[]>;
  /** Oldest first. */
  anchors(): Promise<readonly AuditAnchor[]>;
}

/**
 * Appending: inside `tx`, under a lock of the chain's head that is kept until the commit, so that
 * no sequence has a gap and the record is there exactly when its act is.
 */
export interface AuditWriter<Tx> {
  append(tx: Tx, draft: AuditDraft, atMs: number): Promise<AuditRecord> | AuditRecord;
}

const cursorSchema = z.tuple([
  z.int().nonnegative().max(8.64e15),
  z.string().max(80),
  z.int().nonnegative(),
]);
/** Where a page ended: the next one begins after this record. */
export interface AuditCursor {
  readonly atMs: number;
  readonly chain: string;
  readonly sequence: number;
}

export function writeCursor({ atMs, chain, sequence }: AuditCursor): string {
  return Buffer.from(JSON.stringify([atMs, chain, sequence])).toString('base64url');
}

/** INVALID_ARGUMENT for a text that is no cursor. */
export function readCursor(text: string): AuditCursor {
  try {
    const json: unknown = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
    const [atMs, chain, sequence] = cursorSchema.parse(json);
    if (chain.includes('\0')) throw new TypeError('NUL');
    return { atMs, chain, sequence };
  } catch (error) {
    throw new AifiError('INVALID_ARGUMENT', 'the request does not match: cursor', { cause: error });
  }
}

/** A page from rows that were read with a limit of one more: that one says a next page exists. */
export function auditPage(rows: readonly AuditRecord[], limit: number): AuditPage {
  const items = rows.slice(0, limit);
  const last = rows.length > limit ? items.at(-1) : undefined;
  return { items, nextCursor: last ? writeCursor(last) : null };
}
