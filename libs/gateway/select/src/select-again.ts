/**
 * A spooled job that the hub takes no more, as the rules that selected it are too old.
 * Decides anew for this one product, with the rules in force: the job goes back to where its study
 * is pseudonymised, under the new rules, or ends with the code that the new rules give.
 * Invariants: nothing of the job is at the hub, as the hub refused it; the same job keeps its
 * linkage, so it takes the same series or none. Source: architecture 2 (select); ADR 0022.
 */
import { REASON_CODES, type Purpose, type ReasonCode } from '@aifi/shared-kernel';
import type { DeployedProduct } from '@aifi/contracts-manifests';
import { moveJob, type JobState, type Sql } from '@aifi/gateway-database';
import { evaluateProduct, type ProductVerdict } from '@aifi/policy-routing-rules';
import { conflicting, withoutConflict, type VerifiedRules } from './select-stage.js';
import { readSeriesFacts } from './series-facts.js';

interface SpooledJob {
  readonly study_id: number;
  readonly revision: number;
  readonly product: string;
  readonly series_uid: string;
  readonly rule_set_sha256: string;
}
export interface SelectAgain {
  readonly jobId: string;
  readonly verified: VerifiedRules | undefined;
  readonly purpose: Purpose;
  readonly atMs: number;
}

/** False while there are no other rules than those that selected it, or it is not spooled. */
export function selectAgain(sql: Sql, { jobId, verified, purpose, atMs }: SelectAgain): boolean {
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
  const verdict = withoutConflict(
    evaluateProduct(product, readSeriesFacts(sql, job.study_id, job.revision), purpose),
    conflicting(sql, job.study_id, job.revision),
  );
  if (!verdict.allow) {
    const reasons = verdict.reasons.map(({ code, rule }) => `${code}: ${rule}`);
    return end(verdict.reasons[0].code, reasons.join('; '));
  }
  if (verdict.seriesUid !== job.series_uid) {
    return end('INPUT_INCOMPLETE', 'newer rules take another series of the study');
  }
  takeBack(sql, jobId, { product, verdict, verified });
  moveJob(sql, {
    ...{ jobId, from: 'SPOOLED', to: 'SELECTED', stage: 'select', event: 'selected-again', atMs },
    detail: { sequence: verified.rules.sequence },
  });
  return true;
}

interface NewSelection {
  readonly product: DeployedProduct;
  readonly verdict: ProductVerdict;
  readonly verified: VerifiedRules;
}

/** Manifest and envelope are made anew, as they name the rules. */
function takeBack(sql: Sql, jobId: string, { product, verdict, verified }: NewSelection): void {
  sql.run('DELETE FROM spool_object WHERE job_id = ?', jobId);
  sql.run('DELETE FROM spool_job WHERE job_id = ?', jobId);
  sql.run(
    `UPDATE job SET product_version = ?, model_digest = ?, lane = ?, rule_set_sha256 = ?,
       attestations = ?, deidentification = ? WHERE job_id = ?`,
    product.version,
    product.modelDigest,
    product.lane,
    verified.sha256,
    JSON.stringify(verdict.attestations),
    product.deidentification ? JSON.stringify(product.deidentification) : null,
    jobId,
  );
}
