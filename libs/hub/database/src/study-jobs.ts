/**
 * The state of a job at the hub, and the read models of it.
 * Decides that a state changes only by moveStudyJob, one step forward, with its time beside it.
 * Invariant: no state goes backwards; the list of jobs holds no identity and no manifest.
 * Source: reliability specification 2 (invariants asserted at run time).
 */
import { decodeManifest, studyManifestSchema, type StudyManifest } from '@aifi/contracts-manifests';
import { AifiError, type JobId, type Sha256, type SiteId } from '@aifi/shared-kernel';
import type { HubDatabase } from './hub-database.js';
import type { Sql } from './sql.js';

const TIME_COLUMN = {
  OPEN: 'opened_at',
  STORED: 'stored_at',
  QUEUED: 'queued_at',
  INFERRED: 'inferred_at',
  CONCLUDED: 'concluded_at',
  ACKNOWLEDGED: 'acknowledged_at',
} as const;
export type StudyJobState = keyof typeof TIME_COLUMN;

export interface StudyJobMove {
  readonly siteId: SiteId;
  readonly jobId: JobId;
  readonly from: StudyJobState | readonly StudyJobState[];
  readonly to: StudyJobState;
  readonly atMs: number;
  /** Reason code of a job without a result. */
  readonly code?: string;
}

/** STATE_CONFLICT when the job is not (any more) in one of the states it may leave. */
export async function moveStudyJob(sql: Sql, move: StudyJobMove): Promise<void> {
  const changed = await sql.run(
    `UPDATE study_job SET state = $3, code = COALESCE($4, code), ${TIME_COLUMN[move.to]} = $5
     WHERE site_id = $1 AND job_id = $2 AND state = ANY($6)`,
    move.siteId,
    move.jobId,
    move.to,
    move.code ?? null,
    new Date(move.atMs),
    typeof move.from === 'string' ? [move.from] : move.from,
  );
  if (changed !== 1) throw new AifiError('STATE_CONFLICT', `job cannot become ${move.to}`);
}

export interface StudyJob {
  readonly state: StudyJobState;
  readonly manifest: StudyManifest;
  readonly manifestSha256: Sha256;
}

/** The job with its manifest as sent; undefined when this site has none of that id. */
export async function readStudyJob(sql: Sql, jobId: JobId): Promise<StudyJob | undefined> {
  const row = await sql.row<{ state: StudyJobState; manifest: Buffer; manifest_sha256: Sha256 }>(
    'SELECT state, manifest, manifest_sha256 FROM study_job WHERE job_id = $1',
    jobId,
  );
  return (
    row && {
      state: row.state,
      manifest: decodeManifest(studyManifestSchema, row.manifest),
      manifestSha256: row.manifest_sha256,
    }
  );
}

export interface JobKey {
  readonly siteId: SiteId;
  readonly jobId: JobId;
}
/** Jobs of all sites that are stored and not yet routed, oldest first. */
export async function listStoredJobs(database: HubDatabase, limit: number): Promise<JobKey[]> {
  const rows = await database.withQueue((sql) =>
    sql.rows<{ site_id: SiteId; job_id: JobId }>(
      `SELECT site_id, job_id FROM study_job WHERE state = 'STORED' ORDER BY stored_at LIMIT $1`,
      limit,
    ),
  );
  return rows.map((row) => ({ siteId: row.site_id, jobId: row.job_id }));
}

/** Jobs of all sites per state. */
export async function countJobs(database: HubDatabase): Promise<ReadonlyMap<string, number>> {
  const rows = await database.withQueue((sql) =>
    sql.rows<{ state: string; n: number }>(
      'SELECT state, count(*)::int AS n FROM study_job GROUP BY state',
    ),
  );
  return new Map(rows.map((row) => [row.state, row.n]));
}
