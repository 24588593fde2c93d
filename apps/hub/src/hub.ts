/**
 * A running hub: parts opened, link and stages started, HTTP listening, stopped in reverse.
 * Decides that a hub that cannot go on says so: a stage that ended or a database that is gone.
 */
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { NestFactory } from '@nestjs/core';
import { AifiError } from '@aifi/shared-kernel';
import type { Logger } from '@aifi/shared-observability';
import type { HubConfig } from './hub-config.js';
import { HubModule } from './hub-http.js';
import { openHubParts } from './hub-parts.js';
import { HubRuntime } from './hub-runtime.js';
import { ProblemFilter } from './problem-filter.js';

export interface RunningHub {
  readonly httpPort: number;
  /** Undefined without the role api. */
  readonly linkPort: number | undefined;
  /** Rejects when the hub cannot go on. */
  readonly failed: Promise<never>;
  stop(): Promise<void>;
}

export async function startHub(config: HubConfig, logger: Logger): Promise<RunningHub> {
  const parts = await openHubParts(config, logger);
  const app = await NestFactory.create(HubModule.with(parts), {
    logger: false,
    abortOnError: false,
  });
  app.useGlobalFilters(new ProblemFilter());
  try {
    const server = (await app.listen(config.http.port, config.http.host)) as Server;
    const runtime = app.get(HubRuntime);
    let stopping = false;
    const failed = new Promise<never>((_, reject) => {
      const gone = new AifiError('PEER_UNAVAILABLE', 'the embedded database has ended');
      void parts.databaseEnded.then(() => (stopping ? undefined : reject(gone)));
      runtime.ended.catch(reject);
    });
    // Whoever does not look at it still must not die of it.
    failed.catch(() => undefined);
    const stop = (): Promise<void> => {
      stopping = true;
      return app.close();
    };
    return {
      httpPort: (server.address() as AddressInfo).port,
      linkPort: runtime.linkPort,
      failed,
      stop,
    };
  } catch (error) {
    await app.close();
    throw error;
  }
}
