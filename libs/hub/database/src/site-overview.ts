/**
 * Read models of all sites: when each was last heard, what waits, what is deployed.
 * Decides what an operator sees across hospitals: names of sites and products, and counts.
 * Invariant: each site's rows are read inside that site's own transaction (guard C3).
 */
import type { SiteView } from '@aifi/contracts-rest';
import type { SiteId } from '@aifi/shared-kernel';
import { listDeployments } from './enrolment.js';
import type { HubDatabase } from './hub-database.js';
import type { Sql } from './sql.js';

/** Calls closer together than this are one sighting: no write for each poll. @unit ms */
const SEEN_INTERVAL_MS = 30_000;

/** Notes that a gateway of the site of the transaction has called. */
export async function noteSeen(sql: Sql, atMs: number): Promise<void> {
  await sql.run(
    'UPDATE site SET last_seen_at = $1 WHERE last_seen_at IS NULL OR last_seen_at < $2',
    new Date(atMs),
    new Date(atMs - SEEN_INTERVAL_MS),
  );
}

/** All sites, inactive ones included, in the order of their names. */
export async function listSites(database: HubDatabase): Promise<SiteView[]> {
  const sites = await siteIds(database);
  const views: SiteView[] = [];
  for (const siteId of sites) views.push(await database.withSite(siteId, readSiteView));
  return views;
}

async function siteIds(database: HubDatabase): Promise<SiteId[]> {
  const rows = await database.withQueue((sql) =>
    sql.rows<{ site_id: SiteId }>('SELECT site_id FROM site ORDER BY site_id'),
  );
  return rows.map((row) => row.site_id);
}

async function readSiteView(sql: Sql): Promise<SiteView> {
  const row = await sql.row<{
    site_id: string;
    purpose: string;
    state: string;
    enrolled_at: Date;
    last_seen_at: Date | null;
    open_jobs: number;
    waiting: number;
    rules: string | null;
  }>(
    `SELECT site_id, purpose, state, enrolled_at, last_seen_at,
       (SELECT count(*)::int FROM study_job
          WHERE study_job.state IN ('OPEN', 'STORED', 'QUEUED', 'INFERRED')) AS open_jobs,
       (SELECT count(*)::int FROM outcome
          WHERE acked_at IS NULL AND superseded_at IS NULL) AS waiting,
       (SELECT max(sequence) FROM routing_rules) AS rules
     FROM site`,
  );
  const { site_id: siteId, purpose, state, enrolled_at, last_seen_at, ...counts } = row!;
  return {
    ...{ siteId, purpose, state },
    enrolledAtMs: enrolled_at.getTime(),
    lastSeenAtMs: last_seen_at?.getTime() ?? null,
    openJobs: counts.open_jobs,
    waitingOutcomes: counts.waiting,
    rulesSequence: counts.rules === null ? null : Number(counts.rules),
    deployments: await listDeployments(sql),
  };
}
