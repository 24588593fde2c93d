/**
 * Stops: what a kill switch does to the jobs and the rules that are there already.
 * Decides that a job under way with a stopped product ends as not analysed, whoever works on it,
 * and that the rules of every site say so. What was concluded before is withheld by the downlink.
 * Invariants: a worker that still runs the job can write nothing any more (fencing token); the same
 * look finds what a process that died has left. Source: governance 1 (effect within 10 s).
 */
import type { KeyObject } from 'node:crypto';
import { stopOf } from '@aifi/contracts-manifests';
import { crashPoint, pollingStage, Wake, type Clock, type Stage } from '@aifi/shared-kernel';
import {
  concludeJob,
  endInference,
  listSiteIds,
  listStoppedJobs,
  notAnalysed,
  readSite,
  readStudyJob,
  stopsOfSite,
  type HubDatabase,
  type JobKey,
} from '@aifi/hub-database';
import type { Logger } from '@aifi/shared-observability';
import { publishRules, type FindModel } from './rules-publisher.js';

export interface StopDependencies {
  readonly database: HubDatabase;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly findModel: FindModel;
  /** Ed25519 key of the hub. */
  readonly signingKey: KeyObject;
  /** Rung when a job has an outcome. */
  readonly onConcluded: () => void;
  /** Rung when rules may have changed. */
  readonly onRules: () => void;
}

const BATCH_MAX = 50;
/** A stop or a resumption is found within this time. @unit ms */
const POLL_MS = 2_000;

export function createStopStage(dependencies: StopDependencies): Stage {
  const { database, clock, logger } = dependencies;
  return pollingStage({
    ...{ name: 'stop', clock, wake: new Wake(), intervalMs: POLL_MS },
    onFault: (error) => logger.fault('stops were not carried out', error, { stage: 'route' }),
    runOnce: async () => {
      await republish(dependencies);
      let ended = 0;
      for (const key of await listStoppedJobs(database, BATCH_MAX)) {
        if (await endJob(dependencies, key)) ended += 1;
      }
      return ended;
    },
  });
}

/** Rules of every site as the stops in force make them; unchanged ones stay as they are. */
async function republish(dependencies: StopDependencies): Promise<void> {
  const { database, onRules } = dependencies;
  for (const siteId of await listSiteIds(database)) {
    await database.withSite(siteId, async (sql) => {
      const site = await readSite(sql);
      if (site) await publishRules(sql, site, dependencies);
      crashPoint('hub.stop.before-rules');
    });
  }
  onRules();
}

/** Whether it was ended here. */
async function endJob(dependencies: StopDependencies, key: JobKey): Promise<boolean> {
  const { database, clock, logger, signingKey, onConcluded } = dependencies;
  const { siteId, jobId } = key;
  crashPoint('hub.stop.before-commit');
  const code = await database.withSite(siteId, async (sql) => {
    // The job's row orders this against a worker that is about to commit its answer.
    const open = await sql.row(
      `SELECT 1 AS open FROM study_job WHERE job_id = $1
         AND state IN ('STORED', 'QUEUED', 'INFERRED') FOR UPDATE`,
      jobId,
    );
    const job = open && (await readStudyJob(sql, jobId));
    if (!job) return undefined;
    const { id: product, version } = job.manifest.product;
    const stop = stopOf({ stopped: await stopsOfSite(sql) }, { product, version });
    if (!stop) return undefined;
    const refusal = { code: stop.code, detail: 'kill switch' };
    const manifest = notAnalysed(job, refusal, clock.nowMs());
    await endInference(sql, jobId);
    await concludeJob(sql, { siteId, manifest, signingKey });
    return stop.code;
  });
  crashPoint('hub.stop.after-commit');
  if (code === undefined) return false;
  logger.info('job ended by a kill switch', { stage: 'route', siteId, jobId, code });
  onConcluded();
  return true;
}
