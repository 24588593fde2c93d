/**
 * Metrics of the probe.
 * Decides that a gateway that was never probed has no value: unknown is neither good nor bad.
 * Source: features specification 18; docs/runbooks/self-test.md.
 */
import { Gauge, type Registry } from '@aifi/shared-observability';
import { PROBE_STEPS } from '@aifi/contracts-rest';
import type { GatewaySources } from './gateway-sources.js';

export function addSelfTestGauges(
  registry: Registry,
  { setup }: Pick<GatewaySources, 'setup'>,
): void {
  const registers = [registry];
  const steps = PROBE_STEPS.map((step, at) => `${at + 1} ${step}`).join(', ');
  const success = new Gauge({
    name: 'aifi_probe_success',
    help: 'The last probe went well: 1, or failed: 0',
    registers,
    collect: () => {
      success.remove();
      const [last] = setup.probe.list(1);
      if (last) success.set(last.failedAt === null ? 1 : 0);
    },
  });
  const failed = new Gauge({
    name: 'aifi_probe_failed_step',
    help: `Step at which the last probe failed: 0 none, ${steps}`,
    registers,
    collect: () => {
      failed.remove();
      const [last] = setup.probe.list(1);
      if (last) failed.set(last.failedAt === null ? 0 : PROBE_STEPS.indexOf(last.failedAt) + 1);
    },
  });
  const duration = new Gauge({
    name: 'aifi_probe_duration_seconds',
    help: 'How long the last probe took',
    registers,
    collect: () => {
      duration.remove();
      const [last] = setup.probe.list(1);
      if (last) duration.set(last.durationMs / 1_000);
    },
  });
  const at = new Gauge({
    name: 'aifi_probe_last_run_timestamp_seconds',
    help: 'When the last probe began',
    registers,
    collect: () => {
      at.remove();
      const [last] = setup.probe.list(1);
      if (last) at.set(last.atMs / 1_000);
    },
  });
}
