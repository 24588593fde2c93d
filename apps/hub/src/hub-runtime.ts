/**
 * HubRuntime: starts and stops what is not HTTP, as a provider of the Nest application.
 * Decides the order of a stop: streams and stages first, each putting its work back, then the
 * database. Invariant: nothing claims work after the stop has begun.
 * Source: architecture 3 (roles); conventions "NestJS".
 */
import {
  Inject,
  Injectable,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { registerAdmissionMetrics } from '@aifi/hub-ingest';
import { HUB_PARTS, type HubParts } from './hub-parts.js';
import { HUB_METRICS, type HubMetrics } from './hub-metrics.js';
import { createHubStages } from './hub-stages.js';
import { LinkServer } from './link-server.js';
import { PreviewRenderer } from './preview/preview-renderer.js';

@Injectable()
export class HubRuntime implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #stopping = new AbortController();
  #link: LinkServer | undefined;
  /** Port of the link; undefined without the role api. */
  linkPort: number | undefined;
  /** Rejects when a stage ends by a fault. */
  ended: Promise<void> = Promise.resolve();

  constructor(
    @Inject(HUB_PARTS) private readonly parts: HubParts,
    @Inject(HUB_METRICS) private readonly metrics: HubMetrics,
    @Inject(PreviewRenderer) private readonly previews: PreviewRenderer,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    const { config } = this.parts;
    const { signal } = this.#stopping;
    const stages = createHubStages(this.parts, signal);
    if (config.roles.includes('jobs')) {
      const running = stages.polling.map((stage) => stage.run(signal));
      this.ended = Promise.all(running).then(() => undefined);
    }
    if (config.roles.includes('api')) {
      registerAdmissionMetrics(this.metrics.registry, stages.admission);
      this.#link = new LinkServer(stages, this.parts, this.metrics.link);
      this.linkPort = await this.#link.start(config.grpc);
    }
  }

  /** Who is let in has changed: looked at now, instead of within seconds. */
  lookAtLink(): void {
    this.#link?.look();
  }

  async onApplicationShutdown(): Promise<void> {
    this.#stopping.abort();
    await this.previews.close();
    await this.#link?.stop(this.parts.clock);
    await this.ended.catch(() => undefined);
    await this.parts.close();
  }
}
