/**
 * Metrics of the gateway: jobs by state, refusals by code. Anybody in the network may read them.
 * Decides what is counted; labels are states and codes of our own, never a user, study or patient.
 * Source: governance specification 4.7 (metric labels).
 */
import type { GatewayDatabase } from '@aifi/gateway-database';
import { Counter, createRegistry, Gauge, type Registry } from '@aifi/shared-observability';
import { readJobCounts } from './status-read-model.js';

/** Token of GatewayMetrics. */
export const GATEWAY_METRICS = Symbol('gateway metrics');

export interface GatewayMetrics {
  readonly registry: Registry;
  /** Counts a refusal of the web edge. */
  readonly onRefused: (code: string) => void;
}

export function createGatewayMetrics(database: GatewayDatabase): GatewayMetrics {
  const registry = createRegistry('gateway');
  const registers = [registry];
  const jobs = new Gauge({
    name: 'aifi_gateway_jobs_count',
    help: 'Jobs of this gateway by state',
    labelNames: ['state'],
    registers,
    collect: () => {
      jobs.reset();
      const counts = database.read(readJobCounts);
      for (const [state, count] of Object.entries(counts)) jobs.set({ state }, count);
    },
  });
  const refused = new Counter({
    name: 'aifi_access_refused_total',
    help: 'Requests refused at the web edge',
    labelNames: ['code'],
    registers,
  });
  return { registry, onRefused: (code) => refused.inc({ code }) };
}
