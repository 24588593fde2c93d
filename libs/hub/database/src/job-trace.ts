/**
 * Read model of one job at the hub: every hop with its times, claims, failed tries and digests.
 * Decides what an operator may see of a job: nothing that names a study, not even its pseudonym.
 * Invariant: each site's rows are read inside that site's own transaction (guard C3).
 */
import type { HubJob } from '@aifi/contracts-rest';
import { AifiError, type SiteId } from '@aifi/shared-kernel';
import type { HubDatabase } from './hub-database.js';
import type { Sql } from './sql.js';

interface JobKeyRow {
  readonly site_id: SiteId;
  readonly job_id: string;
}

/** The sites are few: one look into the primary key for each. A test asks the planner about it. */
export const JOB_SITES_SQL =
  'SELECT j.site_id, j.job_id FROM site s JOIN study_job j USING (site_id) WHERE job_id = $1';

/** The job at each site that has one of this id: one, unless a site takes another's ids. */
export async function readHubJobs(database: HubDatabase, jobId: string): Promise<HubJob[]> {
  const keys = await database.withQueue((sql) => sql.rows<JobKeyRow>(JOB_SITES_SQL, jobId));
  if (keys.length === 0) throw new AifiError('NOT_FOUND', 'no such job at this hub');
  return readJobs(database, keys);
}

/** Every job of one pseudonymous study at one site, oldest first; NOT_FOUND when it has none. */
export async function readStudyHops(
  database: HubDatabase,
  siteId: string,
  studyPseudonym: string,
): Promise<{ studyPseudonym: string; jobs: HubJob[] }> {
  const keys = await database.withQueue((sql) =>
    sql.rows<JobKeyRow>(
      `SELECT site_id, job_id FROM study_job WHERE study_pseudonym = $1 AND site_id = $2
       ORDER BY opened_at, job_id LIMIT $3`,
      studyPseudonym,
      siteId,
      STUDY_JOBS_MAX,
    ),
  );
  if (keys.length === 0) throw new AifiError('NOT_FOUND', 'no such study at this site');
  return { studyPseudonym, jobs: await readJobs(database, keys) };
}

async function readJobs(database: HubDatabase, keys: readonly JobKeyRow[]): Promise<HubJob[]> {
  const jobs: HubJob[] = [];
  for (const { site_id: siteId, job_id: jobId } of keys) {
    jobs.push(await database.withSite(siteId, (sql) => readHubJob(sql, jobId)));
  }
  return jobs;
}

/** Products x revisions of one study; a gateway that repeats itself makes no page longer. */
const STUDY_JOBS_MAX = 100;

interface JobRow extends Omit<HubJob, 'objects' | 'times' | 'queue' | 'inference' | 'outcomes'> {
  readonly opened_at: Date;
  readonly stored_at: Date | null;
  readonly queued_at: Date | null;
  readonly inferred_at: Date | null;
  readonly concluded_at: Date | null;
  readonly acknowledged_at: Date | null;
}
const timeMs = (value: Date | null): number | null => value?.getTime() ?? null;

async function readHubJob(sql: Sql, jobId: string): Promise<HubJob> {
  const row = await sql.row<JobRow>(
    `SELECT site_id AS "siteId", job_id AS "jobId", product, version, model_digest AS "modelDigest",
       lane, revision, state, code, manifest_sha256 AS "manifestSha256", opened_at, stored_at,
       queued_at, inferred_at, concluded_at, acknowledged_at
     FROM study_job WHERE job_id = $1`,
    jobId,
  );
  if (!row) throw new AifiError('NOT_FOUND', 'no such job at this hub');
  const { opened_at, stored_at, queued_at, inferred_at, concluded_at, acknowledged_at, ...job } =
    row;
  return {
    ...job,
    objects: await readObjects(sql, jobId),
    times: {
      openedAtMs: opened_at.getTime(),
      storedAtMs: timeMs(stored_at),
      queuedAtMs: timeMs(queued_at),
      inferredAtMs: timeMs(inferred_at),
      concludedAtMs: timeMs(concluded_at),
      acknowledgedAtMs: timeMs(acknowledged_at),
    },
    queue: await readQueue(sql, jobId),
    inference: await readInference(sql, jobId),
    outcomes: await readOutcomes(sql, jobId),
  };
}

async function readObjects(sql: Sql, jobId: string): Promise<HubJob['objects']> {
  const row = await sql.row<{ declared: number; held: number; bytes: string }>(
    `SELECT count(*)::int AS declared, count(s.sha256)::int AS held,
       COALESCE(sum(o.size_bytes), 0) AS bytes
     FROM job_object o LEFT JOIN study_object s USING (site_id, sha256) WHERE job_id = $1`,
    jobId,
  );
  return { declared: row!.declared, held: row!.held, bytes: Number(row!.bytes) };
}

async function readQueue(sql: Sql, jobId: string): Promise<HubJob['queue']> {
  const row = await sql.row<{
    state: string;
    lease_epoch: string;
    attempts: number;
    lease_until: Date | null;
    next_attempt_at: Date;
    last_fault: string | null;
  }>(
    `SELECT state, lease_epoch, attempts, lease_until, next_attempt_at, last_fault
     FROM inference_job WHERE job_id = $1`,
    jobId,
  );
  if (!row) return null;
  return {
    state: row.state,
    leaseEpoch: Number(row.lease_epoch),
    attempts: row.attempts,
    leaseUntilMs: timeMs(row.lease_until),
    nextAttemptAtMs: row.next_attempt_at.getTime(),
    lastFault: row.last_fault,
  };
}

async function readInference(sql: Sql, jobId: string): Promise<HubJob['inference']> {
  const row = await sql.row<{
    model_digest: string;
    input_digest: string;
    output_sha256: string;
    output_size_bytes: string;
    lease_epoch: string;
    started_at: Date;
    finished_at: Date;
  }>('SELECT * FROM inference_record WHERE job_id = $1', jobId);
  if (!row) return null;
  return {
    modelDigest: row.model_digest,
    inputDigest: row.input_digest,
    outputSha256: row.output_sha256,
    outputBytes: Number(row.output_size_bytes),
    leaseEpoch: Number(row.lease_epoch),
    startedAtMs: row.started_at.getTime(),
    finishedAtMs: row.finished_at.getTime(),
  };
}

async function readOutcomes(sql: Sql, jobId: string): Promise<HubJob['outcomes']> {
  const rows = await sql.rows<{
    issue: number;
    sequence: string;
    created_at: Date;
    acked_at: Date | null;
  }>(
    'SELECT issue, sequence, created_at, acked_at FROM outcome WHERE job_id = $1 ORDER BY issue',
    jobId,
  );
  const objects = await sql.rows<{
    issue: number;
    output_index: number;
    sha256: string;
    size_bytes: string;
  }>('SELECT * FROM outcome_object WHERE job_id = $1 ORDER BY output_index', jobId);
  return rows.map((row) => ({
    issue: row.issue,
    sequence: Number(row.sequence),
    createdAtMs: row.created_at.getTime(),
    acknowledgedAtMs: timeMs(row.acked_at),
    objects: objects
      .filter((object) => object.issue === row.issue)
      .map(({ output_index: index, sha256, size_bytes: bytes }) => ({
        ...{ index, sha256 },
        bytes: Number(bytes),
      })),
  }));
}
