/**
 * Outcomes: how a job ended, signed, numbered per site and kept together with its objects' digests.
 * Decides that every job ends in exactly one outcome per issue, in the transaction that moves its
 * state and writes its event. Invariant: numbers of a site have no gap that fills later, because
 * the site's row is locked until commit. Source: reliability specification C6, P4, P5.
 */
import type { KeyObject } from 'node:crypto';
import {
  encodeManifest,
  outcomeManifestSchema,
  signManifest,
  type OutcomeManifest,
} from '@aifi/contracts-manifests';
import {
  AifiError,
  type JobId,
  type ReasonCode,
  type Sha256,
  type SiteId,
} from '@aifi/shared-kernel';
import { recordEvent } from './outbox.js';
import type { Sql } from './sql.js';
import { moveStudyJob, type StudyJob } from './study-jobs.js';

export interface Conclusion {
  readonly siteId: SiteId;
  readonly manifest: OutcomeManifest;
  /** Ed25519 key of the hub. */
  readonly signingKey: KeyObject;
}

/** Keeps the outcome; STATE_CONFLICT when the job has ended already. */
export async function concludeJob(sql: Sql, conclusion: Conclusion): Promise<void> {
  const { siteId, manifest, signingKey } = conclusion;
  const { jobId, revision, issue, code, finishedAtMs: atMs } = manifest;
  const bytes = encodeManifest(outcomeManifestSchema, manifest);
  await moveStudyJob(sql, {
    siteId,
    jobId,
    from: ['STORED', 'QUEUED', 'INFERRED'],
    to: 'CONCLUDED',
    atMs,
    ...(code ? { code } : {}),
  });
  const numbered = await sql.row<{ outcome_sequence: string }>(
    `UPDATE site SET outcome_sequence = outcome_sequence + 1 WHERE site_id = $1
     RETURNING outcome_sequence`,
    siteId,
  );
  if (!numbered) throw new AifiError('NOT_FOUND', 'the site is not enrolled');
  await sql.run(
    `INSERT INTO outcome
       (site_id, job_id, revision, issue, sequence, manifest, signature, created_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
    siteId,
    jobId,
    revision,
    issue,
    numbered.outcome_sequence,
    bytes,
    signManifest(bytes, signingKey),
    new Date(atMs),
  );
  for (const object of manifest.objects) {
    await sql.run(
      `INSERT INTO outcome_object (site_id, job_id, issue, output_index, sha256, size_bytes)
       VALUES ($1, $2, $3, $4, $5, $6)`,
      siteId,
      jobId,
      issue,
      object.index,
      object.sha256,
      object.sizeBytes,
    );
  }
  const outcome = code ? { outcome: manifest.outcome, code } : { outcome: manifest.outcome };
  const { id: product, version } = manifest.product;
  const payload = { jobId, revision, issue, product, version, ...outcome };
  await recordEvent(sql, { siteId, type: 'aifi.study.outcome.concluded.v1', atMs, payload });
}

/** The manifest of a job that gave no result. */
export function notAnalysed(
  job: StudyJob,
  refusal: { readonly code: ReasonCode; readonly detail?: string },
  atMs: number,
): OutcomeManifest {
  const { manifest, manifestSha256 } = job;
  return {
    schema: 'aifi.outcome-manifest.v1',
    jobId: manifest.jobId,
    revision: manifest.revision,
    issue: 0,
    product: manifest.product,
    outcome: 'NOT_ANALYSED',
    code: refusal.code,
    ...(refusal.detail === undefined ? {} : { detail: refusal.detail }),
    manifestSha256,
    objects: [],
    mintedUids: [],
    finishedAtMs: atMs,
  };
}

/** An outcome as it travels: signed bytes, the gateway's own envelope, digests of its objects. */
export interface SignedOutcome {
  readonly sequence: number;
  readonly jobId: JobId;
  readonly revision: number;
  readonly issue: number;
  readonly manifest: Buffer;
  readonly signature: Buffer;
  readonly envelope: Buffer;
  readonly objects: readonly { readonly sha256: Sha256; readonly sizeBytes: number }[];
}

interface OutcomeRow extends Omit<SignedOutcome, 'sequence' | 'objects' | 'jobId'> {
  readonly sequence: string;
  readonly job_id: JobId;
}

/** The oldest outcome of this site after `afterSequence` that is not acknowledged. */
export async function nextOutcome(
  sql: Sql,
  afterSequence: number,
): Promise<SignedOutcome | undefined> {
  const row = await sql.row<OutcomeRow>(
    `SELECT o.sequence, o.job_id, o.revision, o.issue, o.manifest, o.signature, j.envelope
     FROM outcome o JOIN study_job j USING (site_id, job_id)
     WHERE o.acked_at IS NULL AND o.sequence > $1 ORDER BY o.sequence LIMIT 1`,
    afterSequence,
  );
  if (!row) return undefined;
  const objects = await sql.rows<{ sha256: Sha256; size_bytes: string }>(
    `SELECT sha256, size_bytes FROM outcome_object WHERE job_id = $1 AND issue = $2
     ORDER BY output_index`,
    row.job_id,
    row.issue,
  );
  const { job_id: jobId, revision, issue, manifest, signature, envelope } = row;
  return {
    sequence: Number(row.sequence),
    ...{ jobId, revision, issue, manifest, signature, envelope },
    objects: objects.map((o) => ({ sha256: o.sha256, sizeBytes: Number(o.size_bytes) })),
  };
}

export interface OutcomeKey {
  readonly siteId: SiteId;
  readonly jobId: JobId;
  readonly revision: number;
  readonly issue: number;
}

/** Notes that the outcome is durable at the gateway; repeating it changes nothing. */
export async function acknowledgeOutcome(sql: Sql, key: OutcomeKey, atMs: number): Promise<void> {
  const { siteId, jobId, revision, issue } = key;
  const found = await sql.row<{ acked: boolean }>(
    `SELECT acked_at IS NOT NULL AS acked FROM outcome
     WHERE job_id = $1 AND revision = $2 AND issue = $3 FOR UPDATE`,
    jobId,
    revision,
    issue,
  );
  if (!found) throw new AifiError('NOT_FOUND', 'no such outcome');
  if (found.acked) return;
  await sql.run(
    'UPDATE outcome SET acked_at = $3 WHERE job_id = $1 AND issue = $2',
    jobId,
    issue,
    new Date(atMs),
  );
  await moveStudyJob(sql, { siteId, jobId, from: 'CONCLUDED', to: 'ACKNOWLEDGED', atMs });
  const payload = { jobId, revision, issue };
  await recordEvent(sql, { siteId, type: 'aifi.study.outcome.acknowledged.v1', atMs, payload });
}
