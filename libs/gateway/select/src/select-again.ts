/**
 * A spooled job that the hub takes no more, as the rules that selected it are too old.
 * Decides anew for this one product, with the rules in force: the job goes back to where its study
 * is pseudonymised, under the new rules, or ends with the code that the new rules give.
 * Invariants: nothing of the job is at the hub, as the hub refused it; the same job keeps its
 * linkage, so it takes the same series or none. Source: architecture 2 (select); ADR 0022.
 */
import { REASON_CODES, type ReasonCode } from '@aifi/shared-kernel';
import { moveJob, type JobState, type Sql } from '@aifi/gateway-database';
import { decide, readForDecision, reasonText } from './decision.js';
import { recordDecision, recordFacts } from './decision.store.js';
import { renewSelection } from './job.store.js';
import type { SiteContext, VerifiedRules } from './verified-rules.js';

interface SpooledJob {
  readonly study_id: number;
  readonly revision: number;
  readonly product: string;
  readonly series_uid: string;
  readonly rule_set_sha256: string;
}
export interface SelectAgain extends SiteContext {
  readonly jobId: string;
  readonly verified: VerifiedRules | undefined;
  readonly atMs: number;
}

/** False while there are no other rules than those that selected it, or it is not spooled. */
export function selectAgain(sql: Sql, again: SelectAgain): boolean {
  const { jobId, verified, atMs } = again;
  const job = sql.get<SpooledJob>(
    `SELECT study_id, revision, product, series_uid, rule_set_sha256 FROM job
     WHERE job_id = ? AND state = 'SPOOLED'`,
    jobId,
  );
  if (!job || !verified || verified.sha256 === job.rule_set_sha256) return false;
  const end = (code: ReasonCode, reason: string): true => {
    const to: JobState = REASON_CODES[code].state;
    moveJob(sql, {
      ...{ jobId, from: 'SPOOLED', to, stage: 'select', event: 'declined', atMs, code, reason },
    });
    return true;
  };
  const product = verified.rules.products.find((one) => one.product === job.product);
  if (!product) return end('NOT_DEPLOYED', 'NOT_DEPLOYED: newer rules');
  const key = { studyId: job.study_id, revision: job.revision };
  const study = readForDecision(sql, key, again, atMs);
  const decision = decide(product, study, again);
  const { verdict } = decision;
  const ruleSetSha256 = verified.sha256;
  const look = { ...key, cause: 'newer-rules', facts: study.facts, ruleSetSha256, atMs } as const;
  recordDecision(sql, look, decision, recordFacts(sql, look));
  if (!verdict.allow) return end(verdict.decisive.code, reasonText(verdict.reasons));
  const { seriesUid } = verdict;
  if (seriesUid !== job.series_uid) {
    return end('INPUT_INCOMPLETE', 'newer rules take another series of the study');
  }
  // Manifest and envelope are made anew, as they name the rules.
  sql.run('DELETE FROM spool_object WHERE job_id = ?', jobId);
  sql.run('DELETE FROM spool_job WHERE job_id = ?', jobId);
  renewSelection(sql, { jobId, decision, seriesUid, ruleSetSha256 });
  moveJob(sql, {
    ...{ jobId, from: 'SPOOLED', to: 'SELECTED', stage: 'select', event: 'selected-again', atMs },
    detail: { sequence: verified.rules.sequence },
  });
  return true;
}
