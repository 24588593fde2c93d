/**
 * Metrics of reconciliation, clock, digests and invariants of the gateway.
 * Decides that states are numbers with their meaning in the help text. Invariant: no study and no
 * patient is ever a label. Source: reliability specification 2; governance specification 4.7.
 */
import { Gauge, type Registry } from '@aifi/shared-observability';
import type { GatewaySources } from './gateway-sources.js';

const RUN_STATES = ['DONE', 'NOT_WHOLE', 'NO_RULES', 'PACS_SILENT', 'PACS_REFUSED', 'FAILED'];
const CLOCK_LEVELS = ['good', 'unknown', 'alarm', 'hold'];
const numbered = (names: readonly string[]): string =>
  names.map((name, value) => `${value} ${name}`).join(', ');

export function addReconcileGauges(
  registry: Registry,
  { reconcile }: Pick<GatewaySources, 'reconcile'>,
): void {
  const registers = [registry];
  const { clockWatch, reconciliation, digests, invariants } = reconcile;
  const missed: Gauge = new Gauge({
    name: 'aifi_gateway_missed_studies',
    help: 'Studies of the PACS that a rule could have selected and that did not come, or not whole',
    registers,
    collect: () => missed.set(reconciliation.store.count()),
  });
  const run = new Gauge({
    name: 'aifi_gateway_reconciliation_state',
    help: `How the last comparison with the PACS ended: ${numbered(RUN_STATES)}`,
    registers,
    collect: () => {
      run.remove();
      const last = reconciliation.lastRun();
      if (last) run.set(RUN_STATES.indexOf(last.state));
    },
  });
  const level: Gauge = new Gauge({
    name: 'aifi_gateway_clock_level',
    help: `Clock of the gateway against that of the hub: ${numbered(CLOCK_LEVELS)}`,
    registers,
    collect: () => level.set(CLOCK_LEVELS.indexOf(clockWatch.state().level)),
  });
  const offset = new Gauge({
    name: 'aifi_gateway_clock_offset_seconds',
    help: 'Clock of the hub minus that of the gateway',
    registers,
    collect: () => {
      offset.remove();
      const { offsetMs } = clockWatch.state();
      if (offsetMs !== null) offset.set(offsetMs / 1_000);
    },
  });
  const damaged: Gauge = new Gauge({
    name: 'aifi_gateway_damaged_files_count',
    help: 'Files of the gateway whose bytes changed on disk',
    registers,
    collect: () => damaged.set(digests.state().damaged),
  });
  const violations = new Gauge({
    name: 'aifi_gateway_invariant_violations_count',
    help: 'Violations of the invariants of jobs and records, of the last look',
    labelNames: ['rule'],
    registers,
    collect: () => {
      for (const [rule, count] of Object.entries(invariants.state().violations)) {
        violations.set({ rule }, count);
      }
    },
  });
}
