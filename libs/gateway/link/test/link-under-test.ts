/** A gateway's link against a hub of a test: dependencies, waiting, one stream. */
import { credentials } from '@grpc/grpc-js';
import { downlink } from '@aifi/contracts-proto';
import { siteId, systemClock, type Clock } from '@aifi/shared-kernel';
import { silentLogger } from '@aifi/shared-observability';
import { JoinedLink, type LinkDependencies } from '../src/joined-link.js';
import type { LinkSettings } from '../src/link-settings.js';

export interface LinkOptions {
  readonly settings: LinkSettings;
  readonly dataFolder: string;
  readonly clock?: Clock;
  readonly place?: Partial<Pick<LinkDependencies, 'siteId' | 'purpose'>>;
}
export const openLink = (options: LinkOptions): Promise<JoinedLink> =>
  JoinedLink.open({
    ...{ settings: options.settings, dataFolder: options.dataFolder },
    ...{ siteId: siteId('site-a'), purpose: 'demonstration', gatewayVersion: '0.1.0' },
    ...{ clock: options.clock ?? systemClock, logger: silentLogger, random: () => 0 },
    ...options.place,
  });

/** A stream that echoes, by the channel of the link. */
export class EchoStream {
  readonly #call: ReturnType<downlink.DownlinkServiceClient['streamOutcomes']>;
  fault: Error | undefined;
  echoes = 0;
  isEnded = false;
  #waiting: (() => void)[] = [];

  constructor(link: JoinedLink) {
    const client = new downlink.DownlinkServiceClient('hub', credentials.createInsecure(), {
      channelOverride: link.channel,
    });
    this.#call = client.streamOutcomes();
    this.#call.on('data', () => {
      this.echoes += 1;
      this.#waiting.shift()?.();
    });
    this.#call.on('error', (error: Error) => {
      this.fault = error;
      for (const wake of this.#waiting) wake();
    });
    this.#call.on('end', () => (this.isEnded = true));
  }
  async echo(): Promise<void> {
    if (this.fault) throw this.fault;
    const heard = new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#call.write({} as never);
    await heard;
    if (this.fault) throw this.fault;
  }
  async end(): Promise<void> {
    const ended = new Promise<void>((resolve) => this.#call.once('status', () => resolve()));
    this.#call.end();
    await ended;
  }
}
