/**
 * IngestStore on PostgreSQL.
 * Decides the statements; every one inside a transaction of one site, whose rows alone it sees.
 * Invariants: the study and its event are committed together; keys decide about repeats, never a
 * look before a write. Source: reliability specification P2, C3, F15.
 */
import { AifiError, crashPoint, sha256Hex, type JobId, type Sha256 } from '@aifi/shared-kernel';
import {
  moveStudyJob,
  readSite,
  recordEvent,
  type HubDatabase,
  type Sql,
} from '@aifi/hub-database';
import {
  OPEN_JOBS_MAX,
  OPEN_JOBS_SPAN_MS,
  RULE_SETS_TAKEN,
  type IngestStore,
  type StudyClosing,
  type StudyOpening,
  type StudyProgress,
} from './ingest-store.js';

export class PostgresIngestStore implements IngestStore {
  constructor(
    private readonly database: HubDatabase,
    private readonly openJobsMax = OPEN_JOBS_MAX,
  ) {}

  open(opening: StudyOpening): Promise<StudyProgress> {
    return this.database.withSite(opening.peer.siteId, async (sql) => {
      if (!(await readSite(sql))) throw new AifiError('FORBIDDEN', 'the site is not enrolled');
      const isNew = await insertJob(sql, opening);
      if (isNew) {
        await assertRulesAreNear(sql, opening.manifest.ruleSetSha256);
        await assertRoom(sql, opening, this.openJobsMax);
        await insertObjects(sql, opening);
      }
      return readProgress(sql, opening);
    });
  }

  close({ siteId, jobId, revision, manifestSha256, atMs }: StudyClosing): Promise<boolean> {
    return this.database.withSite(siteId, async (sql) => {
      const job = await sql.row<{ job_id: JobId; state: string; missing: number }>(
        `SELECT job_id, state, (SELECT count(*)::int FROM job_object o
           LEFT JOIN study_object s USING (site_id, sha256)
           WHERE o.job_id = j.job_id AND s.sha256 IS NULL) AS missing
         FROM study_job j WHERE job_id = $1 AND revision = $2 AND manifest_sha256 = $3 FOR UPDATE`,
        jobId,
        revision,
        manifestSha256,
      );
      if (!job) throw new AifiError('NOT_FOUND', 'no such job');
      if (job.state !== 'OPEN') return false;
      if (job.missing > 0) throw new AifiError('STATE_CONFLICT', 'objects of the job are missing');
      const move = { siteId, jobId: job.job_id, atMs };
      await moveStudyJob(sql, { ...move, from: 'OPEN', to: 'STORED' });
      crashPoint('hub.ingest.study-moved');
      const payload = { jobId, revision };
      await recordEvent(sql, { ...move, type: 'aifi.study.study.stored.v1', payload });
      return true;
    });
  }
}

async function insertJob(sql: Sql, opening: StudyOpening): Promise<boolean> {
  const { peer, manifest, manifestBytes, envelope, atMs } = opening;
  const { jobId, revision, product, lane } = manifest;
  const changed = await sql.run(
    `INSERT INTO study_job (site_id, job_id, revision, product, version, model_digest, lane,
       manifest, manifest_sha256, envelope, state, opened_at, study_pseudonym, gateway)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'OPEN', $11, $12, $13)
     ON CONFLICT (site_id, job_id) DO NOTHING`,
    peer.siteId,
    jobId,
    revision,
    product.id,
    product.version,
    product.modelDigest,
    lane,
    manifestBytes,
    sha256Hex(manifestBytes),
    envelope,
    new Date(atMs),
    // A pseudonym: the gateway sends no other UID.
    manifest.studyInstanceUid,
    peer.gateway,
  );
  return changed === 1;
}

async function assertRulesAreNear(sql: Sql, ruleSetSha256: Sha256): Promise<void> {
  const near = await sql.rows<{ rules_sha256: string }>(
    'SELECT rules_sha256 FROM routing_rules ORDER BY sequence DESC LIMIT $1',
    RULE_SETS_TAKEN,
  );
  if (!near.some((row) => row.rules_sha256 === ruleSetSha256)) {
    throw new AifiError('RULES_OUTDATED', 'the study was selected by other rules than the newest');
  }
}

/**
 * After the insert, so that the job itself is counted; jobs that others open at this moment are
 * not, and there are no more of those than connections. Counts to the limit and no further, in
 * study_job_newest_of_site_in_state.
 */
async function assertRoom(sql: Sql, { peer, atMs }: StudyOpening, max: number): Promise<void> {
  const row = await sql.row<{ open: number }>(
    `SELECT count(*)::int AS open FROM (SELECT FROM study_job
       WHERE site_id = $1 AND state = 'OPEN' AND opened_at > $2 LIMIT $3) AS counted`,
    peer.siteId,
    new Date(atMs - OPEN_JOBS_SPAN_MS),
    max + 1,
  );
  if ((row?.open ?? 0) > max) {
    throw new AifiError('LIMIT_EXCEEDED', 'the site has too many studies open');
  }
}

async function insertObjects(sql: Sql, { peer, manifest }: StudyOpening): Promise<void> {
  await sql.run(
    `INSERT INTO job_object (site_id, job_id, position, sha256, size_bytes)
     SELECT $1, $2, o.position - 1, o.sha256, o.size_bytes::bigint
     FROM unnest($3::text[], $4::text[]) WITH ORDINALITY AS o(sha256, size_bytes, position)`,
    peer.siteId,
    manifest.jobId,
    manifest.objects.map((object) => object.sha256),
    manifest.objects.map((object) => String(object.sizeBytes)),
  );
}

/** The same answer for the same bytes; STATE_CONFLICT for other bytes under this job. */
async function readProgress(
  sql: Sql,
  { manifest: { jobId }, manifestBytes, envelope }: StudyOpening,
): Promise<StudyProgress> {
  const job = await sql.row<{ state: string }>(
    'SELECT state FROM study_job WHERE job_id = $1 AND manifest_sha256 = $2 AND envelope = $3',
    jobId,
    sha256Hex(manifestBytes),
    envelope,
  );
  if (!job) throw new AifiError('STATE_CONFLICT', 'the job was opened with other bytes');
  const held = await sql.rows<{ sha256: Sha256 }>(
    `SELECT DISTINCT sha256 FROM job_object JOIN study_object USING (site_id, sha256)
     WHERE job_id = $1`,
    jobId,
  );
  return { isStored: job.state !== 'OPEN', held: held.map((row) => row.sha256) };
}
