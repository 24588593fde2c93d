/**
 * Pixel holds: images of a job that a person has to look at.
 * Decides how a hold is kept and when a released file may pass. Invariants: a decision belongs to
 * one file of one job, by its digest; a decision is never taken back by the pipeline.
 * Source: pseudonymisation specification 1.5 (human release).
 */
import { moveJob, type GatewayDatabase } from '@aifi/gateway-database';
import type { PixelFinding } from '@aifi/dicom-pixel-gate';
import type { JobId, Sha256 } from '@aifi/shared-kernel';

export interface NewPixelHold {
  readonly sha256: Sha256;
  /** Fixed words. */
  readonly reason: string;
  readonly findings: readonly PixelFinding[];
}

/** Digests of the job's files that a person has released. */
export function releasedFiles(database: GatewayDatabase, jobId: JobId): ReadonlySet<string> {
  const rows = database.read((sql) =>
    sql.all<{ sha256: string }>(
      `SELECT sha256 FROM pixel_hold WHERE job_id = ? AND state = 'RELEASED'`,
      jobId,
    ),
  );
  return new Set(rows.map(({ sha256 }) => sha256));
}

/** Holds the files and the job with them, in one transaction. */
export function holdJob(
  database: GatewayDatabase,
  jobId: JobId,
  holds: readonly NewPixelHold[],
  atMs: number,
): Promise<void> {
  return database.write((sql) => {
    for (const { sha256, reason, findings } of holds) {
      sql.run(
        `INSERT INTO pixel_hold (job_id, sha256, reason, findings, state, held_ms)
         VALUES (?, ?, ?, ?, 'WAITING', ?) ON CONFLICT (job_id, sha256) DO NOTHING`,
        ...[jobId, sha256, reason, JSON.stringify(findings), atMs],
      );
    }
    moveJob(sql, {
      ...{ jobId, from: 'SELECTED', to: 'QUARANTINED', stage: 'pseudonymise', event: 'held', atMs },
      code: 'QUARANTINED_PIXELS',
      reason: holds[0]!.reason,
      detail: { files: holds.length },
    });
  });
}
