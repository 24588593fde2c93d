/**
 * Overdue results: what the deadline of a lane means for a result that is made and not delivered.
 * Decides that a result which waits for nothing but the PACS goes on waiting (nobody can read
 * there meanwhile), and that every other one becomes a dead letter, which a person can send again.
 * Source: reliability specification P6; architecture 2 ("Silence is a defect"), hazard H5.
 */
import type { Sql } from '@aifi/gateway-database';
import type { ErrorCode } from '@aifi/shared-kernel';

/** Codes of a try that failed because of the PACS or our way to it; all others are ours. */
const FAULTS_OF_PACS = JSON.stringify([
  'PEER_UNAVAILABLE',
  'DEADLINE_EXCEEDED',
  'PEER_REFUSED',
  'CONFIG_INVALID',
] satisfies ErrorCode[]);

/** True when the last try of an object of the job failed because of the PACS or our way to it. */
export function isBlockedByPacs(sql: Sql, jobId: string): boolean {
  const row = sql.get(
    `SELECT 1 FROM delivery WHERE job_id = ? AND state IN ('QUEUED', 'STORED')
       AND last_fault IN (SELECT value FROM json_each(?))`,
    ...[jobId, FAULTS_OF_PACS],
  );
  return row !== undefined;
}

/** What is not delivered of a job that its deadline ends: dead letters, in its transaction. */
export function buryOverdue(sql: Sql, jobId: string, atMs: number): void {
  sql.run(
    `UPDATE delivery SET state = 'DEAD', dead_ms = ?, dead_code = 'TIMEOUT'
      WHERE job_id = ? AND state IN ('QUEUED', 'STORED')`,
    atMs,
    jobId,
  );
}
