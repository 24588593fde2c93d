/**
 * DeadLetterStore: the objects that the PACS did not take or did not keep, for people to act on.
 * Decides what may be sent again: the object of a job that ended because of it, and the newest
 * status object of its study. Invariants: only a person's act leads here; a replay sends the bytes
 * on record under the same UID; nothing older follows something newer into the PACS (hazard H7).
 * Source: reliability specification P6 and 2 (dead letters are never removed automatically).
 */
import { reopenJob, type GatewayDatabase, type Sql } from '@aifi/gateway-database';
import { AifiError } from '@aifi/shared-kernel';
import type { DeadCode } from './delivery.store.js';

/** Table and key of the row. */
export type DeadLetterId = `${'delivery' | 'status_object'}:${number}`;

export interface DeadLetter {
  readonly id: DeadLetterId;
  readonly source: 'delivery' | 'status_object';
  readonly studyUid: string;
  readonly jobId: string;
  /** Null for a status object: it tells of all products. */
  readonly product: string | null;
  readonly sopClassUid: string;
  readonly sopInstanceUid: string;
  readonly code: DeadCode;
  /** Last answer of the PACS, null when there was none. */
  readonly dimseStatus: number | null;
  readonly attempts: number;
  /** How often people have sent it again. */
  readonly replays: number;
  readonly deadMs: number;
  /** Of its job, or of the status object. */
  readonly createdMs: number;
}
export interface DeadLetterPage {
  readonly limit: number;
  readonly code?: string | undefined;
  /** The last one of the page before. */
  readonly before?: Pick<DeadLetter, 'deadMs' | 'id'> | undefined;
}
export interface DeadLetterFilter {
  readonly code?: string | undefined;
  /** Those that died before. @unit ms */
  readonly beforeMs?: number | undefined;
}
export interface Replay {
  readonly replayed: number;
  /** Not dead any more, overtaken, or of a job that ended for another reason. */
  readonly skipped: number;
}

const COLUMNS = `row.sop_class_uid AS sopClassUid, row.sop_instance_uid AS sopInstanceUid,
  dead_code AS code, dimse_status AS dimseStatus, attempts, replays, dead_ms AS deadMs`;
const LETTERS = `
  SELECT 'delivery:' || row.rowid AS id, 'delivery' AS source, study_uid AS studyUid,
      row.job_id AS jobId, product, ${COLUMNS}, job.created_ms AS createdMs
    FROM delivery row JOIN job USING (job_id) JOIN study USING (study_id)
    WHERE row.state = 'DEAD'
  UNION ALL
  SELECT 'status_object:' || row.rowid, 'status_object', study_uid, row.job_id, NULL, ${COLUMNS},
      row.created_ms
    FROM status_object row JOIN study USING (study_id) WHERE row.state = 'DEAD'`;

export class DeadLetterStore {
  constructor(private readonly database: GatewayDatabase) {}

  /** Newest first. */
  list({ limit, code, before }: DeadLetterPage): DeadLetter[] {
    return this.database.read((sql) =>
      sql.all<DeadLetter>(
        `SELECT * FROM (${LETTERS})
          WHERE (?1 IS NULL OR code = ?1) AND (?2 IS NULL OR (deadMs, id) < (?2, ?3))
          ORDER BY deadMs DESC, id DESC LIMIT ?4`,
        ...[code ?? null, before?.deadMs ?? null, before?.id ?? null, limit],
      ),
    );
  }

  count(filter: DeadLetterFilter = {}): number {
    return this.database.read((sql) => {
      const counting = `SELECT count(*) AS letters FROM (${LETTERS}) ${MATCHING}`;
      return sql.get<{ letters: number }>(counting, ...valuesOf(filter))!.letters;
    });
  }

  /** Queues these again; one that cannot be is skipped and does not hinder the others. */
  replay(ids: readonly DeadLetterId[], atMs: number): Promise<Replay> {
    return this.database.write((sql) => replayIn(sql, ids, atMs));
  }

  /** All of them, or those of one reason or age. */
  replayAll(filter: DeadLetterFilter, atMs: number): Promise<Replay> {
    return this.database.write((sql) => replayIn(sql, deadLetterIds(sql, filter), atMs));
  }
}

/** Oldest first. For a transaction that also records who acts on them. */
export function deadLetterIds(sql: Sql, filter: DeadLetterFilter): DeadLetterId[] {
  const rows = sql.all<{ id: DeadLetterId }>(
    `SELECT id FROM (${LETTERS}) ${MATCHING} ORDER BY deadMs, id`,
    ...valuesOf(filter),
  );
  return rows.map(({ id }) => id);
}
const MATCHING = 'WHERE (?1 IS NULL OR code = ?1) AND (?2 IS NULL OR deadMs < ?2)';
function valuesOf({ code, beforeMs }: DeadLetterFilter): (string | number | null)[] {
  return [code ?? null, beforeMs ?? null];
}

/** For a transaction that also records who did it. */
export function replayIn(sql: Sql, ids: readonly DeadLetterId[], atMs: number): Replay {
  const replayed = ids.filter((id) => replayOne(sql, id, atMs)).length;
  return { replayed, skipped: ids.length - replayed };
}

function replayOne(sql: Sql, id: DeadLetterId, atMs: number): boolean {
  const match = /^(delivery|status_object):(\d{1,15})$/.exec(id);
  if (!match) throw new AifiError('INVALID_ARGUMENT', 'not the id of a dead letter');
  const rowId = Number(match[2]);
  const isReady =
    match[1] === 'delivery' ? takeJobUp(sql, rowId, atMs) : isCurrentStatus(sql, rowId);
  if (!isReady) return false;
  // It begins anew; whoever takes a row with replays asks first whether the PACS has it by now.
  const changed = sql.run(
    `UPDATE ${match[1]} SET state = 'QUEUED', attempts = 0, next_attempt_ms = ?,
       replays = replays + 1, transaction_uid = NULL, last_fault = NULL
      WHERE rowid = ? AND state = 'DEAD'`,
    atMs,
    rowId,
  );
  return changed === 1;
}

/** True when the job of the row waits for its delivery, now or already. */
function takeJobUp(sql: Sql, rowId: number, atMs: number): boolean {
  const job = sql.get<{ job_id: string; state: string }>(
    `SELECT job_id, job.state FROM delivery JOIN job USING (job_id)
      WHERE delivery.rowid = ? AND delivery.state = 'DEAD'`,
    rowId,
  );
  if (!job) return false;
  // Another object of the job was replayed before.
  if (job.state === 'REIDENTIFIED') return true;
  try {
    reopenJob(sql, { jobId: job.job_id, atMs });
  } catch (error) {
    if (AifiError.from(error).code === 'STATE_CONFLICT') return false;
    throw error;
  }
  return true;
}

/** An older status never follows a newer one. */
function isCurrentStatus(sql: Sql, rowId: number): boolean {
  const newer = sql.get(
    `SELECT 1 FROM status_object newer JOIN status_object dead USING (study_id)
      WHERE dead.rowid = ? AND newer.issue > dead.issue AND newer.state <> 'SUPERSEDED'`,
    rowId,
  );
  return newer === undefined;
}
