/**
 * Metrics of assurance: broken invariants and damaged objects, of all sites together.
 * Decides that a rule is a label and a site is not. Invariant: without a violation every rule is
 * there as zero, so that an alert on it can tell silence from health.
 * Source: reliability specification 2 (invariants asserted at run time); governance 4.7 (labels).
 */
import { Gauge, type Registry } from '@aifi/shared-observability';
import type { AssuranceState } from './hub-assurance.js';

export function addAssuranceGauges(registry: Registry, stateOf: () => AssuranceState): void {
  const registers = [registry];
  const violations = new Gauge({
    name: 'aifi_hub_invariant_violations_count',
    help: 'Violations of the invariants of jobs and outcomes, of the last look',
    labelNames: ['rule'],
    registers,
    collect: () => {
      for (const [rule, count] of Object.entries(stateOf().violations)) {
        violations.set({ rule }, count);
      }
    },
  });
  const damaged: Gauge = new Gauge({
    name: 'aifi_hub_damaged_objects_count',
    help: 'Stored objects whose bytes changed on disk, since the start and in an open pass',
    registers,
    collect: () => damaged.set(stateOf().damaged),
  });
}
