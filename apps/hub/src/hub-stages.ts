/**
 * The stages of the hub, in the order of the data, wired to each other by bells.
 * Decides who is woken by whom; a lost bell costs a poll interval, never a job.
 * Invariant: ingest and downlink answer the gateways (role api), route, infer and results work
 * (role jobs). Source: architecture 2.
 */
import { Wake, type Stage } from '@aifi/shared-kernel';
import { createDownlink, type Downlink } from '@aifi/hub-downlink';
import type { FaultListener } from '@aifi/hub-identity';
import { createInferStage } from '@aifi/hub-infer';
import { createUplinkService } from '@aifi/hub-ingest';
import { createResultsStage } from '@aifi/hub-results';
import { createRouteStage } from '@aifi/hub-route';
import type { uplink } from '@aifi/contracts-proto';
import type { HubParts } from './hub-parts.js';

/** Version of the platform as written into results; the package's own. */
export const PLATFORM_VERSION = '0.1.0';

export interface HubStages {
  readonly uplink: uplink.UplinkServiceServer;
  readonly downlink: Downlink;
  /** Stages that poll, for the role jobs. */
  readonly polling: readonly Stage[];
}

export function createHubStages(parts: HubParts, stopping: AbortSignal): HubStages {
  const { config, logger } = parts;
  const [routeWake, inferWake, resultsWake] = [new Wake(), new Wake(), new Wake()];
  const onFault: FaultListener = (error, siteId) =>
    logger.fault('call refused', error, siteId === undefined ? {} : { siteId });
  const downlink = createDownlink({ ...parts, onFault, stopping });
  const onConcluded = (): void => downlink.wake();
  const findModel = parts.models.get.bind(parts.models);
  const shared = { ...parts, findModel, onConcluded };
  return {
    uplink: createUplinkService({ ...parts, onFault, onDone: () => routeWake.notify() }),
    polling: [
      createRouteStage({ ...shared, wake: routeWake, onQueued: () => inferWake.notify() }),
      createInferStage({
        ...shared,
        wake: inferWake,
        workerUrl: config.workerUrl,
        config: config.infer,
        onInferred: () => resultsWake.notify(),
      }),
      createResultsStage({
        ...shared,
        wake: resultsWake,
        config: config.results,
        platformVersion: PLATFORM_VERSION,
      }),
    ],
    downlink,
  };
}
