/**
 * Journal and job states: what happened to every study, written in the act's own transaction.
 * Decides the states of a (study, revision, product) at the gateway and that no state goes
 * backwards, but for these: a person's three (event `reopened`), that of a held job whose cause has
 * gone (`resumed`), SPOOLED to SELECTED when the hub finds the rules outdated (`selected-again`),
 * and an outcome that a restored gateway has lost and asks for again (`rewound`).
 * Invariant: a job's state changes only here, and each change has its journal row.
 * Source: architecture 2; reliability specification 2 (invariants asserted at run time).
 */
import { AifiError, type GatewayStage, type JobId, type ReasonCode } from '@aifi/shared-kernel';
import type { Sql } from './gateway-database.js';

export const JOB_STATES = [
  'SELECTED',
  'SPOOLED',
  'UPLOADED',
  'RETURNED',
  'REIDENTIFIED',
  'HELD',
  'QUARANTINED',
  'RESULT_IN_PACS',
  'NOT_ANALYSED_NOTIFIED',
  'NOT_ELIGIBLE_LOGGED',
] as const;
export type JobState = (typeof JOB_STATES)[number];
const TERMINAL: ReadonlySet<JobState> = new Set<JobState>([
  'RESULT_IN_PACS',
  'NOT_ANALYSED_NOTIFIED',
  'NOT_ELIGIBLE_LOGGED',
]);

export interface JournalEntry {
  readonly studyId: number;
  readonly jobId?: JobId | string;
  readonly stage: GatewayStage;
  /** Past participle in lower case: received, closed, selected, uploaded, returned, ... */
  readonly event: string;
  readonly atMs: number;
  /** Counts, sizes, attempts, digests. Never identity. */
  readonly detail?: Readonly<Record<string, string | number | boolean>>;
}

export function recordJournal(sql: Sql, entry: JournalEntry): void {
  sql.run(
    'INSERT INTO journal (study_id, job_id, stage, event, at_ms, detail) VALUES (?, ?, ?, ?, ?, ?)',
    entry.studyId,
    entry.jobId ?? null,
    entry.stage,
    entry.event,
    entry.atMs,
    JSON.stringify(entry.detail ?? {}),
  );
}

export interface JobMove {
  readonly jobId: JobId | string;
  readonly from: JobState;
  readonly to: JobState;
  readonly stage: GatewayStage;
  readonly event: string;
  readonly atMs: number;
  readonly code?: ReasonCode;
  /** For staff: fixed words and numbers, never identity. */
  readonly reason?: string;
  readonly detail?: JournalEntry['detail'];
}

/** Moves one job; STATE_CONFLICT when it is not in `from` (somebody else moved it). */
export function moveJob(sql: Sql, move: JobMove): void {
  const changed = sql.run(
    `UPDATE job SET state = ?, told_issue = NULL, code = COALESCE(?, code),
       detail = COALESCE(?, detail),
       terminal_ms = CASE WHEN ? THEN ? ELSE terminal_ms END
     WHERE job_id = ? AND state = ?`,
    move.to,
    move.code ?? null,
    move.reason ?? null,
    TERMINAL.has(move.to) ? 1 : 0,
    move.atMs,
    move.jobId,
    move.from,
  );
  if (changed !== 1) throw new AifiError('STATE_CONFLICT', `job is not in state ${move.from}`);
  const row = sql.get<{ study_id: number }>(
    'SELECT study_id FROM job WHERE job_id = ?',
    move.jobId,
  );
  recordJournal(sql, {
    studyId: row!.study_id,
    jobId: move.jobId,
    stage: move.stage,
    event: move.event,
    atMs: move.atMs,
    detail: { state: move.to, ...(move.code ? { code: move.code } : {}), ...move.detail },
  });
}

export interface JobReopening {
  readonly jobId: JobId | string;
  readonly atMs: number;
}

/**
 * Takes a job up again whose result the PACS had refused: a way back from an end, and only by an
 * act of a person that is on record. Its deadline counts anew, and its next end is told anew.
 * STATE_CONFLICT when it did not end that way, or when the PACS has the result of a newer revision
 * or may be getting it: an older one never follows it (hazard H7).
 */
export function reopenJob(sql: Sql, { jobId, atMs }: JobReopening): void {
  const changed = sql.run(
    `UPDATE job SET state = 'REIDENTIFIED', code = NULL, detail = NULL, terminal_ms = NULL,
       told_issue = NULL, reopened_ms = ?
     WHERE job_id = ? AND state = 'NOT_ANALYSED_NOTIFIED' AND withdrawn_ms IS NULL
       AND (code = 'PACS_REFUSED' OR code = 'TIMEOUT' AND EXISTS (
         SELECT 1 FROM delivery late WHERE late.job_id = job.job_id AND late.state = 'DEAD'))
       AND NOT EXISTS (
         SELECT 1 FROM job newer JOIN delivery USING (job_id)
          WHERE newer.study_id = job.study_id AND newer.product = job.product
            AND newer.revision > job.revision AND (delivery.state IN ('STORED', 'VERIFIED')
              OR delivery.state = 'QUEUED' AND delivery.attempts > 0))`,
    atMs,
    jobId,
  );
  if (changed !== 1) throw new AifiError('STATE_CONFLICT', 'job cannot be taken up again');
  const row = sql.get<{ study_id: number }>('SELECT study_id FROM job WHERE job_id = ?', jobId);
  recordJournal(sql, {
    ...{ studyId: row!.study_id, jobId, atMs, stage: 'deliver', event: 'reopened' },
    detail: { state: 'REIDENTIFIED' },
  });
}

export interface HeldJobResumption extends JobReopening {
  /** What it was held for. @default an identity that nothing explained */
  readonly codes?: readonly ReasonCode[];
}

/**
 * Takes up a held job after its cause has gone: the hospital has said more about the patient whom
 * the PACS showed, or the hub that the product may be used. Its objects are looked at again before
 * anything is sent. A job that ended meanwhile stays where it is. STATE_CONFLICT when it is not
 * held for that, or when the PACS has the result of a newer revision or may be getting it (H7).
 */
export function resumeHeldJob(sql: Sql, resumption: HeldJobResumption): void {
  const { jobId, atMs, codes = ['IDENTITY_UNEXPLAINED'] } = resumption;
  const changed = sql.run(
    `UPDATE job SET state = 'REIDENTIFIED', code = NULL, detail = NULL, told_issue = NULL
     WHERE job_id = ? AND state = 'HELD' AND withdrawn_ms IS NULL
       AND code IN (SELECT value FROM json_each(?))
       AND NOT EXISTS (
         SELECT 1 FROM job newer JOIN delivery USING (job_id)
          WHERE newer.study_id = job.study_id AND newer.product = job.product
            AND newer.revision > job.revision AND (delivery.state IN ('STORED', 'VERIFIED')
              OR delivery.state = 'QUEUED' AND delivery.attempts > 0))`,
    jobId,
    JSON.stringify(codes),
  );
  if (changed !== 1) throw new AifiError('STATE_CONFLICT', 'job cannot be taken up again');
  const row = sql.get<{ study_id: number }>('SELECT study_id FROM job WHERE job_id = ?', jobId);
  recordJournal(sql, {
    ...{ studyId: row!.study_id, jobId, atMs, stage: 'deliver', event: 'resumed' },
    detail: { state: 'REIDENTIFIED' },
  });
}

/**
 * Takes a job up again that pseudonymise had stopped, after a person has released its images or
 * mended the cause: from the start, with the rules as they were when it was selected.
 * STATE_CONFLICT when it was stopped otherwise, when images of it still wait for a person or were
 * rejected, or when a newer revision has gone further: an older one never follows it (hazard H7).
 */
export function reselectJob(sql: Sql, { jobId, atMs }: JobReopening): void {
  const changed = sql.run(
    `UPDATE job SET state = 'SELECTED', code = NULL, detail = NULL, terminal_ms = NULL,
       told_issue = NULL, reopened_ms = ?
     WHERE job_id = ? AND state IN ('QUARANTINED', 'NOT_ANALYSED_NOTIFIED')
       AND withdrawn_ms IS NULL AND code IN ('QUARANTINED_PIXELS', 'QUARANTINED_IDENTIFIER')
       AND NOT EXISTS (SELECT 1 FROM spool_job WHERE spool_job.job_id = job.job_id)
       AND NOT EXISTS (
         SELECT 1 FROM pixel_hold WHERE pixel_hold.job_id = job.job_id AND state <> 'RELEASED')
       AND NOT EXISTS (
         SELECT 1 FROM job newer WHERE newer.study_id = job.study_id
            AND newer.product = job.product AND newer.revision > job.revision
            AND newer.state
              NOT IN ('QUARANTINED', 'NOT_ANALYSED_NOTIFIED', 'NOT_ELIGIBLE_LOGGED'))`,
    atMs,
    jobId,
  );
  if (changed !== 1) throw new AifiError('STATE_CONFLICT', 'job cannot be taken up again');
  const row = sql.get<{ study_id: number }>('SELECT study_id FROM job WHERE job_id = ?', jobId);
  recordJournal(sql, {
    ...{ studyId: row!.study_id, jobId, atMs, stage: 'pseudonymise', event: 'reopened' },
    detail: { state: 'SELECTED' },
  });
}

/**
 * Takes a job up again that select had declined, after somebody has asked for its product by name.
 * STATE_CONFLICT when it was ever selected, or when there is a newer revision of it: that one is
 * the answer (hazard H7).
 */
export function reopenDeclinedJob(sql: Sql, { jobId, atMs }: JobReopening): void {
  const changed = sql.run(
    `UPDATE job SET state = 'SELECTED', code = NULL, detail = NULL, terminal_ms = NULL,
       told_issue = NULL, reopened_ms = ?
     WHERE job_id = ? AND state IN ('NOT_ELIGIBLE_LOGGED', 'NOT_ANALYSED_NOTIFIED')
       AND series_uid IS NULL AND withdrawn_ms IS NULL
       AND NOT EXISTS (
         SELECT 1 FROM job newer WHERE newer.study_id = job.study_id
            AND newer.product = job.product AND newer.revision > job.revision)`,
    atMs,
    jobId,
  );
  if (changed !== 1) throw new AifiError('STATE_CONFLICT', 'job cannot be taken up again');
  const row = sql.get<{ study_id: number }>('SELECT study_id FROM job WHERE job_id = ?', jobId);
  recordJournal(sql, {
    ...{ studyId: row!.study_id, jobId, atMs, stage: 'select', event: 'reopened' },
    detail: { state: 'SELECTED' },
  });
}
