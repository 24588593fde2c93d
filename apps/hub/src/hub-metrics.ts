/**
 * Metrics of the hub: jobs by state, sessions, refusals by code.
 * Decides what is counted; labels are states and codes of our own, never a user, site or study.
 * Source: governance specification 4.7 (metric labels).
 */
import { countJobs, type HubDatabase } from '@aifi/hub-database';
import { Counter, createRegistry, Gauge, type Registry } from '@aifi/shared-observability';

/** Token of HubMetrics. */
export const HUB_METRICS = Symbol('hub metrics');

export interface HubMetrics {
  readonly registry: Registry;
  /** Counts a refusal of the web edge. */
  readonly onRefused: (code: string) => void;
}

export function createHubMetrics(database: HubDatabase): HubMetrics {
  const registry = createRegistry('hub');
  const registers = [registry];
  const jobs = new Gauge({
    name: 'aifi_hub_jobs_count',
    help: 'Jobs of all sites by state',
    labelNames: ['state'],
    registers,
    collect: async () => {
      const counts = await countJobs(database);
      jobs.reset();
      for (const [state, count] of counts) jobs.set({ state }, count);
    },
  });
  const sessions: Gauge = new Gauge({
    name: 'aifi_sessions_count',
    help: 'Sessions that are kept, idle ones included',
    registers,
    collect: async () => sessions.set(await countSessions(database)),
  });
  const refused = new Counter({
    name: 'aifi_access_refused_total',
    help: 'Requests refused at the web edge',
    labelNames: ['code'],
    registers,
  });
  return { registry, onRefused: (code) => refused.inc({ code }) };
}

async function countSessions(database: HubDatabase): Promise<number> {
  const row = await database.withAccess((sql) =>
    sql.row<{ n: number }>('SELECT count(*)::int AS n FROM session'),
  );
  return row?.n ?? 0;
}
