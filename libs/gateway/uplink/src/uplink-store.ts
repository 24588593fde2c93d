/**
 * Rows of the uplink: what is queued, how far it is, and how it ended.
 * Decides which queued jobs the schedule sees, and what is written when a try ends: a time for the
 * next one, the hub's acknowledgement, or an end that people see.
 * Invariants: a job leaves QUEUED only with the hub's acknowledgement, or with a terminal state; a
 * wait is never longer than the longest backoff, also when the wall clock was set back.
 * Source: reliability specification P2; architecture 2 (states).
 */
import { crashPoint, type Sha256 } from '@aifi/shared-kernel';
import { moveJob, type GatewayDatabase, type Sql } from '@aifi/gateway-database';
import type { SpooledObject } from './object-transport.js';
import type { Lane, WaitingJob } from './upload-schedule.js';

/** Time after which a job without a result is over, by lane. @unit ms */
export interface Deadlines {
  readonly acuteMs: number;
  readonly routineMs: number;
}

/**
 * More than the places that there are, so that some may be late. Part of the statement: one whose
 * limit is bound is compiled anew each time it runs, which takes longer than the look itself.
 */
const WAITING_MAX = 16;
/** The longest backoff: a later time was written by a clock that has been set back. @unit ms */
const WAIT_MS_MAX = 60_000;

interface WaitingRow {
  readonly job_id: string;
  readonly lane: Lane;
  readonly position: number;
  readonly since_ms: number;
}

/** Due jobs of both lanes, the most urgent first. */
export function listWaiting(
  database: GatewayDatabase,
  deadlines: Deadlines,
  nowMs: number,
): readonly WaitingJob[] {
  const rows = database.read((sql) =>
    sql.all<WaitingRow>(
      `SELECT s.job_id, j.lane, j.rowid AS position,
         COALESCE(j.reopened_ms, j.created_ms) AS since_ms
       FROM spool_job s JOIN job j USING (job_id)
       WHERE s.state = 'QUEUED' AND j.terminal_ms IS NULL
         AND (s.next_attempt_ms <= ? OR s.next_attempt_ms > ?)
         AND COALESCE(j.reopened_ms, j.created_ms) > CASE j.lane WHEN 'acute' THEN ? ELSE ? END
       ORDER BY j.lane = 'acute' DESC, j.rowid LIMIT ${WAITING_MAX}`,
      nowMs,
      nowMs + WAIT_MS_MAX,
      nowMs - deadlines.acuteMs,
      nowMs - deadlines.routineMs,
    ),
  );
  return rows.map(({ job_id: jobId, lane, position, since_ms: sinceMs }) => ({
    ...{ jobId, lane, order: position },
    deadlineMs: sinceMs + (lane === 'acute' ? deadlines.acuteMs : deadlines.routineMs),
  }));
}

export interface QueuedStudy {
  readonly revision: number;
  readonly manifest: Uint8Array;
  readonly manifestSha256: string;
  readonly envelope: Uint8Array;
  readonly attempts: number;
  readonly refusals: number;
  readonly objects: readonly SpooledObject[];
}

/** What is to be sent; undefined when the job is not queued any more. */
export function readStudy(database: GatewayDatabase, jobId: string): QueuedStudy | undefined {
  return database.read((sql) => {
    const row = sql.get<Omit<QueuedStudy, 'objects'>>(
      `SELECT revision, manifest, manifest_sha256 AS manifestSha256, envelope, attempts, refusals
       FROM spool_job WHERE job_id = ? AND state = 'QUEUED'`,
      jobId,
    );
    const objects = sql.all<SpooledObject>(
      'SELECT sha256, size_bytes AS sizeBytes, path FROM spool_object WHERE job_id = ?',
      jobId,
    );
    return row && { ...row, objects };
  });
}

/** True while the hub is owed the job: it has not ended at its deadline or by its outcome. */
export function isOwed(database: GatewayDatabase, jobId: string): boolean {
  const owed = database.read((sql) =>
    sql.get(
      `SELECT 1 FROM spool_job s JOIN job j USING (job_id)
       WHERE job_id = ? AND s.state = 'QUEUED' AND j.terminal_ms IS NULL`,
      jobId,
    ),
  );
  return owed !== undefined;
}

export async function recordAcks(
  database: GatewayDatabase,
  jobId: string,
  digests: readonly Sha256[],
): Promise<void> {
  if (digests.length === 0) return;
  crashPoint('gateway.uplink.before-acks');
  await database.write((sql) => {
    for (const sha256 of digests) {
      sql.run('UPDATE spool_object SET acked = 1 WHERE job_id = ? AND sha256 = ?', jobId, sha256);
    }
  });
  crashPoint('gateway.uplink.after-acks');
}

/** The hub holds the study: its pseudonymised copy is not owed any more. */
export async function recordUploaded(
  database: GatewayDatabase,
  jobId: string,
  atMs: number,
): Promise<void> {
  crashPoint('gateway.uplink.before-uploaded');
  await database.write((sql) => {
    const open = sql.run(
      `UPDATE spool_job SET state = 'STORED', attempts = attempts + 1
       WHERE job_id = ? AND state = 'QUEUED'`,
      jobId,
    );
    // The outcome may have overtaken us on the downlink, which then has moved the job already; or
    // the job ended at its deadline while the hub answered.
    const row = sql.get<{ state: string; attempts: number }>(
      'SELECT j.state, s.attempts FROM job j JOIN spool_job s USING (job_id) WHERE job_id = ?',
      jobId,
    );
    if (open === 0 || row?.state !== 'SPOOLED') return;
    moveJob(sql, {
      ...{ jobId, atMs, from: 'SPOOLED', to: 'UPLOADED', stage: 'uplink', event: 'uploaded' },
      detail: { attempt: row.attempts },
    });
  });
  crashPoint('gateway.uplink.after-uploaded');
}

export interface FailedTry {
  readonly jobId: string;
  readonly code: string;
  /** Wall clock. @unit ms */
  readonly nextAttemptMs: number;
  /** The hub answered, and did not take it. */
  readonly isRefusal: boolean;
  /** A try of the job itself: a hub that is not there is asked by whichever job is first. */
  readonly isAttempt: boolean;
}

export async function recordFailedTry(database: GatewayDatabase, failed: FailedTry): Promise<void> {
  crashPoint('gateway.uplink.before-postpone');
  await database.write((sql) =>
    sql.run(
      `UPDATE spool_job SET attempts = attempts + ?, refusals = refusals + ?, next_attempt_ms = ?,
         last_fault = ? WHERE job_id = ? AND state = 'QUEUED'`,
      failed.isAttempt ? 1 : 0,
      failed.isRefusal ? 1 : 0,
      failed.nextAttemptMs,
      failed.code,
      failed.jobId,
    ),
  );
  crashPoint('gateway.uplink.after-postpone');
}

/** Selects a spooled job by the rules in force; false while there are none that are newer. */
export type SelectAgain = (sql: Sql, jobId: string, atMs: number) => boolean;

/** True when the job was selected anew, or ended by the newer rules. */
export async function recordSelectedAgain(
  database: GatewayDatabase,
  selectAgain: SelectAgain,
  { jobId, atMs }: { readonly jobId: string; readonly atMs: number },
): Promise<boolean> {
  crashPoint('gateway.uplink.before-select-again');
  const isSelected = await database.write((sql) => selectAgain(sql, jobId, atMs));
  crashPoint('gateway.uplink.after-select-again');
  return isSelected;
}

/** The hub will never take it: people are told at once, and not at the deadline. */
export async function recordRefused(
  database: GatewayDatabase,
  { jobId, code, atMs }: { readonly jobId: string; readonly code: string; readonly atMs: number },
): Promise<void> {
  crashPoint('gateway.uplink.before-refused');
  await database.write((sql) => {
    sql.run(
      'UPDATE spool_job SET attempts = attempts + 1, last_fault = ? WHERE job_id = ?',
      code,
      jobId,
    );
    const row = sql.get<{ state: string }>('SELECT state FROM job WHERE job_id = ?', jobId);
    if (row?.state !== 'SPOOLED') return;
    moveJob(sql, {
      ...{ jobId, atMs, from: 'SPOOLED', to: 'NOT_ANALYSED_NOTIFIED', stage: 'uplink' },
      event: 'refused',
      code: 'MALFORMED',
      reason: `the hub refused the study for good: ${code}`,
    });
  });
  crashPoint('gateway.uplink.after-refused');
}
