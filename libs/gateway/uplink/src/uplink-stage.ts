/**
 * Uplink: spooled studies to the hub, over a connection that the gateway dials.
 * Decides when a study counts as uploaded: the hub's StudyAck with our manifest hash.
 * Invariants: an object is sent again only when it was not acknowledged; no attempt limit, full
 * jitter between attempts; memory holds chunks, never objects.
 * Source: reliability specification 2 (P2), F7 (always wait for drain).
 */
import {
  AifiError,
  backoffMs,
  crashPoint,
  pollingStage,
  type Clock,
  type Sha256,
  type Stage,
  type Wake,
} from '@aifi/shared-kernel';
import type { uplink } from '@aifi/contracts-proto';
import { moveJob, type GatewayDatabase } from '@aifi/gateway-database';
import type { Logger } from '@aifi/shared-observability';
import { openStudy, closeStudy, putObjects, type SpooledObject } from './uplink-client.js';

export interface UplinkDependencies {
  readonly database: GatewayDatabase;
  readonly client: uplink.UplinkServiceClient;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly wake: Wake;
  readonly onDone: () => void;
}

interface QueuedJob {
  readonly job_id: string;
  readonly revision: number;
  readonly manifest: Uint8Array;
  readonly manifest_sha256: string;
  readonly envelope: Uint8Array;
  readonly attempts: number;
}

export function createUplinkStage(dependencies: UplinkDependencies): Stage {
  const { database, clock, logger, wake } = dependencies;
  return pollingStage({
    name: 'uplink',
    clock,
    wake,
    intervalMs: 500,
    onFault: (error) => logger.fault('uplink failed', error, { stage: 'uplink' }),
    runOnce: async (signal) => {
      // Acute first, then in the order of arrival.
      const job = database.read((sql) =>
        sql.get<QueuedJob>(
          `SELECT s.* FROM spool_job s JOIN job j USING (job_id)
           WHERE s.state = 'QUEUED' AND s.next_attempt_ms <= ? AND j.terminal_ms IS NULL
           ORDER BY j.lane = 'acute' DESC, j.created_ms LIMIT 1`,
          clock.nowMs(),
        ),
      );
      if (!job) return 0;
      await uploadJob(dependencies, job, signal);
      return 1;
    },
  });
}

async function uploadJob(
  dependencies: UplinkDependencies,
  job: QueuedJob,
  signal: AbortSignal,
): Promise<void> {
  const { logger, onDone } = dependencies;
  try {
    const opened = await openStudy(dependencies.client, {
      jobId: job.job_id,
      revision: job.revision,
      manifest: Buffer.from(job.manifest),
      envelope: Buffer.from(job.envelope),
    });
    if (!opened.stored) await sendObjects(dependencies, job, new Set(opened.heldSha256), signal);
    crashPoint('gateway.uplink.before-close');
    await closeStudy(dependencies.client, {
      jobId: job.job_id,
      revision: job.revision,
      manifestSha256: job.manifest_sha256,
    });
    crashPoint('gateway.uplink.after-close');
    await markUploaded(dependencies, job);
    logger.info('study uploaded', { stage: 'uplink', jobId: job.job_id });
    onDone();
  } catch (error) {
    if (signal.aborted) return;
    await postpone(dependencies, job, AifiError.from(error));
  }
}

async function sendObjects(
  { database, client }: UplinkDependencies,
  job: QueuedJob,
  held: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<void> {
  const objects = database.read((sql) =>
    sql.all<SpooledObject>(
      `SELECT sha256, size_bytes AS sizeBytes, path FROM spool_object WHERE job_id = ?`,
      job.job_id,
    ),
  );
  const owed = objects.filter((object) => !held.has(object.sha256));
  const acknowledge = async (sha256: Sha256): Promise<void> => {
    await database.write((sql) =>
      sql.run(
        'UPDATE spool_object SET acked = 1 WHERE job_id = ? AND sha256 = ?',
        job.job_id,
        sha256,
      ),
    );
  };
  if (owed.length > 0)
    await putObjects({ client, jobId: job.job_id, objects: owed, acknowledge, signal });
}

async function markUploaded(
  { database, clock }: UplinkDependencies,
  job: QueuedJob,
): Promise<void> {
  await database.write((sql) => {
    // The outcome may have overtaken us on the downlink, which then has moved the job already.
    const open = sql.run(
      `UPDATE spool_job SET state = 'STORED', attempts = attempts + 1
       WHERE job_id = ? AND state = 'QUEUED'`,
      job.job_id,
    );
    if (open === 0) return;
    moveJob(sql, {
      jobId: job.job_id,
      from: 'SPOOLED',
      to: 'UPLOADED',
      stage: 'uplink',
      event: 'uploaded',
      atMs: clock.nowMs(),
      detail: { attempt: job.attempts + 1 },
    });
  });
}

async function postpone(
  { database, clock, logger }: UplinkDependencies,
  job: QueuedJob,
  error: AifiError,
): Promise<void> {
  const attempt = job.attempts + 1;
  logger.fault('upload postponed', error, { stage: 'uplink', jobId: job.job_id, attempt });
  await database.write((sql) =>
    sql.run(
      `UPDATE spool_job SET attempts = ?, next_attempt_ms = ?, last_fault = ? WHERE job_id = ?`,
      attempt,
      clock.nowMs() + backoffMs(attempt),
      error.code,
      job.job_id,
    ),
  );
}
