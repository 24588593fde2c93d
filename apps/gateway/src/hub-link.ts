/**
 * The link to the hub: mTLS that the gateway dials.
 * Decides where the certificate comes from: files that the configuration names, or the identity
 * that the gateway got by joining. Stages see one pair of clients either way.
 * Invariant: nothing listens here; the site is told by our certificate only (guards C1, C2).
 * Source: reliability specification F7, section 3 (half-open peers).
 */
import { createPublicKey, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { TLSSocket } from 'node:tls';
import { credentials } from '@grpc/grpc-js';
import { downlink, uplink } from '@aifi/contracts-proto';
import type { GatewayLinkView } from '@aifi/contracts-rest';
import {
  CHANNEL_OPTIONS,
  createDialWatch,
  dialHub,
  JoinedLink,
  LinkWatch,
  readSecretFile,
  stateOf,
  SwappableChannel,
  targetOf,
  viewOfFiles,
  type LinkProtocol,
} from '@aifi/gateway-link';
import { AifiError, type Clock, type Stage } from '@aifi/shared-kernel';
import type { Logger } from '@aifi/shared-observability';
import type { GatewayConfig, HubFiles } from './gateway-config.js';
import { GATEWAY_VERSION } from './status-read-model.js';

export type LinkState = GatewayLinkView['state'];
export interface HubLink {
  readonly uplink: uplink.UplinkServiceClient;
  readonly downlink: downlink.DownlinkServiceClient;
  /** All Ed25519 keys that sign for the hub now; none before joining. */
  signingKeys(): readonly KeyObject[];
  /** Digest of the hub's configuration that is followed; '' where files take its place. */
  configurationSha256(): string;
  /** The hub has told which one it is now. */
  onConfiguration(sha256: string): void;
  /** Keep certificate and trust, and find out why the hub is not reached. */
  readonly stages: readonly Stage[];
  /** A connection for one protocol, with the certificate in force. */
  dial(protocol: LinkProtocol, signal?: AbortSignal): Promise<TLSSocket>;
  /** Of the channel that the outcome stream keeps open. */
  state(): LinkState;
  view(): GatewayLinkView;
  /** With a token; CONFIG_INVALID where the certificate is a file. */
  join(token: string, hub?: string): Promise<void>;
  close(): Promise<void>;
}

export interface LinkParts {
  readonly config: Pick<GatewayConfig, 'hub' | 'dataFolder' | 'siteId' | 'purpose'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

export function openHubLink(parts: LinkParts): Promise<HubLink> {
  const { hub } = parts.config;
  return 'caFile' in hub ? Promise.resolve(openFileLink(hub, parts)) : openJoinedLink(hub, parts);
}

async function openJoinedLink(
  settings: Exclude<GatewayConfig['hub'], HubFiles>,
  { config, clock, logger }: LinkParts,
): Promise<HubLink> {
  const { dataFolder, siteId, purpose } = config;
  const link = await JoinedLink.open({
    ...{ settings, dataFolder, siteId, purpose, clock, logger },
    gatewayVersion: GATEWAY_VERSION,
  });
  if (!link.isJoined) logger.warn('not joined: waiting for a token', { code: 'NOT_JOINED' });
  // The channel carries the credentials: those given here are not used.
  const options = { channelOverride: link.channel };
  const unused = credentials.createInsecure();
  return {
    uplink: new uplink.UplinkServiceClient('hub', unused, options),
    downlink: new downlink.DownlinkServiceClient('hub', unused, options),
    signingKeys: () => link.signingKeys(),
    configurationSha256: () => link.configurationSha256(),
    onConfiguration: (sha256) => link.onConfiguration(sha256),
    stages: link.stages,
    dial: (protocol, signal) => link.dial(protocol, signal),
    state: () => (link.channel.isUp() && !link.watch.isRefused ? 'up' : link.view().state),
    view: () => link.view(),
    join: (token, hub) => link.join(token, hub),
    close: () => link.close(),
  };
}

function openFileLink(files: HubFiles, { clock, logger }: LinkParts): HubLink {
  const { address } = files;
  const [ca, certificate] = [readPublic(files.caFile), readPublic(files.certificateFile)];
  const key = readSecretFile(files.keyFile, 'hub.keyFile');
  const tls = credentials.createSsl(ca, key, certificate);
  const parts = { target: address, credentials: tls, options: CHANNEL_OPTIONS };
  const channel = new SwappableChannel(parts, clock);
  const up = new uplink.UplinkServiceClient(address, tls, { channelOverride: channel });
  const down = new downlink.DownlinkServiceClient(address, tls, { channelOverride: channel });
  const signingKey = createPublicKey(readPublic(files.signingPublicKeyFile));
  const own = { key: key.toString(), certificate: certificate.toString() };
  const dial: HubLink['dial'] = (protocol, signal) =>
    dialHub({
      ...{ settings: { address }, credentials: { trustAnchors: [ca.toString()], own }, protocol },
      ...(signal && { signal }),
    });
  const state = (): LinkState => stateOf(channel.getConnectivityState(false));
  const watch = new LinkWatch({
    ...{ target: targetOf({ address }), clock, logger, random: Math.random },
    ...{ isUp: () => state() === 'up', mayDial: () => true },
    dial: (signal) => dial('h2', signal),
  });
  const dialStage = createDialWatch({
    ...{ channel, clock, random: Math.random, mayDial: () => true },
    dial: (signal) => dial('h2', signal),
  });
  return {
    ...{ uplink: up, downlink: down, signingKeys: () => [signingKey] },
    ...{ configurationSha256: () => '', onConfiguration: () => undefined },
    ...{ stages: [watch.stage, dialStage], dial, state },
    view: () =>
      viewOfFiles({
        ...{ address, nowMs: clock.nowMs(), state: state(), certificate: own.certificate },
        ...{ trustAnchors: ca.toString(), watch },
      }),
    join: () =>
      Promise.reject(
        new AifiError(
          'CONFIG_INVALID',
          'the configuration names certificate files: nothing to join',
        ),
      ),
    close: () => {
      channel.close();
      return Promise.resolve();
    },
  };
}

function readPublic(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new AifiError('CONFIG_INVALID', 'a certificate or public key file does not read', {
      cause: error,
    });
  }
}
