/**
 * Overtaken jobs: those of an older revision for which nothing can follow any more.
 * Decides when that is so: the outcome of a newer revision has come while nothing of the older one
 * had (the hub releases none after it), or the PACS has a result of the newer revision. Such a job
 * ends at once instead of at its deadline. INPUT_INCOMPLETE is the code: its revision was not the
 * whole study. Invariants: a result that may still go before the newer one is left alone; the end
 * is told on the page and in the trace only, as the PACS gets the status of the newest revision.
 * Source: hazards H5, H7; governance specification 4.3; results specification 4.3a.
 */
import type { GatewayStage, ReasonCode } from '@aifi/shared-kernel';
import type { Sql } from './gateway-database.js';
import { moveJob, type JobState } from './journal.js';

export const SUPERSEDED_CODE: ReasonCode = 'INPUT_INCOMPLETE';
/** Detail of such a job, in fixed words. */
export const SUPERSEDED_REASON = 'superseded by a newer revision';

export interface OvertakenOptions {
  /** @default every study */
  readonly studyId?: number | undefined;
  /** Where that it is overtaken came to light. */
  readonly stage: GatewayStage;
  readonly atMs: number;
}

interface OvertakenRow {
  readonly job_id: string;
  readonly state: JobState;
}

/** A job that waits for a person is left to that person, or to its deadline. */
const OVERTAKEN = `
  terminal_ms IS NULL
  AND +state IN ('SELECTED', 'SPOOLED', 'UPLOADED', 'RETURNED', 'REIDENTIFIED', 'HELD')
  AND EXISTS (
    SELECT 1 FROM job newer WHERE newer.study_id = job.study_id AND newer.product = job.product
      AND newer.revision > job.revision AND (
        job.state IN ('SELECTED', 'SPOOLED', 'UPLOADED') AND (
          EXISTS (SELECT 1 FROM inbound WHERE inbound.job_id = newer.job_id)
          OR EXISTS (SELECT 1 FROM delivery WHERE delivery.job_id = newer.job_id))
        OR EXISTS (
          SELECT 1 FROM delivery WHERE delivery.job_id = newer.job_id
            AND delivery.state = 'VERIFIED')))`;

/** Whether there are any, without a transaction that writes. */
export function hasOvertakenJobs(sql: Sql): boolean {
  return sql.get(`SELECT 1 FROM job WHERE ${OVERTAKEN} LIMIT 1`) !== undefined;
}

/** Ends them in the transaction of the caller; says which. */
export function endOvertakenJobs(sql: Sql, options: OvertakenOptions): readonly string[] {
  const { studyId } = options;
  const select = 'SELECT job_id, state FROM job WHERE';
  const rows =
    studyId === undefined
      ? sql.all<OvertakenRow>(`${select} ${OVERTAKEN}`)
      : sql.all<OvertakenRow>(`${select} study_id = ? AND ${OVERTAKEN}`, studyId);
  for (const row of rows) supersede(sql, row, options);
  return rows.map((row) => row.job_id);
}

/** What it has made goes nowhere. */
function supersede(
  sql: Sql,
  { job_id: jobId, state }: OvertakenRow,
  { stage, atMs }: OvertakenOptions,
): void {
  sql.run(
    `UPDATE delivery SET state = 'SUPERSEDED' WHERE job_id = ? AND state IN ('QUEUED', 'STORED')`,
    jobId,
  );
  moveJob(sql, {
    ...{ jobId, from: state, to: 'NOT_ANALYSED_NOTIFIED', stage, event: 'superseded', atMs },
    ...{ code: SUPERSEDED_CODE, reason: SUPERSEDED_REASON },
  });
  // Told: the study's status tells of the newest revision, never that this one was not analysed.
  sql.run('UPDATE job SET told_issue = -1 WHERE job_id = ?', jobId);
}
