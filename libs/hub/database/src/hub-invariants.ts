/**
 * Invariants of the hub, asserted at run time over the rows of one site.
 * Decides what may never be seen: a job that ended without its one outcome, an outcome of a job
 * that goes on, an end that is told twice, a queue that says something else than the job.
 * Invariant: it only reads. Source: reliability specification 2 (invariants asserted at run time).
 */
import type { Sql } from './sql.js';

const ENDED = `('CONCLUDED', 'ACKNOWLEDGED')`;

/** Each gives the number of violations; $1: events are looked at from there on. */
const RULES = {
  'ended-without-outcome': `SELECT count(*)::int AS n FROM study_job j
    WHERE state IN ${ENDED} AND $1::timestamptz IS NOT NULL
      AND NOT EXISTS (SELECT 1 FROM outcome o WHERE o.job_id = j.job_id)`,
  'outcome-of-open-job': `SELECT count(*)::int AS n FROM outcome JOIN study_job
    USING (site_id, job_id) WHERE state NOT IN ${ENDED} AND $1::timestamptz IS NOT NULL`,
  'end-told-twice': `SELECT count(*)::int AS n FROM (
    SELECT 1 FROM outbox WHERE type = 'aifi.study.outcome.concluded.v1' AND created_at >= $1
    GROUP BY payload ->> 'jobId', payload ->> 'issue' HAVING count(*) > 1) AS twice`,
  'end-never-told': `SELECT count(*)::int AS n FROM study_job j
    WHERE concluded_at >= $1 AND state IN ${ENDED} AND NOT EXISTS (
      SELECT 1 FROM outbox e WHERE e.type = 'aifi.study.outcome.concluded.v1'
        AND e.created_at >= $1 AND e.payload ->> 'jobId' = j.job_id)`,
  'queue-apart': `SELECT count(*)::int AS n FROM inference_job q JOIN study_job j
    USING (site_id, job_id) WHERE $1::timestamptz IS NOT NULL AND q.state
      <> CASE j.state WHEN 'QUEUED' THEN 'QUEUED' WHEN 'INFERRED' THEN 'INFERRED' ELSE 'DONE' END`,
  'pixels-without-row': `SELECT count(*)::int AS n FROM study_job j
    WHERE $1::timestamptz IS NOT NULL AND state IN ('STORED', 'QUEUED', 'INFERRED') AND EXISTS (
      SELECT 1 FROM job_object o WHERE o.job_id = j.job_id AND NOT EXISTS (
        SELECT 1 FROM study_object s WHERE s.sha256 = o.sha256))`,
} as const;
export type HubRule = keyof typeof RULES;
export const HUB_RULES = Object.keys(RULES) as readonly HubRule[];

export interface SiteInvariants {
  readonly accepted: number;
  readonly open: number;
  readonly terminal: number;
  readonly violations: Readonly<Record<HubRule, number>>;
}

/** One look at one site; events since then. */
export async function checkSite(sql: Sql, since: Date): Promise<SiteInvariants> {
  const violations = Object.fromEntries(HUB_RULES.map((rule) => [rule, 0])) as Record<
    HubRule,
    number
  >;
  for (const rule of HUB_RULES) {
    violations[rule] = (await sql.row<{ n: number }>(RULES[rule], since))!.n;
  }
  const counts = await sql.row<{ accepted: number; open: number; terminal: number }>(
    `SELECT count(*)::int AS accepted, (count(*) FILTER (WHERE state NOT IN ${ENDED}))::int AS open,
       (count(*) FILTER (WHERE state IN ${ENDED}))::int AS terminal
     FROM study_job WHERE state <> 'OPEN'`,
  );
  return { ...counts!, violations };
}
