/**
 * A running gateway: database, vault, link, stages and HTTP, started and stopped in order.
 * Decides that recovery is done before anything listens (F14) and that a stop drains the stages.
 */
import { join } from 'node:path';
import { systemClock, Wake } from '@aifi/shared-kernel';
import { GATEWAY_MIGRATIONS, GatewayDatabase } from '@aifi/gateway-database';
import { createStatusService } from '@aifi/gateway-status';
import { loadOrCreateSiteKeys, Vault } from '@aifi/gateway-vault';
import type { Logger } from '@aifi/shared-observability';
import { createDeadlineWatch } from './deadline-watch.js';
import type { GatewayConfig } from './gateway-config.js';
import { startHttp } from './http.js';
import { openHubLink } from './hub-link.js';
import { createPipeline } from './pipeline.js';
import { GATEWAY_VERSION } from './status-read-model.js';

export interface RunningGateway {
  readonly httpPort: number;
  readonly dicomPort: number;
  /** Rejects when a stage ends by a fault: the process must not go on without it. */
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

export async function startGateway(config: GatewayConfig, logger: Logger): Promise<RunningGateway> {
  const clock = systemClock;
  const { siteId, purpose, language, dataFolder, deadlines } = config;
  const database = GatewayDatabase.open(join(dataFolder, 'gateway.db'), GATEWAY_MIGRATIONS);
  const vault = Vault.open(join(dataFolder, 'vault.db'));
  const keys = await loadOrCreateSiteKeys(join(dataFolder, 'keys', 'site-keys.json'));
  const link = openHubLink(config.hub);
  const jobsEnded = new Wake();
  const linkage = { vault, keys };
  const common = { database, clock, logger };
  const onEnded = (): void => jobsEnded.notify();
  const pipeline = createPipeline({ config, ...linkage, link, ...common, onEnded });
  const watch = createDeadlineWatch({ ...common, deadlines });
  const status = createStatusService({
    ...{ siteId, purpose, language, dataFolder, deadlines },
    ...linkage,
    ...common,
    platformVersion: GATEWAY_VERSION,
    products: () => pipeline.currentRules()?.rules.products ?? [],
    wake: jobsEnded,
    onDone: pipeline.ringDeliver,
  });
  const stopping = new AbortController();
  const ended = Promise.all(
    [...pipeline.stages, watch, status].map((stage) => stage.run(stopping.signal)),
  ).then(() => undefined);
  const dicomPort = await Promise.race([
    pipeline.listening,
    ended.then(() => Promise.reject(new Error('ended before it was ready'))),
  ]);
  const { currentRules, pacsState } = pipeline;
  const linkState = link.state;
  const sources = { config, database, clock, linkState, currentRules, pacsState };
  const http = await startHttp(config.http, sources);
  const stop = async (): Promise<void> => {
    stopping.abort();
    await http.close();
    await ended.catch(() => undefined);
    link.close();
    database.close();
    vault.close();
  };
  return { httpPort: http.port, dicomPort, ended, stop };
}
