/**
 * Questions about sites and jobs that the interface alone asks.
 * Decides that a site is what the database has under that name; a name from a request becomes one
 * here only, after the caller's reach was judged (guard C1).
 * Invariant: columns of the queue role only (guard C3).
 */
import type { HubDatabase } from '@aifi/hub-database';
import { AifiError, type SiteId } from '@aifi/shared-kernel';

/** NOT_FOUND when no site of this name is enrolled. */
export async function knownSite(database: HubDatabase, name: string): Promise<SiteId> {
  const row = await database.withQueue((sql) =>
    sql.row<{ site_id: SiteId }>('SELECT site_id FROM site WHERE site_id = $1', name),
  );
  if (!row) throw new AifiError('NOT_FOUND', 'there is no such object');
  return row.site_id;
}

/** Jobs by state; `siteIds` undefined: of all sites. */
export async function countJobsOf(
  database: HubDatabase,
  siteIds: readonly string[] | undefined,
): Promise<Record<string, number>> {
  const rows = await database.withQueue((sql) =>
    sql.rows<{ state: string; n: number }>(
      `SELECT state, count(*)::int AS n FROM study_job
       WHERE $1::text[] IS NULL OR site_id = ANY($1) GROUP BY state`,
      siteIds ?? null,
    ),
  );
  return Object.fromEntries(rows.map(({ state, n }) => [state, n]));
}
