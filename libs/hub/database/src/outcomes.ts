/**
 * Outcomes: how a job ended, signed, numbered per site and kept together with its objects' digests.
 * Decides that every job ends in exactly one outcome per issue, in the transaction that moves its
 * state and writes its event. Invariant: numbers of a site have no gap that fills later, because
 * the site's row is locked until commit; an outcome is marked released before it leaves, and none
 * leaves after a newer revision or issue did. Source: reliability specification C6, P4, P5.
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
  crashPoint,
  type JobId,
  type ReasonCode,
  type Sha256,
  type SiteId,
} from '@aifi/shared-kernel';
import { recordEvent } from './outbox.js';
import type { Sql } from './sql.js';
import { moveStudyJob, type StudyJob, type StudyJobState } from './study-jobs.js';
import {
  advanceCursor,
  requireLease,
  resolveGateways,
  type OutcomeLease,
  type OutcomeObject,
} from './take-over.js';

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
  readonly objects: readonly OutcomeObject[];
}

/** One stream, asking for what comes after a number. */
export interface OutcomeQuestion {
  readonly gateway: number;
  readonly lease: OutcomeLease;
  readonly afterSequence: number;
  readonly atMs: number;
}

interface OutcomeRow extends Omit<SignedOutcome, 'sequence' | 'objects' | 'jobId'> {
  readonly sequence: string;
  readonly job_id: JobId;
  readonly study_pseudonym: string;
  readonly product: string;
}

/** A result of a stopped product waits; that nothing was analysed may always be told. */
const IS_NOT_STOPPED = `(j.code IS NOT NULL OR NOT EXISTS (
  SELECT 1 FROM product_stop s WHERE s.product = j.product AND s.version IN ('*', j.version)
    AND s.resumed_at IS NULL))`;
const OWED = `
SELECT o.sequence, o.job_id, o.revision, o.issue, o.manifest, o.signature, j.envelope,
  j.study_pseudonym, j.product
FROM outcome o JOIN study_job j USING (site_id, job_id)
WHERE o.acked_at IS NULL AND o.superseded_at IS NULL
  AND o.sequence > $1 AND j.gateway = ANY($2::int[])
  AND ${IS_NOT_STOPPED}
ORDER BY o.sequence LIMIT 1`;

/**
 * The oldest outcome after `afterSequence` that this gateway is owed, marked as released; undefined
 * when there is none. STATE_CONFLICT when the gateway has opened a newer stream.
 */
export async function releaseOutcome(
  sql: Sql,
  question: OutcomeQuestion,
): Promise<SignedOutcome | undefined> {
  const { gateway, lease, afterSequence, atMs } = question;
  await requireLease(sql, gateway, lease.epoch);
  const gateways = (await resolveGateways(sql, gateway)).map(String);
  for (;;) {
    const row = await sql.row<OutcomeRow>(OWED, afterSequence, gateways);
    if (!row) return undefined;
    const column = (await isOvertaken(sql, row)) ? 'superseded_at' : 'released_at';
    await sql.run(
      `UPDATE outcome SET ${column} = COALESCE(${column}, $3) WHERE job_id = $1 AND issue = $2`,
      row.job_id,
      row.issue,
      new Date(atMs),
    );
    crashPoint('hub.outcome.marked');
    if (column === 'released_at') return signedOutcome(sql, row);
  }
}

/** Whether a newer revision of the study and product, or a newer issue of the job, has left. */
async function isOvertaken(sql: Sql, row: OutcomeRow): Promise<boolean> {
  // Two gateways of a site may ask at once: of one study and product one decides after the other.
  const { study_pseudonym: study, product, revision, job_id: jobId, issue } = row;
  const key = `${study} ${product}`;
  await sql.rows('SELECT pg_advisory_xact_lock(hashtextextended($1, 2))', key);
  const newer = await sql.row(
    `SELECT 1 AS found FROM study_job j JOIN outcome o USING (site_id, job_id)
     WHERE j.study_pseudonym = $1 AND j.product = $2 AND o.released_at IS NOT NULL
       AND (j.revision > $3 OR (j.job_id = $4 AND o.issue > $5)) LIMIT 1`,
    study,
    product,
    revision,
    jobId,
    issue,
  );
  return newer !== undefined;
}

async function signedOutcome(sql: Sql, row: OutcomeRow): Promise<SignedOutcome> {
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

/**
 * Notes that the outcome is durable at `gateway`; repeating it changes nothing. NOT_FOUND for an
 * outcome that this gateway was never owed.
 */
export async function acknowledgeOutcome(
  sql: Sql,
  key: OutcomeKey,
  { gateway, atMs }: { readonly gateway: number; readonly atMs: number },
): Promise<void> {
  const { siteId, jobId, revision, issue } = key;
  const gateways = (await resolveGateways(sql, gateway)).map(String);
  const found = await sql.row<{ acked: boolean; sequence: string; state: StudyJobState }>(
    `SELECT o.acked_at IS NOT NULL AS acked, o.sequence, j.state
     FROM outcome o JOIN study_job j USING (site_id, job_id)
     WHERE o.job_id = $1 AND o.revision = $2 AND o.issue = $3 AND j.gateway = ANY($4::int[])
     FOR UPDATE OF o, j`,
    jobId,
    revision,
    issue,
    gateways,
  );
  if (!found) throw new AifiError('NOT_FOUND', 'no such outcome');
  await advanceCursor(sql, gateway, Number(found.sequence));
  if (found.acked) return;
  await sql.run(
    'UPDATE outcome SET acked_at = $3 WHERE job_id = $1 AND issue = $2',
    jobId,
    issue,
    new Date(atMs),
  );
  // A restored gateway was owed it again: the end of the job has been told.
  if (found.state === 'ACKNOWLEDGED') return;
  await moveStudyJob(sql, { siteId, jobId, from: 'CONCLUDED', to: 'ACKNOWLEDGED', atMs });
  const payload = { jobId, revision, issue };
  await recordEvent(sql, { siteId, type: 'aifi.study.outcome.acknowledged.v1', atMs, payload });
}
