/**
 * Parts of the gateway that try it out: checks of the set-up and the probe.
 * Decides the wiring: whom they ask, by which certificates, and where the PACS reaches us.
 * Invariant: the probe takes the ways of the pipeline's own peers; nothing here sends by itself
 * but the probe, which sends no object. Source: docs/runbooks/{set-up,self-test}.md.
 */
import { readFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { once } from 'node:events';
import type { SetupFacts, SetupPacs } from '@aifi/contracts-rest';
import type { ScuPeer } from '@aifi/dicom-dimse';
import type { GatewayDatabase } from '@aifi/gateway-database';
import { createPacsPeer } from '@aifi/gateway-deliver';
import type { AssociationPermits } from '@aifi/gateway-retrieve';
import { Probe } from '@aifi/gateway-self-test';
import { SetupRunner } from '@aifi/gateway-setup';
import { AifiError, uidFromBytes, type Clock } from '@aifi/shared-kernel';
import type { Logger } from '@aifi/shared-observability';
import type { GatewayConfig } from './gateway-config.js';
import type { HubLink } from './hub-link.js';
import { withPermits } from './pacs-permits.js';
import type { Pipeline } from './pipeline.js';
import type { SettingsControl } from './settings-in-force.js';

export interface Setup {
  readonly runner: SetupRunner;
  readonly probe: Pick<Probe, 'run' | 'list' | 'isRunning'>;
  readonly settings: SettingsControl;
  /** In force: file and page together. */
  readonly config: Pick<GatewayConfig, 'pacs' | 'dicom'>;
  /** The PACS to ask: the one in force, or one that is to be tried. */
  peerOf(pacs: SetupPacs | undefined): ScuPeer;
  /** Where the PACS reaches us. */
  own(): SetupFacts;
}
export interface SetupParts {
  readonly config: GatewayConfig;
  readonly settings: SettingsControl;
  readonly runner: SetupRunner;
  readonly database: GatewayDatabase;
  readonly link: Pick<HubLink, 'state'>;
  readonly currentRules: Pipeline['currentRules'];
  readonly listening: Promise<number>;
  /** Of the PACS: the probe asks when there is room. */
  readonly permits: AssociationPermits;
  readonly onChange: () => void;
  readonly clock: Clock;
  readonly logger: Logger;
}

export function createSetup(parts: SetupParts): {
  readonly setup: Setup;
  readonly probe: Probe;
} {
  const { config, settings, runner } = parts;
  const probe = createProbe(parts);
  const { pacs, dicom } = config;
  const own = (): SetupFacts => ({
    ...{ ownHost: dicom.host, ownAeTitle: dicom.aeTitle },
    ownPort: String(dicom.port ?? dicom.tls?.port ?? 0),
  });
  const peerOf = (asked: SetupPacs | undefined): ScuPeer => {
    const { host, port, calledAeTitle, callingAeTitle } = asked ?? pacs;
    const tls = tlsOf(pacs);
    return { host, port, calledAeTitle, callingAeTitle, ...(tls && { tls }) };
  };
  return { probe, setup: { runner, probe, settings, config: { pacs, dicom }, peerOf, own } };
}

/** Certificates are those of the configuration, also for a PACS that is to be tried. */
function tlsOf({ tls }: GatewayConfig['pacs']): ScuPeer['tls'] {
  if (!tls) return undefined;
  const { caFile, certificateFile, keyFile, serverName } = tls;
  const [ca, certificate, key] = [caFile, certificateFile, keyFile].map(read) as [
    ...[Buffer, Buffer, Buffer],
  ];
  return { ca, certificate, key, ...(serverName !== undefined && { serverName }) };
}
function read(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new AifiError('CONFIG_INVALID', 'a file of the PACS settings is not readable', { cause });
  }
}

function createProbe(parts: SetupParts): Probe {
  const { config, permits, listening, currentRules, link, ...basics } = parts;
  const pacs = withPermits(createPacsPeer(config.pacs, basics.clock), permits);
  return new Probe({
    ...basics,
    steps: {
      listener: async () => answersAt(config.dicom.host, await listening),
      rules: async () => {
        if (!currentRules()) throw new AifiError('NOT_FOUND', 'no routing rules yet');
      },
      link: async () => {
        if (link.state() !== 'up') throw new AifiError('PEER_UNAVAILABLE', 'the link is not up');
      },
      'pacs-echo': () => pacs.echo(),
      // A UID that no study has: an empty answer is a good one.
      'pacs-find': async () => void (await pacs.findStudy(uidFromBytes(randomBytes(16)))),
    },
  });
}

async function answersAt(host: string, port: number): Promise<void> {
  const socket = connect(port, host);
  try {
    await once(socket, 'connect');
  } catch (cause) {
    throw new AifiError('PEER_UNAVAILABLE', 'the listener does not answer', { cause });
  } finally {
    socket.destroy();
  }
}
