/**
 * Metrics registry of a process.
 * Decides that metrics are per process and carry no study, patient or user label.
 * Names: aifi_<stage>_<noun>_<unit> (conventions 1).
 */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

export { Counter, Gauge, Histogram, Registry };

/** A registry with the default process metrics. */
export function createRegistry(app: string): Registry {
  const registry = new Registry();
  registry.setDefaultLabels({ app });
  collectDefaultMetrics({ register: registry });
  return registry;
}
