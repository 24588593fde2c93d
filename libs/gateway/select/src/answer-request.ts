/**
 * Answers a request that came after its study had been selected.
 * Decides by looking again at that one product, with the rules and the hospital's word of now: a
 * job that was declined for what the request lifts is taken up, everything else is told why.
 * Invariants: nothing that ever left is selected anew; images that retention has removed must have
 * come again first; an early revision is left to the complete one that follows.
 * Source: features 37 (manual send); governance specification 4.3; hazard H7.
 */
import { ONE_PUSH_MS, recordJournal, type Sql } from '@aifi/gateway-database';
import type { JobId, ReasonCode } from '@aifi/shared-kernel';
import { decide, readForDecision, type Decision } from './decision.js';
import { recordDecision, recordFacts } from './decision.store.js';
import { insertJob, takeUpDeclined } from './job.store.js';
import { answerRequest, type OpenRequest } from './request.store.js';
import type { SiteContext, VerifiedRules } from './verified-rules.js';

export interface Answering {
  readonly verified: VerifiedRules;
  readonly site: SiteContext;
  readonly newJobId: () => JobId;
  readonly atMs: number;
}

interface PresentJob {
  readonly job_id: string;
  readonly state: string;
  readonly code: ReasonCode | null;
  readonly series_uid: string | null;
  readonly withdrawn_ms: number | null;
}

/** False: it has to wait for images that are on their way. */
export function answerLate(sql: Sql, request: OpenRequest, answering: Answering): boolean {
  const answer = answerOf(sql, request, answering);
  if (answer === undefined) return false;
  const { atMs } = answering;
  const { requestId, studyId, product } = request;
  answerRequest(sql, requestId, { answer, atMs });
  recordJournal(sql, {
    ...{ studyId, stage: 'select', event: 'asked', atMs, detail: { product, answer } },
  });
  return true;
}

function answerOf(sql: Sql, request: OpenRequest, answering: Answering): string | undefined {
  const { studyId, revision, product: asked, source, lastMs } = request;
  const { verified, site, newJobId, atMs } = answering;
  const product = verified.rules.products.find((one) => one.product === asked);
  if (!product) return 'NOT_DEPLOYED';
  const job = sql.get<PresentJob>(
    `SELECT job_id, state, code, series_uid, withdrawn_ms FROM job
      WHERE study_id = ? AND COALESCE(stands_in, revision) = ? AND product = ?`,
    ...[studyId, revision, asked],
  );
  // It was selected: it runs, has run, or failed for what no request lifts.
  if (job && (job.series_uid ?? job.withdrawn_ms) !== null) return job.code ?? job.state;
  const study = readForDecision(sql, request, site, atMs);
  const decision = decide(product, study, site);
  const { verdict } = decision;
  if (verdict.allow && areImagesGone(sql, request)) {
    const mayCome = source === 'ae-title' && lastMs > atMs - ONE_PUSH_MS;
    return mayCome ? undefined : 'INPUT_INCOMPLETE';
  }
  const ruleSetSha256 = verified.sha256;
  const look = { studyId, revision, cause: 'request', facts: study.facts, ruleSetSha256 } as const;
  recordDecision(sql, { ...look, atMs }, decision, recordFacts(sql, { ...look, atMs }));
  if (!job) {
    insertJob(sql, { studyId, revision, decision, ruleSetSha256, atMs, jobId: newJobId() });
  } else if (verdict.allow) {
    const { seriesUid } = verdict;
    takeUpDeclined(sql, { jobId: job.job_id, decision, seriesUid, ruleSetSha256, atMs });
  }
  return answerIn(decision);
}

function answerIn({ verdict }: Decision): string {
  return verdict.allow ? 'SELECTED' : verdict.decisive.code;
}

function areImagesGone(sql: Sql, { studyId, revision }: OpenRequest): boolean {
  const gone = sql.get(
    `SELECT 1 FROM revision_instance
      WHERE study_id = ? AND of_revision = ? AND removed_ms IS NOT NULL LIMIT 1`,
    ...[studyId, revision],
  );
  return gone !== undefined;
}
