/**
 * JobStore: decisions as jobs.
 * Decides what a job keeps of its decision, and when one that was declined is taken up: it is the
 * same job, for a product has one per revision.
 * Invariants: a job that has a series was selected once and is not selected anew here; the reason
 * that stays in the way is told in the job's code and words.
 * Source: architecture 2 (select); hazard H7.
 */
import type { EarlyStart } from '@aifi/contracts-manifests';
import { recordJournal, reopenDeclinedJob, type Sql } from '@aifi/gateway-database';
import type { JobId, Sha256 } from '@aifi/shared-kernel';
import { reasonText, type Decision } from './decision.js';
import type { RevisionKey } from './study-facts.js';

export interface NewJob extends RevisionKey {
  readonly jobId: JobId;
  readonly decision: Decision;
  readonly ruleSetSha256: Sha256;
  /** Its study still arrives. */
  readonly early?: EarlyStart | undefined;
  readonly atMs: number;
}

export function insertJob(sql: Sql, job: NewJob): void {
  const { jobId, studyId, revision, decision, ruleSetSha256, early, atMs } = job;
  const { product, verdict, lane } = decision;
  const state = verdict.allow ? 'SELECTED' : verdict.state;
  const code = verdict.allow ? null : verdict.decisive.code;
  sql.run(
    `INSERT INTO job (job_id, study_id, revision, product, product_version, model_digest, lane,
       series_uid, rule_set_sha256, attestations, state, code, detail, created_ms, terminal_ms,
       deidentification, early)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ...[jobId, studyId, revision, product.product, product.version, product.modelDigest, lane],
    ...[verdict.allow ? verdict.seriesUid : null, ruleSetSha256],
    ...[JSON.stringify(verdict.attestations), state, code],
    verdict.allow ? null : reasonText(verdict.reasons),
    ...[atMs, verdict.allow ? null : atMs, contractOf(decision)],
    early ? JSON.stringify(early) : null,
  );
  recordJournal(sql, {
    studyId,
    jobId,
    stage: 'select',
    event: verdict.allow ? 'selected' : 'declined',
    atMs,
    detail: { product: product.product, state, ...(code ? { code } : {}) },
  });
}

export interface TakenUp {
  readonly jobId: string;
  readonly decision: Decision;
  readonly seriesUid: string;
  readonly ruleSetSha256: Sha256;
}

/** What the job rests on, made anew; the move of the job is the caller's. */
export function renewSelection(sql: Sql, { jobId, decision, seriesUid, ruleSetSha256 }: TakenUp) {
  const { product, verdict, lane } = decision;
  sql.run(
    `UPDATE job SET product_version = ?, model_digest = ?, lane = ?, series_uid = ?,
       rule_set_sha256 = ?, attestations = ?, deidentification = ? WHERE job_id = ?`,
    ...[product.version, product.modelDigest, lane, seriesUid, ruleSetSha256],
    ...[JSON.stringify(verdict.attestations), contractOf(decision), jobId],
  );
}

/** A job that was declined here, by what a request lifts. */
export function takeUpDeclined(sql: Sql, job: TakenUp & { readonly atMs: number }): void {
  reopenDeclinedJob(sql, { jobId: job.jobId, atMs: job.atMs });
  renewSelection(sql, job);
}

function contractOf({ product }: Decision): string | null {
  return product.deidentification ? JSON.stringify(product.deidentification) : null;
}
