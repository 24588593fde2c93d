/**
 * Metrics of the hub: jobs by state, sessions, refusals by code.
 * Decides what is counted; labels are states and codes of our own, never a user or study. A site is
 * named only where people must act for it: the days left of its gateways' certificates.
 * Source: governance specification 4.7 (metric labels).
 */
import { countJobs, type HubDatabase } from '@aifi/hub-database';
import type { HubEnrolment } from '@aifi/hub-enrolment';
import { createLinkMeter, type LinkMeter } from '@aifi/hub-link';
import { Counter, createRegistry, Gauge, type Registry } from '@aifi/shared-observability';

/** Token of HubMetrics. */
export const HUB_METRICS = Symbol('hub metrics');

export interface HubMetrics {
  readonly registry: Registry;
  /** Counts a refusal of the web edge. */
  readonly onRefused: (code: string) => void;
  /** Counts connections of gateways. */
  readonly link: LinkMeter;
}

export function createHubMetrics(database: HubDatabase, enrolment: HubEnrolment): HubMetrics {
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
  enrolment.expiry.register(registry);
  const link = createLinkMeter(registry);
  return { registry, link, onRefused: (code) => refused.inc({ code }) };
}

async function countSessions(database: HubDatabase): Promise<number> {
  const row = await database.withAccess((sql) =>
    sql.row<{ n: number }>('SELECT count(*)::int AS n FROM session'),
  );
  return row?.n ?? 0;
}
