/**
 * Stops of products: set by one person at once, lifted by another.
 * Decides what a stop covers (a product or one version of it; one site or all of them) and that a
 * second stop of what is stopped changes nothing. Invariants: who resumes is not who stopped (a
 * constraint of the table too); these rows change only in the act's own transaction.
 * Source: governance specification 1 (kill switch); reliability specification H9, H17.
 */
import type { ProductStop, StopCode } from '@aifi/contracts-manifests';
import { AifiError, type JobId, type SiteId } from '@aifi/shared-kernel';
import type { HubDatabase } from './hub-database.js';
import type { Sql } from './sql.js';
import type { JobKey } from './study-jobs.js';

/** Site of a stop that is in force everywhere. */
export const EVERY_SITE = '*';

export interface StopScope {
  /** A site, or EVERY_SITE. */
  readonly siteName: string;
  readonly product: string;
  /** A version, or '*'. */
  readonly version: string;
}
export interface Deed {
  readonly userId: string;
  readonly userName: string;
  readonly atMs: number;
}
export interface RecordedStop extends StopScope {
  readonly code: StopCode;
  readonly reason: string;
  readonly stoppedBy: string;
  readonly stoppedAtMs: number;
}

interface StopRow {
  readonly site_id: string;
  readonly product: string;
  readonly version: string;
  readonly code: StopCode;
  readonly reason: string;
  readonly stopped_by_name: string;
  readonly stopped_at: Date;
}

/** Stops in force, all sites, newest first. Role aifi_access. */
export async function listProductStops(sql: Sql): Promise<RecordedStop[]> {
  const rows = await sql.rows<StopRow>(
    `SELECT site_id, product, version, code, reason, stopped_by_name, stopped_at
     FROM product_stop WHERE resumed_at IS NULL
     ORDER BY stopped_at DESC, site_id, product, version`,
  );
  return rows.map((row) => ({
    ...{ siteName: row.site_id, product: row.product, version: row.version, code: row.code },
    ...{ reason: row.reason, stoppedBy: row.stopped_by_name },
    stoppedAtMs: row.stopped_at.getTime(),
  }));
}

export interface StopOrder extends StopScope, Deed {
  readonly code: StopCode;
  readonly reason: string;
}

/** Stops; false when it was stopped before. NOT_FOUND for a site that is none. */
export async function stopProduct(sql: Sql, order: StopOrder): Promise<boolean> {
  const { siteName, product, version, code, reason, userId, userName, atMs } = order;
  await requireSiteName(sql, siteName);
  const changed = await sql.run(
    `INSERT INTO product_stop
       (site_id, product, version, code, reason, stopped_by, stopped_by_name, stopped_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
     ON CONFLICT (site_id, product, version) DO UPDATE SET code = excluded.code,
       reason = excluded.reason, stopped_by = excluded.stopped_by,
       stopped_by_name = excluded.stopped_by_name, stopped_at = excluded.stopped_at,
       resumed_by = NULL, resumed_at = NULL
     WHERE product_stop.resumed_at IS NOT NULL`,
    siteName,
    product,
    version,
    code,
    reason,
    userId,
    userName,
    new Date(atMs),
  );
  return changed === 1;
}

/** Lifts a stop. NOT_FOUND when there is none; FORBIDDEN to the person who made it. */
export async function resumeProduct(sql: Sql, order: StopScope & Deed): Promise<void> {
  const { siteName, product, version, userId, atMs } = order;
  const found = await sql.row<{ stopped_by: string }>(
    `SELECT stopped_by FROM product_stop WHERE site_id = $1 AND product = $2 AND version = $3
       AND resumed_at IS NULL FOR UPDATE`,
    siteName,
    product,
    version,
  );
  if (!found) throw new AifiError('NOT_FOUND', 'there is no such object');
  if (found.stopped_by === userId) {
    throw new AifiError('FORBIDDEN', 'the second person must be another person');
  }
  await sql.run(
    `UPDATE product_stop SET resumed_by = $4, resumed_at = $5
     WHERE site_id = $1 AND product = $2 AND version = $3`,
    siteName,
    product,
    version,
    userId,
    new Date(atMs),
  );
}

async function requireSiteName(sql: Sql, siteName: string): Promise<void> {
  if (siteName === EVERY_SITE) return;
  const site = await sql.row('SELECT site_id FROM site WHERE site_id = $1', siteName);
  if (!site) throw new AifiError('NOT_FOUND', 'there is no such object');
}

/** Stops in force at the site of the transaction, those of every site included. */
export async function stopsOfSite(sql: Sql): Promise<ProductStop[]> {
  const rows = await sql.rows<Pick<StopRow, 'product' | 'version' | 'code' | 'stopped_at'>>(
    `SELECT DISTINCT ON (product, version) product, version, code, stopped_at FROM product_stop
     WHERE resumed_at IS NULL ORDER BY product, version, stopped_at`,
  );
  return rows.map(({ product, version, code, stopped_at: since }) => ({
    ...{ product, version, code },
    sinceMs: since.getTime(),
  }));
}

/** Jobs of all sites under way with a stopped product, oldest first. */
export async function listStoppedJobs(database: HubDatabase, limit: number): Promise<JobKey[]> {
  const rows = await database.withQueue((sql) =>
    sql.rows<{ site_id: SiteId; job_id: JobId }>(
      `SELECT j.site_id, j.job_id FROM study_job j
       WHERE j.state IN ('STORED', 'QUEUED', 'INFERRED') AND EXISTS (
         SELECT 1 FROM product_stop s WHERE s.site_id IN ('*', j.site_id)
           AND s.product = j.product AND s.version IN ('*', j.version) AND s.resumed_at IS NULL)
       ORDER BY j.stored_at LIMIT $1`,
      limit,
    ),
  );
  return rows.map((row) => ({ siteId: row.site_id, jobId: row.job_id }));
}

/** Sites of the hub, for work that goes through them one by one. */
export async function listSiteIds(database: HubDatabase): Promise<SiteId[]> {
  const rows = await database.withQueue((sql) =>
    sql.rows<{ site_id: SiteId }>('SELECT site_id FROM site ORDER BY site_id'),
  );
  return rows.map((row) => row.site_id);
}
