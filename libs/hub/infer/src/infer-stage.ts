/**
 * Infer: queued jobs to the worker, its sealed answer to an inference record.
 * Decides who runs a job (lease and fencing token), that the answer belongs to the bytes of the
 * manifest (guard C6), and when a job without an answer ends.
 * Invariants: the record is committed with the claim's own token; a try that lost its claim writes
 * nothing. Source: reliability specification P3, P4, C6.
 */
import type { KeyObject } from 'node:crypto';
import { z } from 'zod';
import {
  AifiError,
  crashPoint,
  LIMITS,
  objectsDigest,
  pollingStage,
  type Clock,
  type Stage,
  type Wake,
} from '@aifi/shared-kernel';
import type { ModelManifest } from '@aifi/contracts-manifests';
import {
  advanceClaim,
  claimJob,
  concludeJob,
  moveStudyJob,
  notAnalysed,
  readStudyJob,
  recordEvent,
  releaseClaim,
  renewClaim,
  type Claim,
  type HubDatabase,
  type Sql,
  type StudyJob,
} from '@aifi/hub-database';
import type { FolderObjectStore } from '@aifi/hub-object-store';
import type { Logger } from '@aifi/shared-observability';
import { nextStep } from './attempt-policy.js';
import { WorkerClient, WorkerRefusal, type SealedAnswer } from './worker-client.js';

export const inferConfigSchema = z.strictObject({
  deadlineMs: z
    .int()
    .positive()
    .default(24 * 60 * 60 * 1000)
    .describe('time after queueing at which a job without a worker ends as TIMEOUT'),
});

export interface InferDependencies {
  readonly database: HubDatabase;
  readonly store: FolderObjectStore;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly wake: Wake;
  readonly workerUrl: string;
  readonly config: z.infer<typeof inferConfigSchema>;
  readonly findModel: (product: string, version: string) => ModelManifest | undefined;
  /** Ed25519 key of the hub. */
  readonly signingKey: KeyObject;
  /** Rung when a record was made. */
  readonly onInferred: () => void;
  /** Rung when a job ended without one. */
  readonly onConcluded: () => void;
}

/** Sending the objects and queueing in the worker come on top of the model's own time. @unit ms */
const TRANSFER_MS = 120_000;

export function createInferStage(dependencies: InferDependencies): Stage {
  const { database, store, clock, logger, wake, workerUrl } = dependencies;
  const worker = new WorkerClient(workerUrl, store);
  return pollingStage({
    name: 'infer',
    clock,
    wake,
    intervalMs: 1_000,
    onFault: (error) => logger.fault('infer failed', error, { stage: 'infer' }),
    runOnce: async (signal) => {
      const claim = await claimJob(database, 'QUEUED');
      if (!claim) return 0;
      await new InferenceTry(dependencies, worker, claim).run(signal);
      return 1;
    },
  });
}

/** One claim of one job, to its record, its next try or its end. */
class InferenceTry {
  readonly #lost = new AbortController();

  constructor(
    private readonly dependencies: InferDependencies,
    private readonly worker: WorkerClient,
    private readonly claim: Claim,
  ) {}

  async run(stopping: AbortSignal): Promise<void> {
    const { database, onInferred, logger } = this.dependencies;
    const { siteId, jobId } = this.claim;
    crashPoint('hub.infer.claimed');
    const job = await database.withSite(siteId, (sql) => readStudyJob(sql, jobId));
    if (!job) throw new AifiError('INTERNAL', 'a queued job does not exist');
    const done = new AbortController();
    const renewing = this.#renew(done.signal);
    try {
      const sealed = await this.#askWorker(job, AbortSignal.any([stopping, this.#lost.signal]));
      crashPoint('hub.infer.sealed');
      await this.#keep(job, sealed);
      crashPoint('hub.infer.committed');
      logger.info('job inferred', { stage: 'infer', siteId, jobId });
      onInferred();
    } catch (error) {
      await this.#afterFailure(job, error, stopping);
    } finally {
      done.abort();
      await renewing;
    }
  }

  /** Keeps the lease while the worker works; a lost claim ends the request. */
  async #renew(done: AbortSignal): Promise<void> {
    const { database, clock, logger } = this.dependencies;
    while (!done.aborted) {
      await clock.sleep(LIMITS.leaseMs / 3, done);
      if (done.aborted) return;
      try {
        if (!(await renewClaim(database, this.claim))) return this.#lost.abort();
      } catch (error) {
        // The next renewal still comes in time; if none does, the fencing token decides.
        logger.fault('lease not renewed', error, { stage: 'infer', jobId: this.claim.jobId });
      }
    }
  }

  async #askWorker(job: StudyJob, signal: AbortSignal): Promise<SealedAnswer> {
    const { siteId, jobId, leaseEpoch } = this.claim;
    const { product, revision, objects } = job.manifest;
    const model = this.dependencies.findModel(product.id, product.version);
    if (!model) throw new AifiError('MODEL_FAILED', 'the package of the job is gone');
    return this.worker.infer({
      siteId,
      product: product.id,
      version: product.version,
      requestId: `${jobId}-${revision}-${leaseEpoch}`,
      modelDigest: product.modelDigest,
      inputDigest: objectsDigest(objects.map((object) => object.sha256)),
      objects,
      timeoutMs: model.timeoutMs + TRANSFER_MS,
      signal,
    });
  }

  async #keep(job: StudyJob, sealed: SealedAnswer): Promise<void> {
    const { database, clock } = this.dependencies;
    const { siteId, jobId } = this.claim;
    await database.withSite(siteId, async (sql) => {
      await advanceClaim(sql, this.claim, 'QUEUED', 'INFERRED');
      await this.#insertRecord(sql, job, sealed);
      const atMs = clock.nowMs();
      await moveStudyJob(sql, { siteId, jobId, from: 'QUEUED', to: 'INFERRED', atMs });
      const payload = { jobId, revision: job.manifest.revision };
      await recordEvent(sql, { siteId, type: 'aifi.study.job.inferred.v1', atMs, payload });
    });
  }

  async #insertRecord(sql: Sql, { manifest }: StudyJob, kept: SealedAnswer): Promise<void> {
    const { siteId, jobId, leaseEpoch } = this.claim;
    const { model_digest, input_digest, started_at_ms, finished_at_ms } = kept.answer.parameters;
    await sql.run(
      `INSERT INTO inference_record (site_id, job_id, revision, model_digest, input_digest,
         lease_epoch, output_sha256, output_size_bytes, header_size_bytes, started_at, finished_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
      siteId,
      jobId,
      manifest.revision,
      model_digest,
      input_digest,
      leaseEpoch,
      kept.sealed.sha256,
      kept.sealed.sizeBytes,
      kept.headerSizeBytes,
      new Date(started_at_ms),
      new Date(finished_at_ms),
    );
  }

  async #afterFailure(job: StudyJob, error: unknown, stopping: AbortSignal): Promise<void> {
    const { database, clock, logger, config } = this.dependencies;
    const { siteId, jobId, attempts, queuedAtMs } = this.claim;
    const fields = { stage: 'infer', siteId, jobId, attempt: attempts + 1 };
    if (this.#lost.signal.aborted) return logger.warn('claim lost', fields);
    if (stopping.aborted) return releaseClaim(database, this.claim);
    const ageMs = clock.nowMs() - queuedAtMs;
    const step = nextStep({ error, attempts, ageMs, deadlineMs: config.deadlineMs });
    if (error instanceof WorkerRefusal) {
      logger.warn('the worker refused', { ...fields, code: error.code, status: step.kind });
    } else {
      logger.fault('inference failed', error, { ...fields, status: step.kind });
    }
    if (step.kind === 'retry') {
      const fault = error instanceof WorkerRefusal ? error.code : AifiError.from(error).code;
      return releaseClaim(database, this.claim, { ...step, fault });
    }
    await database.withSite(siteId, async (sql) => {
      await advanceClaim(sql, this.claim, 'QUEUED', 'DONE');
      const manifest = notAnalysed(job, { code: step.code }, clock.nowMs());
      await concludeJob(sql, { siteId, manifest, signingKey: this.dependencies.signingKey });
    });
    this.dependencies.onConcluded();
  }
}
