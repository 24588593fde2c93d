/**
 * Site activity: how many jobs of a site were opened, concluded and failed in each hour.
 * Decides that the last 24 hours are 24 whole hours of UTC, the present one included.
 * Invariant: counts only, read inside the site's own columns of the queue (guard C3).
 */
import type { hubRoutes, RouteOutput } from '@aifi/contracts-rest';
import type { HubDatabase } from './hub-database.js';

export type SiteActivity = RouteOutput<(typeof hubRoutes)['siteActivity']>;
const HOUR_MS = 3_600_000;
const HOURS = 24;

// Site and time as one range: only an index that begins with the site can answer it.
export const SITE_ACTIVITY_SQL = `
SELECT extract(epoch FROM hour)::float8 * 1000 AS start_ms,
  sum(opened)::int AS opened, sum(concluded)::int AS concluded, sum(failed)::int AS failed
FROM (
  SELECT date_trunc('hour', opened_at, 'UTC') AS hour, 1 AS opened, 0 AS concluded, 0 AS failed
  FROM study_job WHERE (site_id, opened_at) >= ($1, $2) AND (site_id, opened_at) < ($1, $3)
  UNION ALL
  SELECT date_trunc('hour', concluded_at, 'UTC'), 0, 1, CASE WHEN code IS NULL THEN 0 ELSE 1 END
  FROM study_job WHERE (site_id, concluded_at) >= ($1, $2) AND (site_id, concluded_at) < ($1, $3)
    AND concluded_at IS NOT NULL
) AS event GROUP BY hour`;

/** 24 hours, oldest first; an hour in which nothing happened has zeros. */
export async function siteActivity(
  database: HubDatabase,
  siteId: string,
  nowMs: number,
): Promise<SiteActivity> {
  const endMs = (Math.floor(nowMs / HOUR_MS) + 1) * HOUR_MS;
  const firstMs = endMs - HOURS * HOUR_MS;
  const rows = await database.withQueue((sql) =>
    sql.rows<{ start_ms: number; opened: number; concluded: number; failed: number }>(
      SITE_ACTIVITY_SQL,
      siteId,
      new Date(firstMs),
      new Date(endMs),
    ),
  );
  const counted = new Map(rows.map(({ start_ms, ...counts }) => [start_ms, counts]));
  const none = { opened: 0, concluded: 0, failed: 0 };
  const hours = Array.from({ length: HOURS }, (_, index) => {
    const startMs = firstMs + index * HOUR_MS;
    return { startMs, ...(counted.get(startMs) ?? none) };
  });
  return { hours };
}
