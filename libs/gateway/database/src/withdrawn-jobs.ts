/**
 * Withdrawn jobs: those that used an image which the hospital has rejected since.
 * Decides that nothing more comes of them: what is open ends at once, what has ended is marked, so
 * that nobody can have it sent again. INPUT_INCOMPLETE is the code: its images do not count.
 * Invariants: what the PACS has already is told by the next revision, never taken back in silence;
 * a job is withdrawn once. Source: hazard H7; IHE RAD TF-3 4.66.
 */
import type { GatewayStage, ReasonCode } from '@aifi/shared-kernel';
import type { Sql } from './gateway-database.js';
import { moveJob, recordJournal, type JobState } from './journal.js';

export const WITHDRAWN_CODE: ReasonCode = 'INPUT_INCOMPLETE';
/** Detail of such a job, in fixed words. */
export const WITHDRAWN_REASON = 'its images were rejected by the hospital';

export interface WithdrawalOptions {
  readonly studyId: number;
  readonly stage: GatewayStage;
  readonly atMs: number;
}

interface UsedRow {
  readonly job_id: string;
  readonly state: JobState;
  readonly terminal_ms: number | null;
}

/** In the transaction of the caller; says which. */
export function withdrawJobs(sql: Sql, options: WithdrawalOptions): readonly string[] {
  const rows = sql.all<UsedRow>(
    `SELECT job_id, state, terminal_ms FROM job WHERE study_id = ? AND withdrawn_ms IS NULL
       AND series_uid IS NOT NULL AND EXISTS (
         SELECT 1 FROM instance i
          WHERE i.study_id = job.study_id AND i.series_uid = job.series_uid
            AND i.revision <= job.revision AND i.rejected_revision > job.revision)`,
    options.studyId,
  );
  for (const row of rows) withdraw(sql, row, options);
  return rows.map((row) => row.job_id);
}

function withdraw(
  sql: Sql,
  { job_id: jobId, state, terminal_ms: terminalMs }: UsedRow,
  { studyId, stage, atMs }: WithdrawalOptions,
): void {
  sql.run('UPDATE job SET withdrawn_ms = ?, stands_in = NULL WHERE job_id = ?', atMs, jobId);
  if (terminalMs !== null) {
    recordJournal(sql, { studyId, jobId, stage, event: 'withdrawn', atMs });
    return;
  }
  sql.run(
    `UPDATE delivery SET state = 'SUPERSEDED' WHERE job_id = ? AND state IN ('QUEUED', 'STORED')`,
    jobId,
  );
  moveJob(sql, {
    ...{ jobId, from: state, to: 'NOT_ANALYSED_NOTIFIED', stage, event: 'withdrawn', atMs },
    ...{ code: WITHDRAWN_CODE, reason: WITHDRAWN_REASON },
  });
  // The study's status tells of the revision without those images.
  sql.run('UPDATE job SET told_issue = -1 WHERE job_id = ?', jobId);
}
