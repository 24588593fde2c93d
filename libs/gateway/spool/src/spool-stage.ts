/**
 * Spool: the durable queue between pseudonymise and uplink.
 * Decides when a study counts as queued (rows committed, files durable before) and when its files
 * may go (after StudyAck). Invariant: only PseudonymisedInstance enters; put is idempotent.
 * Source: reliability specification 2 (P1, P2, deletion rules).
 */
import { join } from 'node:path';
import {
  crashPoint,
  nodeFileSystem,
  pollingStage,
  type Clock,
  type FileSystem,
  type JobId,
  type Stage,
  type Wake,
} from '@aifi/shared-kernel';
import type { PseudonymisedStudy } from '@aifi/dicom-deidentification';
import { moveJob, type GatewayDatabase } from '@aifi/gateway-database';
import type { Logger } from '@aifi/shared-observability';

export interface SpoolDependencies {
  readonly database: GatewayDatabase;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly wake: Wake;
  /** Folder with one sub-folder per job. */
  readonly spoolFolder: string;
  /** @default the disk of this machine */
  readonly files?: FileSystem | undefined;
  readonly onDone: () => void;
}
export interface Spool {
  /** Queues a study; resolves when its rows are durable. */
  put(study: PseudonymisedStudy): Promise<void>;
  /** Removes files that are no longer owed to the hub. */
  readonly stage: Stage;
}

export function createSpool(dependencies: SpoolDependencies): Spool {
  const { clock, logger, wake } = dependencies;
  return {
    put: (study) => put(dependencies, study),
    stage: pollingStage({
      name: 'spool',
      clock,
      wake,
      intervalMs: 60_000,
      onFault: (error) => logger.fault('spool clean-up failed', error, { stage: 'spool' }),
      runOnce: async () => {
        await removeUnowedFolders(dependencies);
        return 0;
      },
    }),
  };
}

async function put(
  { database, clock, logger, onDone }: SpoolDependencies,
  study: PseudonymisedStudy,
): Promise<void> {
  const { jobId, revision, manifest, manifestSha256, envelope, instances } = study;
  crashPoint('gateway.spool.before-commit');
  await database.write((sql) => {
    sql.run(
      `INSERT INTO spool_job (job_id, revision, manifest, manifest_sha256, envelope, state)
       VALUES (?, ?, ?, ?, ?, 'QUEUED')`,
      jobId,
      revision,
      manifest,
      manifestSha256,
      envelope,
    );
    for (const { sha256, sizeBytes, path } of instances) {
      sql.run(
        `INSERT OR IGNORE INTO spool_object (job_id, sha256, size_bytes, path) VALUES (?, ?, ?, ?)`,
        jobId,
        sha256,
        sizeBytes,
        path,
      );
    }
    moveJob(sql, {
      jobId,
      from: 'SELECTED',
      to: 'SPOOLED',
      stage: 'spool',
      event: 'spooled',
      atMs: clock.nowMs(),
      detail: { objects: instances.length, manifestSha256 },
    });
  });
  crashPoint('gateway.spool.after-commit');
  logger.info('study spooled', { stage: 'spool', jobId, count: instances.length });
  onDone();
}

/** Folders of jobs whose study the hub holds, or that reached an end without it. */
async function removeUnowedFolders({
  database,
  spoolFolder,
  files = nodeFileSystem,
}: SpoolDependencies): Promise<void> {
  const folders = await files.names(spoolFolder).catch(() => []);
  for (const jobId of folders) {
    if (!isOwed(database, jobId as JobId)) {
      await files.remove(join(spoolFolder, jobId));
    }
  }
}

function isOwed(database: GatewayDatabase, jobId: JobId): boolean {
  const owed = database.read((sql) =>
    sql.get(
      `SELECT 1 FROM job LEFT JOIN spool_job USING (job_id)
       WHERE job.job_id = ? AND (job.state = 'SELECTED'
         OR (spool_job.state = 'QUEUED' AND job.terminal_ms IS NULL))`,
      jobId,
    ),
  );
  return owed !== undefined;
}
