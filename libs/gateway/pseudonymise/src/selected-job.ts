/**
 * Selected jobs and their received files, as rows of the pipeline database.
 * Decides which instances belong to a job: those of its series that its revision has.
 * Invariant: the order is that of arrival, so that a second run sees the same.
 */
import type { GatewayDatabase } from '@aifi/gateway-database';
import type { JobId, OriginalUid, Sha256 } from '@aifi/shared-kernel';

export interface SelectedJob {
  readonly jobId: JobId;
  readonly studyId: number;
  readonly studyUid: OriginalUid;
  readonly seriesUid: OriginalUid;
  readonly revision: number;
  readonly product: string;
  readonly productVersion: string;
  readonly modelDigest: Sha256;
  readonly lane: 'acute' | 'routine';
  readonly ruleSetSha256: Sha256;
  /** JSON [{rule, verdict}]. */
  readonly attestations: string;
  /** DeidentificationContract as JSON; null: the default one. */
  readonly deidentification: string | null;
  /** EarlyStart as JSON; null: its study was whole. */
  readonly early: string | null;
}
export interface SourceInstance {
  readonly path: string;
  /** Digest of the received file. */
  readonly sha256: Sha256;
  readonly receivedMs: number;
}

/** Acute first, then in the order of selection; a bounded batch without those that rest. */
export function selectedJobs(
  database: GatewayDatabase,
  resting: readonly JobId[] = [],
): SelectedJob[] {
  return database.read((sql) =>
    sql.all<SelectedJob>(
      `SELECT job_id AS jobId, study_id AS studyId, study_uid AS studyUid,
         series_uid AS seriesUid, job.revision, product, product_version AS productVersion,
         model_digest AS modelDigest, lane, rule_set_sha256 AS ruleSetSha256, attestations,
         deidentification, early
       FROM job JOIN study USING (study_id) WHERE state = 'SELECTED'
         AND job_id NOT IN (SELECT value FROM json_each(?))
       ORDER BY lane = 'acute' DESC, created_ms LIMIT 20`,
      JSON.stringify(resting),
    ),
  );
}

export function sourcesOf(database: GatewayDatabase, job: SelectedJob): SourceInstance[] {
  return database.read((sql) =>
    sql.all<SourceInstance>(
      `SELECT path, sha256, received_ms AS receivedMs FROM revision_instance
       WHERE study_id = ? AND series_uid = ? AND of_revision = ? ORDER BY instance_id`,
      job.studyId,
      job.seriesUid,
      job.revision,
    ),
  );
}

/** Files of the study's other series: they do not leave, but must be of the same patient. */
export function siblingPathsOf(database: GatewayDatabase, job: SelectedJob): string[] {
  return database
    .read((sql) =>
      sql.all<{ path: string }>(
        `SELECT path FROM revision_instance
         WHERE study_id = ? AND series_uid <> ? AND of_revision = ? ORDER BY instance_id`,
        job.studyId,
        job.seriesUid,
        job.revision,
      ),
    )
    .map(({ path }) => path);
}

/** True when retention has removed images of this revision of the study. */
export function hasRemovedImages(database: GatewayDatabase, job: SelectedJob): boolean {
  const removed = database.read((sql) =>
    sql.get(
      `SELECT 1 FROM revision_instance
       WHERE study_id = ? AND of_revision = ? AND removed_ms IS NOT NULL LIMIT 1`,
      job.studyId,
      job.revision,
    ),
  );
  return removed !== undefined;
}
