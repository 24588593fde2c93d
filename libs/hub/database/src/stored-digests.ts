/**
 * Stored digests: objects of open jobs of one site, for the nightly check, and its cursor.
 * Decides which objects must be whole now (pixels of jobs on their way, what a model gave and
 * nobody used yet, results that the gateway has not got) and what follows when one is not.
 * Invariants: a job that ends here leaves its queue with a higher lease epoch, so that whoever
 * works on it writes nothing more. Source: reliability specification 2 (digest re-check), P3, P4.
 */
import type { KeyObject } from 'node:crypto';
import type { JobId, ReasonCode, Sha256, SiteId } from '@aifi/shared-kernel';
import { concludeJob, notAnalysed } from './outcomes.js';
import type { Sql } from './sql.js';
import { readStudyJob } from './study-jobs.js';

export interface StoredDigest {
  readonly sha256: Sha256;
  readonly kind: 'pixels' | 'output' | 'result';
}
export interface DigestPass {
  readonly startedAt: Date;
  readonly finishedAt: Date | null;
  readonly position: string;
  readonly objects: number;
  readonly damaged: number;
}

/** Objects of one look. */
const BATCH_MAX = 100;
const ON_THE_WAY = `('OPEN', 'STORED', 'QUEUED', 'INFERRED')`;

/** After that digest, in its order. */
export function nextDigests(sql: Sql, after: string): Promise<StoredDigest[]> {
  return sql.rows<StoredDigest>(
    `SELECT sha256, min(kind) AS kind FROM (
       SELECT s.sha256, 'pixels' AS kind FROM study_object s WHERE s.sha256 > $1 AND EXISTS (
         SELECT 1 FROM job_object o JOIN study_job j USING (site_id, job_id)
         WHERE o.sha256 = s.sha256 AND j.state IN ${ON_THE_WAY})
       UNION ALL
       SELECT r.output_sha256, 'output' FROM inference_record r JOIN study_job j
         USING (site_id, job_id) WHERE j.state = 'INFERRED' AND r.output_sha256 > $1
       UNION ALL
       SELECT x.sha256, 'result' FROM outcome_object x JOIN outcome USING (site_id, job_id, issue)
         WHERE acked_at IS NULL AND superseded_at IS NULL AND x.sha256 > $1
     ) AS owed GROUP BY sha256 ORDER BY sha256 LIMIT ${BATCH_MAX}`,
    after,
  );
}

/** True when the object is still one of these. */
export async function isDigestOwed(sql: Sql, sha256: Sha256): Promise<boolean> {
  const row = await sql.row<{ owed: boolean }>(
    `SELECT EXISTS (SELECT 1 FROM study_object s JOIN job_object o USING (site_id, sha256)
         JOIN study_job j USING (site_id, job_id)
         WHERE s.sha256 = $1 AND j.state IN ${ON_THE_WAY})
       OR EXISTS (SELECT 1 FROM inference_record JOIN study_job j USING (site_id, job_id)
         WHERE output_sha256 = $1 AND j.state = 'INFERRED')
       OR EXISTS (SELECT 1 FROM outcome_object JOIN outcome USING (site_id, job_id, issue)
         WHERE sha256 = $1 AND acked_at IS NULL AND superseded_at IS NULL) AS owed`,
    sha256,
  );
  return row!.owed;
}

export interface Damage {
  readonly sha256: Sha256;
  readonly at: Date;
  /** Ed25519 key of the hub. */
  readonly signingKey: KeyObject;
}

/**
 * Ends the jobs that need a damaged object, and takes the row of damaged pixels away, so that an
 * open upload sends them again. A damaged result ends nothing: it is signed as it was.
 */
export async function endDamaged(
  sql: Sql,
  siteId: SiteId,
  { sha256, at, signingKey }: Damage,
): Promise<readonly JobId[]> {
  const jobs = await sql.rows<{ job_id: JobId; code: ReasonCode }>(
    `SELECT DISTINCT job_id, 'MALFORMED' AS code FROM job_object
       JOIN study_job USING (site_id, job_id)
       WHERE sha256 = $1 AND state IN ('STORED', 'QUEUED', 'INFERRED')
     UNION SELECT job_id, 'OUTPUT_INVALID' FROM inference_record
       JOIN study_job USING (site_id, job_id) WHERE output_sha256 = $1 AND state = 'INFERRED'`,
    sha256,
  );
  const ended = new Set<JobId>();
  for (const { job_id: jobId, code } of jobs) {
    const job = ended.has(jobId) ? undefined : await readStudyJob(sql, jobId);
    if (!job) continue;
    await sql.run(
      `UPDATE inference_job SET state = 'DONE', lease_until = NULL, lease_epoch = lease_epoch + 1
       WHERE job_id = $1 AND state <> 'DONE'`,
      jobId,
    );
    const manifest = notAnalysed(job, { code }, at.getTime());
    await concludeJob(sql, { siteId, manifest, signingKey });
    ended.add(jobId);
  }
  await sql.run('DELETE FROM study_object WHERE sha256 = $1', sha256);
  return [...ended];
}

export async function readDigestPass(sql: Sql): Promise<DigestPass | undefined> {
  return sql.row<DigestPass>(
    `SELECT started_at AS "startedAt", finished_at AS "finishedAt", position, objects, damaged
     FROM digest_pass`,
  );
}

export async function beginDigestPass(sql: Sql, siteId: SiteId, at: Date): Promise<void> {
  await sql.run(
    `INSERT INTO digest_pass VALUES ($1, $2, NULL, '', 0, 0) ON CONFLICT (site_id)
       DO UPDATE SET started_at = $2, finished_at = NULL, position = '', objects = 0, damaged = 0`,
    siteId,
    at,
  );
}

export async function advanceDigestPass(
  sql: Sql,
  { position, isDamaged }: { readonly position: string; readonly isDamaged: boolean },
): Promise<void> {
  await sql.run(
    'UPDATE digest_pass SET position = $1, objects = objects + 1, damaged = damaged + $2',
    position,
    isDamaged ? 1 : 0,
  );
}

export async function finishDigestPass(sql: Sql, at: Date): Promise<void> {
  await sql.run('UPDATE digest_pass SET finished_at = $1', at);
}
