/**
 * Selects a revision: every deployed product gets its decision and its job.
 * Decides whom a revision is for: a complete one for every product, an early one for those that it
 * was closed for, with what may be said of images that are still to come.
 * Invariants: one job and one decision per product and revision, also for a no; requests of the
 * study are answered with it. All of it in the transaction of the caller.
 * Source: architecture 2 (select); governance specification 4.3; features 6.
 */
import type { EarlyStart } from '@aifi/contracts-manifests';
import { withdrawJobs, type Sql } from '@aifi/gateway-database';
import { judgeNegative } from '@aifi/policy-routing-rules';
import { LIMITS, type JobId } from '@aifi/shared-kernel';
import { decide, readForDecision, type Decision, type JudgedStudy } from './decision.js';
import { recordDecision, recordFacts } from './decision.store.js';
import { insertJob } from './job.store.js';
import { answerOpenRequests } from './request.store.js';
import { carryEarlyJobs, letEarlyJobStand, toldWithdrawn } from './revision-scope.js';
import type { RevisionKey } from './study-facts.js';
import type { SiteContext, VerifiedRules } from './verified-rules.js';

export interface Selection extends RevisionKey {
  readonly verified: VerifiedRules;
  readonly site: SiteContext;
  readonly newJobId: () => JobId;
  readonly atMs: number;
}

export function selectRevision(sql: Sql, selection: Selection): readonly Decision[] {
  const { studyId, revision, verified, site, newJobId, atMs } = selection;
  const study = readForDecision(sql, selection, site, atMs);
  const { sha256: ruleSetSha256, rules } = verified;
  const only = earlyProducts(sql, selection);
  const decisions = rules.products
    .filter(({ product }) => only?.has(product) ?? true)
    .map((product) => decide(product, study, site));
  const look = { ...selection, cause: 'revision', facts: study.facts, ruleSetSha256 } as const;
  const factsSha256 = recordFacts(sql, look);
  carryEarlyJobs(sql, selection);
  for (const decision of decisions) {
    recordDecision(sql, look, decision, factsSha256);
    const early = only && earlyStart(sql, selection, decision, study);
    // What an early revision lacks may still come: the complete one decides.
    if (only && !early) continue;
    if (only || !letEarlyJobStand(sql, selection, decision)) {
      const told = toldWithdrawn(sql, studyId, decision);
      const job = { studyId, revision, decision: told, ruleSetSha256, early, atMs };
      insertJob(sql, { ...job, jobId: newJobId() });
    }
    answerOpenRequests(sql, {
      ...{ studyUid: study.studyUid, product: decision.product.product, atMs },
      answer: decision.verdict.allow ? 'SELECTED' : decision.verdict.decisive.code,
    });
  }
  // A complete revision is the answer to whatever is not deployed at all.
  if (!only) answerOpenRequests(sql, { studyUid: study.studyUid, answer: 'NOT_DEPLOYED', atMs });
  sql.run(
    `UPDATE study_revision SET state = 'SELECTED' WHERE study_id = ? AND revision = ?`,
    ...[studyId, revision],
  );
  // Images of it may have been rejected since it was closed.
  withdrawJobs(sql, { studyId, stage: 'select', atMs });
  return decisions;
}

/** Products that an early revision was closed for; undefined: it is a complete one. */
function earlyProducts(sql: Sql, { studyId, revision }: RevisionKey) {
  const row = sql.get<{ products: string | null }>(
    `SELECT products FROM revision_manifest
      WHERE study_id = ? AND revision = ? AND kind = 'early'`,
    ...[studyId, revision],
  );
  return row && new Set(JSON.parse(row.products ?? '[]') as string[]);
}

function earlyStart(
  sql: Sql,
  { studyId, revision }: RevisionKey,
  { product, verdict }: Decision,
  { facts }: JudgedStudy,
): EarlyStart | undefined {
  if (!verdict.allow) return undefined;
  const { seriesUid } = verdict;
  const { intendedUse } = product;
  const negative = judgeNegative(intendedUse, facts.series, seriesUid);
  const { instances, expected } = sql.get<{ instances: number; expected: number | null }>(
    `SELECT COUNT(*) AS instances, MAX(header ->> '$.imagesInAcquisition') AS expected
      FROM revision_instance WHERE study_id = ? AND of_revision = ? AND series_uid = ?`,
    ...[studyId, revision, seriesUid],
  )!;
  return {
    instances,
    ...(isCount(expected) && expected >= instances && { expected }),
    // Who does not say what a negative needs has not said that a part of the study is enough.
    negativeAllowed: intendedUse.negativeRequires !== undefined && negative.allowed,
  };
}

/** The images say it, so it may be anything. */
const isCount = (value: unknown): value is number =>
  Number.isInteger(value) && (value as number) <= LIMITS.instancesPerStudyMax;
