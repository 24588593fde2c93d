/**
 * JoinedLink: the link of a gateway whose certificate comes from the hub.
 * Decides how channel, relay, identity, keeper and watch belong together: a gateway that has not
 * joined starts all the same, its calls fail as if the hub were away, and from the moment it joins
 * they go through, without a restart.
 * Invariants: nothing listens but the relay in the gateway's own folder; the newest certificate is
 * used for each new connection. Source: reliability specification C1, F7, 3 (half-open peers).
 */
import type { KeyObject } from 'node:crypto';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { credentials as grpcCredentials, type ChannelOptions } from '@grpc/grpc-js';
import { keepaliveOptions } from '@aifi/contracts-proto';
import type { GatewayLinkView } from '@aifi/contracts-rest';
import {
  AifiError,
  LIMITS,
  Wake,
  type Clock,
  type Purpose,
  type SiteId,
  type Stage,
} from '@aifi/shared-kernel';
import type { Logger } from '@aifi/shared-observability';
import { createDialWatch } from './dial-watch.js';
import { grpcEnrolment } from './enrolment-port.js';
import { IdentityFile, linkFolder } from './identity-file.js';
import { IdentityInForce } from './identity-in-force.js';
import { exchangeToken } from './join-exchange.js';
import { parseJoinToken } from './join-token.js';
import { linkFault } from './link-fault.js';
import { LinkKeeper } from './link-keeper.js';
import { targetOf, type LinkSettings } from './link-settings.js';
import { viewOfJoined } from './link-view.js';
import { LinkWatch } from './link-watch.js';
import { startRelay, type Relay } from './relay.js';
import { SwappableChannel, type ChannelParts } from './swappable-channel.js';
import { dialHub, type LinkProtocol } from './tls-dial.js';
import { openTunnel, TUNNEL_TIMEOUT_MS } from './tunnel.js';

export const CHANNEL_OPTIONS: ChannelOptions = {
  ...keepaliveOptions(),
  'grpc.max_receive_message_length': LIMITS.linkMessageBytesMax,
  'grpc.max_send_message_length': LIMITS.linkMessageBytesMax,
  'grpc.max_reconnect_backoff_ms': 10_000,
  // The way out is what the configuration says, whatever the environment names.
  'grpc.enable_http_proxy': 0,
};

export interface LinkDependencies {
  readonly settings: LinkSettings;
  readonly dataFolder: string;
  readonly siteId: SiteId;
  readonly purpose: Purpose;
  readonly gatewayVersion: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Uniform in [0, 1). @default Math.random */
  readonly random?: () => number;
}

export class JoinedLink {
  readonly channel: SwappableChannel;
  readonly identity: IdentityInForce;
  readonly keeper: LinkKeeper;
  readonly watch: LinkWatch;
  readonly #dialStage: Stage;
  readonly #wake = new Wake();
  readonly #joined = new AbortController();

  private constructor(
    private readonly dependencies: LinkDependencies,
    file: IdentityFile,
    private readonly relay: Relay | undefined,
  ) {
    const { settings, siteId, purpose, clock, random = Math.random } = dependencies;
    const logger = dependencies.logger.child({ stage: 'link' });
    const place = { siteId, purpose };
    const onCredentials = (): void => this.#follow();
    this.identity = new IdentityInForce({ file, place, clock, onCredentials });
    this.channel = new SwappableChannel(this.#parts(), clock, (verdict) => {
      this.watch.judge(verdict);
    });
    if (this.isJoined) this.#joined.abort();
    const port = grpcEnrolment(this.channel);
    const { identity } = this;
    this.keeper = new LinkKeeper({ identity, port, clock, logger, random, wake: this.#wake });
    this.watch = new LinkWatch({
      ...{ target: targetOf(settings), clock, logger, random },
      isUp: () => this.channel.isUp(),
      mayDial: () => this.isJoined,
      dial: (signal) => this.dial('h2', signal),
    });
    this.#dialStage = createDialWatch({
      ...{ channel: this.channel, clock, random },
      mayDial: () => this.isJoined && !this.watch.isRefused,
      dial: (signal) => this.dial('h2', signal),
    });
  }

  static async open(dependencies: LinkDependencies): Promise<JoinedLink> {
    const { settings, dataFolder } = dependencies;
    const folder = linkFolder(dataFolder);
    const file = new IdentityFile(folder);
    await file.prepareFolder();
    const relay = settings.proxy
      ? await startRelay({
          folder,
          openTunnel: (signal) => tunnelInTime(settings, signal),
          // gRPC tells its callers; why is found by the watch.
          onFault: () => undefined,
        })
      : undefined;
    try {
      return new JoinedLink(dependencies, file, relay);
    } catch (error) {
      await relay?.close();
      throw error;
    }
  }

  get isJoined(): boolean {
    return this.identity.current !== undefined;
  }
  /** Keeps certificate and trust, and looks after the connection. */
  get stages(): readonly Stage[] {
    return [this.keeper.stage, this.watch.stage, this.#dialStage];
  }
  /** Keys that sign for the hub, newest trust; none before joining. */
  signingKeys(): readonly KeyObject[] {
    return this.identity.signingKeys;
  }
  /** Digest of the hub's configuration that is followed; '' before joining. */
  configurationSha256(): string {
    return this.identity.configurationSha256;
  }
  /** The hub has told which one it is now. */
  onConfiguration(sha256: string): void {
    if (sha256 !== this.configurationSha256()) this.keeper.trustChanged();
  }
  /** Resolves when the gateway has joined, or when the signal aborts. */
  whenJoined(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const either = AbortSignal.any([signal, this.#joined.signal]);
      if (either.aborted) return resolve();
      either.addEventListener('abort', () => resolve(), { once: true });
    });
  }

  /** A connection to the hub for one protocol, with the certificate in force. */
  dial(protocol: LinkProtocol, signal?: AbortSignal): Promise<TLSSocket> {
    if (!this.isJoined) return Promise.reject(linkFault('NOT_JOINED'));
    const { settings } = this.dependencies;
    const { credentials } = this.identity;
    return dialHub({ settings, credentials, protocol, ...(signal && { signal }) });
  }

  /**
   * Joins with a token; `hub` says that its other address is meant. Whoever has joined may join
   * again: until the new identity is durable, the old one stays.
   */
  async join(text: string, hub?: string): Promise<void> {
    const { settings, gatewayVersion } = this.dependencies;
    try {
      const token = parseJoinToken(text);
      if ((hub ?? token.hub) !== settings.address) throw linkFault('JOIN_TOKEN_INVALID');
      const exchange = (csr: string): ReturnType<typeof exchangeToken> =>
        exchangeToken({ settings, token, csr, gatewayVersion });
      await this.identity.join(exchange, token.ca);
    } catch (error) {
      const fault = AifiError.from(error);
      this.watch.failed(fault);
      throw fault;
    }
    this.watch.reached();
    this.#joined.abort();
    this.#wake.notify();
  }

  view(): GatewayLinkView {
    const { settings, clock } = this.dependencies;
    const { channel, identity, keeper, watch } = this;
    return viewOfJoined({ settings, nowMs: clock.nowMs(), channel, identity, keeper, watch });
  }

  async close(): Promise<void> {
    this.channel.close();
    await this.relay?.close();
  }

  #follow(): void {
    this.channel.swap(this.#parts());
  }

  #parts(): ChannelParts {
    const { settings, dataFolder } = this.dependencies;
    const { own, trustAnchors } = this.identity.credentials;
    if (!own) {
      // Nobody listens there: calls fail as they do while the hub is away.
      const target = `unix://${join(linkFolder(dataFolder), 'not-joined.sock')}`;
      const credentials = grpcCredentials.createInsecure();
      return { target, credentials, options: CHANNEL_OPTIONS };
    }
    const { serverName } = targetOf(settings);
    return {
      target: this.relay?.target ?? settings.address,
      credentials: grpcCredentials.createSsl(
        Buffer.from(trustAnchors.join('\n')),
        Buffer.from(own.key),
        Buffer.from(own.certificate),
      ),
      options: {
        ...CHANNEL_OPTIONS,
        'grpc.ssl_target_name_override': serverName,
        'grpc.default_authority': serverName,
      },
    };
  }
}

function tunnelInTime(settings: LinkSettings, signal: AbortSignal): ReturnType<typeof openTunnel> {
  return openTunnel(settings, AbortSignal.any([signal, AbortSignal.timeout(TUNNEL_TIMEOUT_MS)]));
}
