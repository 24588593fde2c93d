/**
 * Route: stored jobs to the inference queue, or to an outcome that says why not.
 * Decides nothing itself: the gates do; here their verdict becomes a row, in one transaction with
 * the job's state. Invariant: every stored job is queued or concluded, exactly once.
 * Source: architecture 2 (route); reliability specification P3.
 */
import type { KeyObject } from 'node:crypto';
import { crashPoint, pollingStage, type Clock, type Stage, type Wake } from '@aifi/shared-kernel';
import {
  concludeJob,
  listDeployments,
  listStoredJobs,
  moveStudyJob,
  notAnalysed,
  readSite,
  readStudyJob,
  recordEvent,
  stopsOfSite,
  type HubDatabase,
  type JobKey,
  type Sql,
  type StudyJob,
} from '@aifi/hub-database';
import type { Logger } from '@aifi/shared-observability';
import { evaluateGates } from './gates.js';
import type { FindModel } from './rules-publisher.js';

export interface RouteDependencies {
  readonly database: HubDatabase;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly wake: Wake;
  readonly findModel: FindModel;
  /** Ed25519 key of the hub. */
  readonly signingKey: KeyObject;
  /** Rung when a job was queued. */
  readonly onQueued: () => void;
  /** Rung when a job has an outcome already here. */
  readonly onConcluded: () => void;
}

const BATCH_MAX = 50;

export function createRouteStage(dependencies: RouteDependencies): Stage {
  const { database, clock, logger, wake } = dependencies;
  return pollingStage({
    name: 'route',
    clock,
    wake,
    intervalMs: 1_000,
    onFault: (error) => logger.fault('route failed', error, { stage: 'route' }),
    runOnce: async () => {
      const jobs = await listStoredJobs(database, BATCH_MAX);
      let routed = 0;
      for (const key of jobs) {
        try {
          await routeJob(dependencies, key);
          routed += 1;
        } catch (error) {
          // One job that cannot be routed must not hold up the others.
          logger.fault('job not routed', error, { stage: 'route', ...key });
        }
      }
      return routed;
    },
  });
}

async function routeJob(dependencies: RouteDependencies, key: JobKey): Promise<void> {
  const { database, logger, onQueued, onConcluded } = dependencies;
  crashPoint('hub.route.before-commit');
  const code = await database.withSite(key.siteId, (sql) => decide(sql, key, dependencies));
  crashPoint('hub.route.after-commit');
  if (code === 'TAKEN') return;
  logger.info('job routed', { stage: 'route', ...key, code });
  if (code === 'ALLOW') onQueued();
  else onConcluded();
}

async function decide(
  sql: Sql,
  key: JobKey,
  { findModel, clock, signingKey }: RouteDependencies,
): Promise<string> {
  // Another hub process may be routing it right now: then there is nothing to do here.
  const mine = await sql.row(
    `SELECT 1 AS mine FROM study_job WHERE job_id = $1 AND state = 'STORED'
     FOR UPDATE SKIP LOCKED`,
    key.jobId,
  );
  const job = mine && (await readStudyJob(sql, key.jobId));
  const site = await readSite(sql);
  if (!job || !site) return 'TAKEN';
  const { manifest } = job;
  const atMs = clock.nowMs();
  const verdict = evaluateGates({
    site,
    manifest,
    deployments: await listDeployments(sql),
    model: findModel(manifest.product.id, manifest.product.version),
    stops: await stopsOfSite(sql),
    nowMs: atMs,
  });
  if (!verdict.ok) {
    const outcome = notAnalysed(job, verdict.refusal, atMs);
    await concludeJob(sql, { siteId: key.siteId, manifest: outcome, signingKey });
    return verdict.refusal.code;
  }
  await queueJob(sql, key, job, atMs);
  return 'ALLOW';
}

async function queueJob(sql: Sql, key: JobKey, job: StudyJob, atMs: number): Promise<void> {
  const { siteId, jobId } = key;
  const { lane, revision, product } = job.manifest;
  await moveStudyJob(sql, { siteId, jobId, from: 'STORED', to: 'QUEUED', atMs });
  await sql.run(
    `INSERT INTO inference_job (site_id, job_id, lane, state) VALUES ($1, $2, $3, 'QUEUED')`,
    siteId,
    jobId,
    lane,
  );
  const payload = { jobId, revision, product: product.id, version: product.version };
  await recordEvent(sql, { siteId, type: 'aifi.study.job.routed.v1', atMs, payload });
}
