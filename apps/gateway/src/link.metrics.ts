/**
 * Metrics of the link: how long its certificate lasts and whether a network opens its encryption.
 * Decides what an alarm can be set on (30, 14 and 3 days); without a value while not joined.
 * Source: reliability specification 5 (alarms 30/14/3 d); governance specification 4.7.
 */
import { Gauge, type Registry } from '@aifi/shared-observability';
import type { GatewaySources } from './gateway-sources.js';

export function addLinkGauges(registry: Registry, { link }: Pick<GatewaySources, 'link'>): void {
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
