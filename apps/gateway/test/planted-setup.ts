/**
 * Set-up and probe of a gateway of the suites: real over its database, with a PACS where nobody
 * listens, and settings that are ordered and never restart anything. Decides nothing.
 */
import type { SetupSettings } from '@aifi/contracts-rest';
import type { GatewayDatabase } from '@aifi/gateway-database';
import { Probe } from '@aifi/gateway-self-test';
import { SetupRunner } from '@aifi/gateway-setup';
import type { Clock } from '@aifi/shared-kernel';
import { silentLogger } from '@aifi/shared-observability';
import { gatewayConfigSchema, type GatewayConfig } from '../src/gateway-config.js';
import type { Setup } from '../src/setup.parts.js';

/** A whole configuration of which nothing is there. */
export const plantedConfig = (more: object = {}): GatewayConfig =>
  gatewayConfigSchema.parse({
    ...{ siteId: 'site-a', purpose: 'demonstration', dataFolder: '/nowhere' },
    ...{ http: { port: 8080 }, publicUrl: 'http://localhost:8080' },
    signIn: { kind: 'embedded', listen: { port: 8081 } },
    dicom: {
      ...{ port: 11112, aeTitle: 'AIFI' },
      callers: [{ aeTitle: 'PACS', host: '127.0.0.1', plain: true }],
    },
    pacs: { host: '127.0.0.1', port: 1, calledAeTitle: 'PACS', callingAeTitle: 'AIFI' },
    hub: { address: 'localhost:1' },
    ...more,
  });

export function plantedSetup(
  database: GatewayDatabase,
  clock: Clock,
): Setup & { readonly ordered: SetupSettings[] } {
  const ordered: SetupSettings[] = [];
  const basics = { database, clock, logger: silentLogger, onChange: () => undefined };
  const well = (): Promise<void> => Promise.resolve();
  const config = plantedConfig();
  const { host, port, calledAeTitle, callingAeTitle } = config.pacs;
  return {
    ordered,
    runner: new SetupRunner(basics),
    probe: new Probe({
      ...basics,
      steps: {
        ...{ listener: well, rules: well, link: well, 'pacs-echo': well, 'pacs-find': well },
      },
    }),
    settings: {
      base: config,
      overlay: {
        order: async (settings) => void ordered.push(settings),
        before: () => ({}),
        view: () => ({ current: null, appliedAtMs: null, canUndo: true, rolledBackAtMs: null }),
      },
      ...{ restart: () => true, isRestarting: () => false },
    },
    config,
    peerOf: (pacs) => ({ host, port, calledAeTitle, callingAeTitle, ...pacs }),
    own: () => ({ ownHost: '127.0.0.1', ownPort: '11112', ownAeTitle: 'AIFI' }),
  };
}
