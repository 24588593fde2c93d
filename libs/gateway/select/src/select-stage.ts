/**
 * Select: study revisions to jobs, one per deployed product.
 * Decides what may leave the hospital at all, with the hub's signed rules evaluated here.
 * Invariants: without valid rules nothing is selected and nothing is lost (the revision waits);
 * every deployed product gets exactly one job row per revision, also when it says no.
 * Source: architecture 2 (select); governance specification 4.3.
 */
import {
  crashPoint,
  newJobId,
  pollingStage,
  REASON_CODES,
  type Clock,
  type JobId,
  type Purpose,
  type Sha256,
  type Stage,
  type Wake,
} from '@aifi/shared-kernel';
import type { DeployedProduct, RoutingRules } from '@aifi/contracts-manifests';
import { recordJournal, type GatewayDatabase, type Sql } from '@aifi/gateway-database';
import { evaluateProduct, type ProductVerdict } from '@aifi/policy-routing-rules';
import type { Logger } from '@aifi/shared-observability';
import { readSeriesFacts } from './series-facts.js';

/** The rules in force, already verified against the hub's key. */
export interface VerifiedRules {
  readonly rules: RoutingRules;
  readonly sha256: Sha256;
}
export interface SelectDependencies {
  readonly database: GatewayDatabase;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly wake: Wake;
  readonly purpose: Purpose;
  /** Undefined until the first rules have arrived from the hub. */
  readonly currentRules: () => VerifiedRules | undefined;
  /** @default 128 random bits */
  readonly newJobId?: (() => JobId) | undefined;
  readonly onDone: () => void;
}

interface OpenRevision {
  readonly study_id: number;
  readonly revision: number;
}

/** The stage: gives every assembled revision its jobs. */
export function createSelectStage(dependencies: SelectDependencies): Stage {
  const { database, clock, logger, wake, onDone } = dependencies;
  return pollingStage({
    name: 'select',
    clock,
    wake,
    intervalMs: 1_000,
    onFault: (error) => logger.fault('select failed', error, { stage: 'select' }),
    runOnce: async () => {
      const verified = dependencies.currentRules();
      if (!verified) return 0;
      const open = database.read((sql) =>
        sql.all<OpenRevision>(
          `SELECT study_id, revision FROM study_revision WHERE state = 'ASSEMBLED'
           ORDER BY closed_ms LIMIT 100`,
        ),
      );
      for (const revision of open) {
        crashPoint('gateway.select.before-commit');
        await database.write((sql) => selectRevision(sql, revision, verified, dependencies));
        crashPoint('gateway.select.after-commit');
        onDone();
      }
      return open.length;
    },
  });
}

function selectRevision(
  sql: Sql,
  { study_id: studyId, revision }: OpenRevision,
  verified: VerifiedRules,
  { clock, logger, purpose, newJobId: nextJobId = newJobId }: SelectDependencies,
): void {
  const series = readSeriesFacts(sql, studyId, revision);
  for (const product of verified.rules.products) {
    const verdict = withoutConflict(
      evaluateProduct(product, series, purpose),
      conflicting(sql, studyId, revision),
    );
    const job = { jobId: nextJobId(), studyId, revision, product, verdict, verified };
    insertJob(sql, { ...job, atMs: clock.nowMs() });
    logger.info('product considered', {
      stage: 'select',
      product: product.product,
      revision,
      state: verdict.allow ? 'SELECTED' : verdict.state,
      ...(verdict.allow ? {} : { code: verdict.reasons[0].code }),
    });
  }
  sql.run(
    `UPDATE study_revision SET state = 'SELECTED' WHERE study_id = ? AND revision = ?`,
    studyId,
    revision,
  );
}

/**
 * Series of which an instance came twice with different bytes (P0), in this study or, under the
 * same UID, in another one: neither copy is known to be the right one.
 */
export function conflicting(sql: Sql, studyId: number, revision: number): ReadonlySet<string> {
  const rows = sql.all<{ series_uid: string }>(
    `SELECT DISTINCT series_uid FROM instance own WHERE study_id = ? AND revision <= ? AND EXISTS
       (SELECT 1 FROM instance other
         WHERE other.sop_instance_uid = own.sop_instance_uid AND other.conflict = 1)`,
    studyId,
    revision,
  );
  return new Set(rows.map((row) => row.series_uid));
}

export function withoutConflict(
  verdict: ProductVerdict,
  conflictingSeries: ReadonlySet<string>,
): ProductVerdict {
  if (!verdict.allow || !conflictingSeries.has(verdict.seriesUid)) return verdict;
  return {
    allow: false,
    state: REASON_CODES.CONFLICTING_INSTANCE.state,
    reasons: [{ code: 'CONFLICTING_INSTANCE', rule: 'one SOP Instance UID, different bytes' }],
    attestations: verdict.attestations,
  };
}

interface NewJob {
  readonly jobId: JobId;
  readonly studyId: number;
  readonly revision: number;
  readonly product: DeployedProduct;
  readonly verdict: ProductVerdict;
  readonly verified: VerifiedRules;
  readonly atMs: number;
}

function insertJob(sql: Sql, job: NewJob): void {
  const { jobId, studyId, revision, product, verdict, verified, atMs } = job;
  const state = verdict.allow ? 'SELECTED' : verdict.state;
  const code = verdict.allow ? null : verdict.reasons[0].code;
  const detail = verdict.allow
    ? null
    : verdict.reasons.map((reason) => `${reason.code}: ${reason.rule}`).join('; ');
  sql.run(
    `INSERT INTO job (job_id, study_id, revision, product, product_version, model_digest, lane,
       series_uid, rule_set_sha256, attestations, state, code, detail, created_ms, terminal_ms,
       deidentification)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    jobId,
    studyId,
    revision,
    product.product,
    product.version,
    product.modelDigest,
    product.lane,
    verdict.allow ? verdict.seriesUid : null,
    verified.sha256,
    JSON.stringify(verdict.attestations),
    state,
    code,
    detail,
    atMs,
    verdict.allow ? null : atMs,
    product.deidentification ? JSON.stringify(product.deidentification) : null,
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
