/**
 * What a revision asks of select beside its images: whether an early job is the job of it as well,
 * and what is told of a product whose images were rejected.
 * Decides that an acute product does not run twice on the same images: its early job stands in the
 * complete revision, unless it ended without a result; then it runs on the whole study.
 * Invariants: a negative that waits for the whole study is asked for again there; a withdrawn
 * result is never passed over in silence.
 * Source: hazards H5, H7; features specification 6; docs/adr/0026-revisions.md.
 */
import { EARLY_NEGATIVE_DETAIL } from '@aifi/contracts-manifests';
import { WITHDRAWN_CODE, WITHDRAWN_REASON, type Sql } from '@aifi/gateway-database';
import { REASON_CODES } from '@aifi/shared-kernel';
import type { Decision } from './decision.js';
import type { RevisionKey } from './study-facts.js';

/** Jobs of the early revision before this one stand in it: they are of one arrival. */
export function carryEarlyJobs(sql: Sql, { studyId, revision }: RevisionKey): void {
  sql.run(
    `UPDATE job SET stands_in = ?2 WHERE study_id = ?1 AND early IS NOT NULL
       AND withdrawn_ms IS NULL AND COALESCE(stands_in, revision) = ?2 - 1
       AND EXISTS (SELECT 1 FROM revision_manifest m
         WHERE m.study_id = ?1 AND m.revision = ?2 AND m.kind = 'early')`,
    ...[studyId, revision],
  );
}

/** True when the product's early job is of the same images, and is the job of this one as well. */
export function letEarlyJobStand(
  sql: Sql,
  { studyId, revision }: RevisionKey,
  { product, verdict }: Decision,
): boolean {
  if (!verdict.allow) return false;
  const changed = sql.run(
    `UPDATE job SET stands_in = ?2 WHERE study_id = ?1 AND product = ?3 AND series_uid = ?4
       AND product_version = ?5 AND model_digest = ?6 AND early IS NOT NULL
       AND withdrawn_ms IS NULL AND state <> 'NOT_ANALYSED_NOTIFIED'
       AND NOT EXISTS (SELECT 1 FROM job newer WHERE newer.study_id = job.study_id
         AND newer.product = job.product AND newer.revision > job.revision)
       AND NOT EXISTS (SELECT 1 FROM instance i
         WHERE i.study_id = job.study_id AND i.series_uid = job.series_uid
           AND (i.revision > job.revision AND i.revision <= ?2
             OR i.rejected_revision > job.revision AND i.rejected_revision <= ?2))`,
    ...[studyId, revision, product.product, verdict.seriesUid],
    ...[product.version, product.modelDigest],
  );
  return changed > 0;
}

/** A job that stands in a complete revision, and whose negative has to come from that. */
export interface WaitingProduct extends RevisionKey {
  readonly jobId: string;
  readonly product: string;
}
export function productsThatWait(sql: Sql): readonly WaitingProduct[] {
  return sql.all<WaitingProduct>(
    `SELECT job_id AS jobId, job.study_id AS studyId, stands_in AS revision, product FROM job
      JOIN whole_revision w ON w.study_id = job.study_id AND w.revision = job.stands_in
     WHERE stands_in IS NOT NULL AND job.state = 'NOT_ANALYSED_NOTIFIED' AND early IS NOT NULL
       AND detail = ? LIMIT 100`,
    EARLY_NEGATIVE_DETAIL,
  );
}

/** A product that takes nothing now is told all the same when a result of it was withdrawn. */
export function toldWithdrawn(sql: Sql, studyId: number, decision: Decision): Decision {
  const { verdict, product } = decision;
  if (verdict.allow || verdict.state !== 'NOT_ELIGIBLE_LOGGED') return decision;
  const found = sql.get(
    'SELECT 1 FROM job WHERE study_id = ? AND product = ? AND withdrawn_ms IS NOT NULL LIMIT 1',
    ...[studyId, product.product],
  );
  if (!found) return decision;
  const decisive = {
    ...{ code: WITHDRAWN_CODE, rule: 'rejection note' },
    words: { en: WITHDRAWN_REASON, nl: 'de beelden zijn door het ziekenhuis afgekeurd' },
  };
  const { state } = REASON_CODES[WITHDRAWN_CODE];
  return { ...decision, verdict: { ...verdict, state, decisive, reasons: [decisive] } };
}
