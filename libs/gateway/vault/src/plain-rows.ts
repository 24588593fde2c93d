/**
 * Plain rows of a vault of version 1: sealed once, then overwritten on the disk.
 * Decides that all rows go over in one transaction and that the old bytes are gone from database
 * and log before the vault is used: zeroed pages, empty log, rewritten file.
 * Invariants: a crash leaves the plain tables or the sealed ones, never half; order and times of
 * the identity history stay.
 * Source: security specification 5 (linkage columns encrypted); SQLite "PRAGMA secure_delete".
 */
import type { Sql } from '@aifi/gateway-database';
import type { JobId, OriginalUid, PseudonymousUid } from '@aifi/shared-kernel';
import { appendEntry, type IdentitySource } from './identity-history.store.js';
import type { Identity } from './identity.js';
import { putLinkage } from './linkage.store.js';
import type { VaultKeys } from './vault-keys.js';

interface PlainLinkage {
  readonly job_id: JobId;
  readonly study_uid: OriginalUid;
  readonly series_uid: OriginalUid;
  readonly pseudo_study_uid: PseudonymousUid;
  readonly epoch: number;
  readonly as_sent: string;
  readonly created_ms: number;
}
interface PlainUid {
  readonly pseudo_uid: PseudonymousUid;
  readonly original_uid: OriginalUid;
}
interface PlainIdentity {
  readonly row: number;
  readonly study_uid: OriginalUid;
  readonly identity: string;
  readonly source: IdentitySource;
  readonly at_ms: number;
}

/** Rows held in memory at a time. */
const ROWS_MAX = 500;
const TABLES = ['linkage_uid_plain', 'linkage_plain', 'identity_history_plain'] as const;

export function hasPlainRows(sql: Sql): boolean {
  return sql.get("SELECT 1 FROM sqlite_schema WHERE name = 'linkage_plain'") !== undefined;
}

/** Seals all rows and drops the plain tables; runs in a transaction. */
export function sealPlainRows(sql: Sql, keys: VaultKeys): void {
  sealLinkages(sql, keys);
  sealHistory(sql, keys);
  for (const table of TABLES) sql.run(`DROP TABLE ${table}`);
}

function sealLinkages(sql: Sql, keys: VaultKeys): void {
  for (let last = ''; ;) {
    const rows = sql.all<PlainLinkage>(
      'SELECT * FROM linkage_plain WHERE job_id > ? ORDER BY job_id LIMIT ?',
      ...[last, ROWS_MAX],
    );
    for (const row of rows) {
      const uids = sql.all<PlainUid>(
        'SELECT pseudo_uid, original_uid FROM linkage_uid_plain WHERE job_id = ?',
        row.job_id,
      );
      const linkage = {
        ...{ jobId: row.job_id, studyUid: row.study_uid, seriesUid: row.series_uid },
        ...{ pseudonymousStudyUid: row.pseudo_study_uid, epoch: row.epoch },
        asSent: JSON.parse(row.as_sent) as Identity,
      };
      putLinkage(sql, keys, linkage, {
        uids: new Map(uids.map((uid) => [uid.pseudo_uid, uid.original_uid])),
        atMs: row.created_ms,
      });
    }
    if (rows.length === 0) return;
    last = rows.at(-1)!.job_id;
  }
}

function sealHistory(sql: Sql, keys: VaultKeys): void {
  for (let last = 0; ;) {
    const rows = sql.all<PlainIdentity>(
      `SELECT rowid AS row, study_uid, identity, source, at_ms FROM identity_history_plain
       WHERE rowid > ? ORDER BY rowid LIMIT ?`,
      ...[last, ROWS_MAX],
    );
    // Rows were appended, so their order is that of each study's sequence.
    for (const { study_uid: studyUid, identity, source, at_ms: atMs } of rows) {
      const entry = { studyUid, identity: JSON.parse(identity) as Identity, source, atMs };
      appendEntry(sql, keys, entry);
    }
    if (rows.length === 0) return;
    last = rows.at(-1)!.row;
  }
}

/** Leaves nothing of what was deleted in the database file or its log. */
export function scrub(sql: Sql): void {
  // Also the copy that VACUUM makes stays in memory.
  sql.get('PRAGMA temp_store=MEMORY');
  sql.run('VACUUM');
  emptyLog(sql);
}

/** The log holds pages as they were before an erasure until it is cut. */
export function emptyLog(sql: Sql): void {
  sql.get('PRAGMA wal_checkpoint(TRUNCATE)');
}
