/**
 * The queue of inference work: claims, leases and fencing tokens.
 * Decides who works on a job: whoever raised its lease epoch last. A claim that has run out may be
 * taken by another; the slow first worker then fails at its next write, because its epoch is old.
 * Invariant: every later write of a claimed job goes through advanceClaim or checks its epoch.
 * Source: reliability specification P3 (SKIP LOCKED, lease 60 s, fencing token).
 */
import {
  AifiError,
  LIMITS,
  type ErrorCode,
  type JobId,
  type ReasonCode,
  type SiteId,
} from '@aifi/shared-kernel';
import type { HubDatabase } from './hub-database.js';
import type { Sql } from './sql.js';

export type QueueState = 'QUEUED' | 'INFERRED';
/** A job that this process may work on until the lease ends. */
export interface Claim {
  readonly siteId: SiteId;
  readonly jobId: JobId;
  /** Fencing token. */
  readonly leaseEpoch: number;
  /** Failed tries before this one. */
  readonly attempts: number;
  readonly queuedAtMs: number;
}

interface ClaimRow {
  readonly site_id: SiteId;
  readonly job_id: JobId;
  readonly lease_epoch: string;
  readonly attempts: number;
  readonly queued_at: Date;
}

const CLAIM = `
UPDATE inference_job SET lease_until = now() + $2 * interval '1 millisecond',
  lease_epoch = lease_epoch + 1
WHERE (site_id, job_id) = (
  SELECT site_id, job_id FROM inference_job
  WHERE state = $1 AND next_attempt_at <= now() AND (lease_until IS NULL OR lease_until < now())
  ORDER BY lane, queued_at LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING site_id, job_id, lease_epoch, attempts, queued_at`;

/** Takes the next job in `state`, acute lane first; undefined when there is none. */
export async function claimJob(
  database: HubDatabase,
  state: QueueState,
  leaseMs: number = LIMITS.leaseMs,
): Promise<Claim | undefined> {
  const row = await database.withQueue((sql) => sql.row<ClaimRow>(CLAIM, state, leaseMs));
  return (
    row && {
      siteId: row.site_id,
      jobId: row.job_id,
      leaseEpoch: Number(row.lease_epoch),
      attempts: row.attempts,
      queuedAtMs: row.queued_at.getTime(),
    }
  );
}

/** Extends the lease; false when somebody else has claimed the job since. */
export async function renewClaim(
  database: HubDatabase,
  claim: Claim,
  leaseMs: number = LIMITS.leaseMs,
): Promise<boolean> {
  const changed = await database.withQueue((sql) =>
    sql.run(
      `UPDATE inference_job SET lease_until = now() + $4 * interval '1 millisecond'
       WHERE site_id = $1 AND job_id = $2 AND lease_epoch = $3`,
      claim.siteId,
      claim.jobId,
      claim.leaseEpoch,
      leaseMs,
    ),
  );
  return changed === 1;
}

export interface Release {
  /** Wait before the next claim. @unit ms @default 0 */
  readonly delayMs?: number;
  /** Counts a failed try of the job. */
  readonly failed?: boolean;
  /** Code of what went wrong, for the trace; absent: the last one stays. */
  readonly fault?: ErrorCode | ReasonCode;
}

/** Gives the job back, at the earliest for `delayMs` later; counts a failed try when asked. */
export async function releaseClaim(
  database: HubDatabase,
  claim: Claim,
  { delayMs = 0, failed = false, fault }: Release = {},
): Promise<void> {
  await database.withQueue((sql) =>
    sql.run(
      `UPDATE inference_job SET lease_until = NULL, attempts = attempts + $4,
         next_attempt_at = now() + $5 * interval '1 millisecond',
         last_fault = COALESCE($6, last_fault)
       WHERE site_id = $1 AND job_id = $2 AND lease_epoch = $3`,
      claim.siteId,
      claim.jobId,
      claim.leaseEpoch,
      failed ? 1 : 0,
      delayMs,
      fault ?? null,
    ),
  );
}

/**
 * Ends all leases. Only for a hub that has the database to itself: right after its start nobody can
 * be working, so nothing has to wait for a lease of the process that died.
 */
export async function releaseAllClaims(database: HubDatabase): Promise<void> {
  await database.withQueue((sql) =>
    sql.run('UPDATE inference_job SET lease_until = NULL WHERE lease_until IS NOT NULL'),
  );
}

/**
 * Moves a claimed job on, inside the transaction that keeps its work. STATE_CONFLICT when the claim
 * is no longer the latest: the transaction must then be rolled back.
 */
export async function advanceClaim(
  sql: Sql,
  claim: Claim,
  from: QueueState,
  to: 'INFERRED' | 'DONE',
): Promise<void> {
  const changed = await sql.run(
    `UPDATE inference_job SET state = $4, lease_until = NULL, attempts = 0, next_attempt_at = now(),
       last_fault = CASE WHEN $4 = 'DONE' THEN last_fault END
     WHERE site_id = $1 AND job_id = $2 AND lease_epoch = $3 AND state = $5`,
    claim.siteId,
    claim.jobId,
    claim.leaseEpoch,
    to,
    from,
  );
  if (changed !== 1) throw new AifiError('STATE_CONFLICT', 'the claim of this job was taken over');
}

/**
 * Ends the queue's part of a job of the site of the transaction, whoever has its claim: with a new
 * token, so that a try that is still going on can write nothing.
 */
export async function endInference(sql: Sql, jobId: JobId): Promise<void> {
  await sql.run(
    `UPDATE inference_job SET state = 'DONE', lease_until = NULL, lease_epoch = lease_epoch + 1
     WHERE job_id = $1 AND state <> 'DONE'`,
    jobId,
  );
}
