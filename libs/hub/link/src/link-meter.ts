/**
 * LinkMeter: what of the front is counted. Decides the names and labels: protocols and codes of our
 * own, never a site, a gateway or an address. Source: governance specification 4.7.
 */
import { Counter, Gauge, type Registry } from '@aifi/shared-observability';

export interface LinkMeter {
  opened(protocol: string): void;
  closed(protocol: string): void;
  /** A connection was not let in: code of the catalogue, or HANDSHAKE. */
  refused(code: string): void;
  /** A connection was ended because its certificate holds no longer. */
  cut(): void;
}

export const noMeter: LinkMeter = {
  opened: () => undefined,
  closed: () => undefined,
  refused: () => undefined,
  cut: () => undefined,
};

export function createLinkMeter(registry: Registry): LinkMeter {
  const registers = [registry];
  const connections = new Gauge({
    name: 'aifi_link_connections_count',
    help: 'Connections of gateways by protocol',
    labelNames: ['protocol'],
    registers,
  });
  const refusals = new Counter({
    name: 'aifi_link_refusals_total',
    help: 'Connections of gateways that were not let in',
    labelNames: ['code'],
    registers,
  });
  const cuts = new Counter({
    name: 'aifi_link_cuts_total',
    help: 'Connections ended because their certificate holds no longer',
    registers,
  });
  return {
    opened: (protocol) => connections.inc({ protocol }),
    closed: (protocol) => connections.dec({ protocol }),
    refused: (code) => refusals.inc({ code }),
    cut: () => cuts.inc(),
  };
}
