/**
 * A running hub: parts opened, sign-in ready, link and stages started, HTTP listening, stopped in
 * reverse. Decides that a hub that cannot go on says so: a stage that ended or a database that is
 * gone.
 */
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AifiError } from '@aifi/shared-kernel';
import type { Logger } from '@aifi/shared-observability';
import type { HubConfig } from './hub-config.js';
import { openHubParts, type HubParts } from './hub-parts.js';
import { HubRuntime } from './hub-runtime.js';
import { openHubSignIn, type HubSignIn } from './hub-sign-in.js';
import { createHubApp } from './hub-web.js';

export interface RunningHub {
  readonly httpPort: number;
  /** Undefined without the role api. */
  readonly linkPort: number | undefined;
  /** Of the embedded provider; undefined with another one. */
  readonly providerPort: number | undefined;
  /** The HTTP adapter's application, for tests that enumerate its routes. */
  readonly httpApplication: unknown;
  /** Rejects when the hub cannot go on. */
  readonly failed: Promise<never>;
  stop(): Promise<void>;
}
export type OpenSignIn = (parts: HubParts) => Promise<HubSignIn>;

/** `openSignIn` is another one in tests only. */
export async function startHub(
  config: HubConfig,
  logger: Logger,
  openSignIn: OpenSignIn = openHubSignIn,
): Promise<RunningHub> {
  const parts = await openHubParts(config, logger);
  const signIn = await closingOnFault(openSignIn(parts), parts.close);
  const close = async (): Promise<void> => {
    await signIn.close();
    await parts.close();
  };
  const app = await closingOnFault(createHubApp({ ...parts, close }, signIn), close);
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
      providerPort: signIn.providerPort,
      httpApplication: app.getHttpAdapter().getInstance(),
      ...{ failed, stop },
    };
  } catch (error) {
    await app.close();
    throw error;
  }
}

async function closingOnFault<T>(opening: Promise<T>, close: () => Promise<void>): Promise<T> {
  try {
    return await opening;
  } catch (error) {
    await close();
    throw error;
  }
}
