/**
 * Take-overs: which gateways of a site one gateway answers for.
 * Decides who gets the outcomes of a job: the gateway that sent it, until that gateway is taken
 * over, then its successor for good. Invariants: a gateway that was taken over gets nothing any
 * more; it never comes back under its number, and nobody can be followed in a circle.
 * Source: reliability specification P5 (cursor per site and gateway), loss of a box.
 */
import { AifiError, crashPoint, type Sha256 } from '@aifi/shared-kernel';
import type { Sql } from './sql.js';

/** One take-over as recorded. */
export interface TakeOver {
  readonly gateway: number;
  readonly successor: number;
}

/**
 * The gateways whose jobs `gateway` gets outcomes of, itself first; none once it was taken over.
 * Pure: the take-overs are those of one site.
 */
export function gatewaysOf(gateway: number, takeOvers: readonly TakeOver[]): number[] {
  if (takeOvers.some((taken) => taken.gateway === gateway)) return [];
  const found = [gateway];
  for (const successor of found) {
    for (const taken of takeOvers) {
      const isNew = taken.successor === successor && !found.includes(taken.gateway);
      if (isNew) found.push(taken.gateway);
    }
  }
  return found;
}

/** Take-overs of the site of the transaction. */
export async function listTakeOvers(sql: Sql): Promise<TakeOver[]> {
  return sql.rows<TakeOver & object>(
    'SELECT gateway, successor FROM gateway_take_over ORDER BY at, gateway',
  );
}

/** As gatewaysOf, for the site of the transaction. */
export async function resolveGateways(sql: Sql, gateway: number): Promise<number[]> {
  return gatewaysOf(gateway, await listTakeOvers(sql));
}

export interface NewTakeOver extends TakeOver {
  readonly siteId: string;
  readonly atMs: number;
}

/**
 * Records a take-over, in the transaction of who decided it (role aifi_access, site by site).
 * STATE_CONFLICT when the gateway was taken over before, or its successor was.
 */
export async function recordTakeOver(sql: Sql, order: NewTakeOver): Promise<void> {
  const { siteId, gateway, successor, atMs } = order;
  const site = await sql.row('SELECT site_id FROM site WHERE site_id = $1', siteId);
  if (!site) throw new AifiError('NOT_FOUND', 'there is no such object');
  // One at a time for a site, so that two cannot point at each other.
  await sql.rows('SELECT pg_advisory_xact_lock(hashtextextended($1, 1))', siteId);
  const known = await sql.rows<TakeOver & object>(
    'SELECT gateway, successor FROM gateway_take_over WHERE site_id = $1',
    siteId,
  );
  const isGone = (number: number): boolean => known.some((taken) => taken.gateway === number);
  if (gateway === successor || isGone(gateway) || isGone(successor)) {
    throw new AifiError('STATE_CONFLICT', 'one of the gateways was taken over already');
  }
  await sql.run(
    'INSERT INTO gateway_take_over (site_id, gateway, successor, at) VALUES ($1, $2, $3, $4)',
    siteId,
    gateway,
    successor,
    new Date(atMs),
  );
}

/** What an outcome stream starts from. */
export interface OutcomeLease {
  /** Number of this opening; only the highest of a gateway is served. */
  readonly epoch: number;
}

export interface OutcomeOpening {
  readonly gateway: number;
  /** What the gateway says it has. */
  readonly afterSequence: number;
  /** Whether that is the whole truth (it may have been restored from a backup). */
  readonly isExact: boolean;
  readonly atMs: number;
}

/**
 * Opens the stream of one gateway of the site of the transaction; the one before is over. A gateway
 * that has less than it had is owed the rest again: on record, because this stream may break before
 * all of it went, and the next one begins behind what was taken out of turn.
 */
export async function openOutcomes(sql: Sql, opening: OutcomeOpening): Promise<OutcomeLease> {
  const { gateway, afterSequence, isExact, atMs } = opening;
  const opened = await sql.row<{ epoch: string }>(
    `INSERT INTO outcome_cursor (site_id, gateway, epoch, opened_at)
       SELECT site_id, $1, 1, $2 FROM site
     ON CONFLICT (site_id, gateway)
       DO UPDATE SET epoch = outcome_cursor.epoch + 1, opened_at = excluded.opened_at
     RETURNING epoch`,
    gateway,
    new Date(atMs),
  );
  if (!opened) throw new AifiError('FORBIDDEN', 'the site is not enrolled');
  const gateways = await resolveGateways(sql, gateway);
  const cursor = await sql.row<{ last: string }>(
    `SELECT COALESCE(max(sequence), 0) AS last FROM outcome_cursor
     WHERE gateway = ANY($1::int[])`,
    gateways.map(String),
  );
  const isBehind = isExact && afterSequence < Number(cursor?.last ?? 0);
  if (isBehind) await oweAgain(sql, gateways, afterSequence);
  return { epoch: Number(opened.epoch) };
}

/** What was acknowledged and has a higher number, while its objects are there. */
async function oweAgain(
  sql: Sql,
  gateways: readonly number[],
  afterSequence: number,
): Promise<void> {
  await lockRemovals(sql);
  await sql.run(
    `UPDATE outcome o SET acked_at = NULL FROM study_job j
     WHERE (j.site_id, j.job_id) = (o.site_id, o.job_id) AND j.gateway = ANY($1::int[])
       AND o.sequence > $2 AND o.acked_at IS NOT NULL AND o.superseded_at IS NULL
       AND NOT EXISTS (SELECT 1 FROM outcome_object x WHERE x.removed_at IS NOT NULL
         AND (x.site_id, x.job_id, x.issue) = (o.site_id, o.job_id, o.issue))`,
    gateways.map(String),
    afterSequence,
  );
  crashPoint('hub.outcome.owed-again');
}

/** Until the transaction ends no result of the site is both owed again and marked for removal. */
export async function lockRemovals(sql: Sql): Promise<void> {
  await sql.rows(
    `SELECT pg_advisory_xact_lock(hashtextextended(current_setting('app.site_id'), 3))`,
  );
}

/** STATE_CONFLICT when the gateway has opened another stream since. */
export async function requireLease(sql: Sql, gateway: number, epoch: number): Promise<void> {
  const row = await sql.row<{ epoch: string }>(
    'SELECT epoch FROM outcome_cursor WHERE gateway = $1',
    gateway,
  );
  if (Number(row?.epoch) !== epoch) {
    throw new AifiError('STATE_CONFLICT', 'the gateway has opened a newer stream');
  }
}

/** The gateway has this number; a lower one than before changes nothing. */
export async function advanceCursor(sql: Sql, gateway: number, sequence: number): Promise<void> {
  await sql.run(
    'UPDATE outcome_cursor SET sequence = GREATEST(sequence, $2) WHERE gateway = $1',
    gateway,
    sequence,
  );
}

/** Digest and size of an object of an outcome. */
export interface OutcomeObject {
  readonly sha256: Sha256;
  readonly sizeBytes: number;
}
