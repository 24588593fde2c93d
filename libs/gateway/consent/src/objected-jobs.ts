/**
 * Jobs of a patient who objects after they were selected.
 * Decides that a job of which the hub does not have the whole study ends as OBJECTION at once, and
 * that one which it has goes on: what left cannot be called back by ending it here, and the result
 * is the patient's own. Only an objection to AI in own care ends jobs: the other kinds are about
 * what is done with data afterwards.
 * Invariants: one move per job with its journal row; images that waited for a person wait no more.
 * Source: governance specification 4.3 (OBJECTION: NOT_ELIGIBLE_LOGGED).
 */
import { moveJob, type JobState, type Sql } from '@aifi/gateway-database';
import { objectionsOf } from './objections.js';

export interface EndingOptions {
  readonly atMs: number;
  /** @default every patient */
  readonly patientKeys?: readonly string[] | undefined;
}
export interface EndedJobs {
  readonly ended: number;
  /** The hub has them: they go on. */
  readonly atHub: number;
}
interface OpenJob {
  readonly jobId: string;
  readonly state: JobState;
  readonly patientKey: string;
  readonly isAtHub: 0 | 1;
}

/** The first images tell whose the study is: one of two patients is refused later. */
const OPEN = `
  SELECT job_id AS jobId, state, (SELECT header ->> '$.patientKey' FROM (
      SELECT header FROM instance i WHERE i.study_id = job.study_id LIMIT 20)
      WHERE header ->> '$.patientKey' IS NOT NULL LIMIT 1) AS patientKey,
    state NOT IN ('SELECTED', 'SPOOLED', 'QUARANTINED') OR EXISTS (
      SELECT 1 FROM spool_job s WHERE s.job_id = job.job_id AND s.state = 'STORED') AS isAtHub
  FROM job WHERE state IN ('SELECTED', 'SPOOLED', 'UPLOADED', 'RETURNED', 'REIDENTIFIED', 'HELD',
    'QUARANTINED') AND patientKey IS NOT NULL`;

/** Whether there is one to end, without a transaction that writes. */
export function hasObjectedJobs(sql: Sql, { atMs }: Pick<EndingOptions, 'atMs'>): boolean {
  return objectedJobs(sql, { atMs }).some(({ isAtHub }) => !isAtHub);
}

/** Ends them in the transaction of the caller. */
export function endJobsOfPatient(sql: Sql, options: EndingOptions): EndedJobs {
  const jobs = objectedJobs(sql, options);
  const toEnd = jobs.filter(({ isAtHub }) => !isAtHub);
  for (const { jobId, state: from } of toEnd) end(sql, { jobId, from, atMs: options.atMs });
  return { ended: toEnd.length, atHub: jobs.length - toEnd.length };
}

function objectedJobs(sql: Sql, { atMs, patientKeys }: EndingOptions): OpenJob[] {
  const objecting = new Map<string, boolean>();
  const objects = (patientKey: string): boolean => {
    const known = objecting.get(patientKey);
    if (known !== undefined) return known;
    const found = objectionsOf(sql, { patientKey, atMs }).includes('ai-in-own-care');
    objecting.set(patientKey, found);
    return found;
  };
  const open = sql.all<OpenJob>(OPEN);
  const asked = patientKeys && new Set(patientKeys);
  return open.filter(({ patientKey }) => (asked?.has(patientKey) ?? true) && objects(patientKey));
}

interface Ending {
  readonly jobId: string;
  readonly from: JobState;
  readonly atMs: number;
}
function end(sql: Sql, { jobId, from, atMs }: Ending): void {
  sql.run(
    `UPDATE pixel_hold SET state = 'REJECTED', decided_ms = ?
     WHERE job_id = ? AND state = 'WAITING'`,
    ...[atMs, jobId],
  );
  moveJob(sql, {
    ...{ jobId, from, to: 'NOT_ELIGIBLE_LOGGED', stage: 'select', event: 'objected', atMs },
    ...{ code: 'OBJECTION', reason: 'the patient objected after it was selected' },
  });
}
