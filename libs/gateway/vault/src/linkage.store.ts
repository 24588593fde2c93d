/**
 * Linkage rows: what each job was sent as, and its UID map.
 * Decides that recording twice changes nothing and that an erased job is never linked again.
 * Invariants: as sent never changes; an erased row keeps its job id, its epochs and its times only.
 * Source: reliability specification C5, P1, deletion rules.
 */
import type { Sql } from '@aifi/gateway-database';
import {
  AifiError,
  canonicalJson,
  invariant,
  type JobId,
  type OriginalUid,
  type PseudonymousUid,
} from '@aifi/shared-kernel';
import type { Identity } from './identity.js';
import { RowKey, type RowPlace } from './row-seal.js';
import { newUids, packUids, unpackUids, type UidMap } from './uid-map.js';
import type { VaultKeys } from './vault-keys.js';

/** What one job was sent as. */
export interface Linkage {
  readonly jobId: JobId;
  readonly studyUid: OriginalUid;
  readonly seriesUid: OriginalUid;
  readonly pseudonymousStudyUid: PseudonymousUid;
  /** Epoch of the site keys. */
  readonly epoch: number;
  /** Immutable (guard C5). */
  readonly asSent: Identity;
}

interface LinkageRow {
  readonly key_epoch: number;
  readonly data_key: Uint8Array | null;
  readonly content: Uint8Array;
}

const CONTENT = 'linkage';
const placeOf = (jobId: JobId): RowPlace => ({ table: 'linkage', rowId: jobId });
const partOf = (part: number): string => `uids-${part}`;

function liveRow(sql: Sql, jobId: JobId): (LinkageRow & { data_key: Uint8Array }) | undefined {
  const row = sql.get<LinkageRow>(
    'SELECT key_epoch, data_key, content FROM linkage WHERE job_id = ?',
    jobId,
  );
  return row?.data_key ? { ...row, data_key: row.data_key } : undefined;
}

function keyOf(keys: VaultKeys, jobId: JobId, row: { key_epoch: number; data_key: Uint8Array }) {
  const wrapped = { keyEpoch: row.key_epoch, dataKey: row.data_key };
  return RowKey.open(keys.ring, placeOf(jobId), wrapped);
}

/** Undefined: not ours, or erased. */
export function linkageOf(sql: Sql, keys: VaultKeys, jobId: JobId): Linkage | undefined {
  const row = liveRow(sql, jobId);
  return row && keyOf(keys, jobId, row).openJson<Linkage>(CONTENT, row.content);
}

/** True while the job's linkage is there. */
export function isLinked(sql: Sql, jobId: JobId): boolean {
  return (
    sql.get('SELECT 1 FROM linkage WHERE job_id = ? AND data_key IS NOT NULL', jobId) !== undefined
  );
}

/** All UIDs of a job; empty when it is not ours, or erased. */
export function uidsOf(sql: Sql, keys: VaultKeys, jobId: JobId): UidMap {
  const row = liveRow(sql, jobId);
  if (!row) return new Map();
  const key = keyOf(keys, jobId, row);
  const parts = sql.all<{ part: number; content: Uint8Array }>(
    'SELECT part, content FROM linkage_uids WHERE job_id = ? ORDER BY part',
    jobId,
  );
  return new Map(
    parts.flatMap(({ part, content }) => [...unpackUids(key.open(partOf(part), content))]),
  );
}

/** Writes linkage and UIDs; true when the job was not linked before. */
export function putLinkage(
  sql: Sql,
  keys: VaultKeys,
  linkage: Linkage,
  { uids, atMs }: { readonly uids: UidMap; readonly atMs: number },
): boolean {
  const { jobId } = linkage;
  const row = liveRow(sql, jobId);
  if (row) {
    const key = keyOf(keys, jobId, row);
    const stored = key.openJson<Linkage>(CONTENT, row.content);
    invariant(canonicalJson(stored) === canonicalJson(linkage), 'the job is linked otherwise');
    putUids(sql, jobId, key, newUids(uidsOf(sql, keys, jobId), uids));
    return false;
  }
  const key = RowKey.make(keys.ring.current, placeOf(jobId));
  const { keyEpoch, dataKey } = key.wrapped;
  const inserted = sql.run(
    `INSERT INTO linkage
       (job_id, study_index, epoch, key_epoch, data_key, content, created_ms)
     VALUES (?, ?, ?, ?, ?, ?, ?)`,
    ...[jobId, keys.index.study(linkage.studyUid), linkage.epoch, keyEpoch, dataKey],
    ...[key.sealJson(CONTENT, linkage), atMs],
  );
  if (inserted === 0) throw new AifiError('STATE_CONFLICT', 'the linkage of this job was erased');
  putUids(sql, jobId, key, uids);
  return true;
}

function putUids(sql: Sql, jobId: JobId, key: RowKey, uids: UidMap): void {
  if (uids.size === 0) return;
  const { part } = sql.get<{ part: number }>(
    'SELECT 1 + COALESCE(MAX(part), 0) AS part FROM linkage_uids WHERE job_id = ?',
    jobId,
  )!;
  const content = key.seal(partOf(part), packUids(uids));
  sql.run('INSERT INTO linkage_uids VALUES (?, ?, ?)', jobId, part, content);
}

/** A result of the job came: what it is kept for counts from here. */
export function noteResult(sql: Sql, jobId: JobId, atMs: number): void {
  sql.run(
    `UPDATE linkage SET last_result_ms = ?
     WHERE job_id = ? AND data_key IS NOT NULL AND COALESCE(last_result_ms, 0) < ?`,
    ...[atMs, jobId, atMs],
  );
}

/** Jobs without a younger linkage or result than `beforeMs`. */
export function jobsUnusedSince(sql: Sql, beforeMs: number): JobId[] {
  return sql
    .all<{ job_id: JobId }>(
      `SELECT job_id FROM linkage
       WHERE data_key IS NOT NULL AND created_ms <= ? AND COALESCE(last_result_ms, 0) <= ?`,
      ...[beforeMs, beforeMs],
    )
    .map((row) => row.job_id);
}

export function jobsOfStudy(sql: Sql, studyIndex: Uint8Array, untilMs: number): JobId[] {
  return sql
    .all<{ job_id: JobId }>(
      `SELECT job_id FROM linkage
       WHERE data_key IS NOT NULL AND study_index = ? AND created_ms <= ?`,
      ...[studyIndex, untilMs],
    )
    .map((row) => row.job_id);
}

/** Blind index of the job's study; undefined when it is erased. */
export function studyIndexOf(sql: Sql, jobId: JobId): Uint8Array | undefined {
  return (
    sql.get<{ study_index: Uint8Array | null }>(
      'SELECT study_index FROM linkage WHERE job_id = ?',
      jobId,
    )?.study_index ?? undefined
  );
}

/** Takes the data key of the row, then its ciphertext. */
export function eraseLinkage(sql: Sql, jobId: JobId): void {
  sql.run(
    `UPDATE linkage SET data_key = NULL, study_index = NULL, content = x''
     WHERE job_id = ? AND data_key IS NOT NULL`,
    jobId,
  );
  sql.run('DELETE FROM linkage_uids WHERE job_id = ?', jobId);
}
