/**
 * Metrics of the link: how long its certificate lasts, whether a network opens its encryption,
 * whether the hub answers and takes this gateway, and how old its kill switches are.
 * Decides what an alarm can be set on (30, 14 and 3 days); without a value while not joined.
 * Source: reliability specification 5 (alarms 30/14/3 d); governance specification 4.7.
 */
import { Gauge, type Registry } from '@aifi/shared-observability';
import type { GatewaySources } from './gateway-sources.js';

type LinkSources = Pick<GatewaySources, 'link' | 'uplinkState' | 'killState'>;

export function addLinkGauges(registry: Registry, sources: LinkSources): void {
  const { link } = sources;
  addHubGauges(registry, sources);
  const registers = [registry];
  const days = new Gauge({
    name: 'aifi_gateway_certificate_days_left',
    help: 'Days until the certificate of the link to the hub ends; negative: it has ended',
    registers,
    collect: () => {
      days.remove();
      const { certificate } = link.view();
      if (certificate) days.set(certificate.daysLeft);
    },
  });
  const inspected = new Gauge({
    name: 'aifi_gateway_link_inspected',
    help: '1 while somebody on the way to the hub opens the encryption',
    registers,
    collect: () => {
      inspected.set(link.view().finding?.code === 'LINK_INSPECTED' ? 1 : 0);
    },
  });
}

function addHubGauges(registry: Registry, { link, uplinkState, killState }: LinkSources): void {
  const registers = [registry];
  const failures = new Gauge({
    name: 'aifi_gateway_link_failures_count',
    help: 'Rounds in which the hub did not answer the uplink since it last did',
    registers,
    collect: () => {
      failures.set(uplinkState().linkFailures);
    },
  });
  const refused = new Gauge({
    name: 'aifi_gateway_link_refused',
    help: '1 while the hub answers and does not take this gateway',
    registers,
    collect: () => {
      const isRefused = link.view().finding?.code === 'PEER_REFUSED';
      refused.set(isRefused || uplinkState().refusedBy !== undefined ? 1 : 0);
    },
  });
  const age = new Gauge({
    name: 'aifi_gateway_kill_state_age_seconds',
    help: 'Age of the kill switches that the hub told last; +Inf: unknown',
    registers,
    collect: () => {
      age.remove();
      const known = killState();
      if (known && known !== 'none') age.set(known.ageMs / 1_000);
    },
  });
}
