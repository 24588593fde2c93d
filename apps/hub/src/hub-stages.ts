/**
 * The stages of the hub, in the order of the data, wired to each other by bells.
 * Decides who is woken by whom; a lost bell costs a poll interval, never a job.
 * Invariant: ingest and downlink answer the gateways (role api); route, infer and results, and the
 * stages that anchor and ship the audit trail, work (role jobs). Source: architecture 2.
 */
import { Wake, type Stage } from '@aifi/shared-kernel';
import { createAnchorStage } from '@aifi/hub-access';
import { createDownlink, type Downlink } from '@aifi/hub-downlink';
import type { FaultListener } from '@aifi/hub-identity';
import { createInferStage } from '@aifi/hub-infer';
import { createUplinkService } from '@aifi/hub-ingest';
import { createResultsStage } from '@aifi/hub-results';
import { createRouteStage } from '@aifi/hub-route';
import type { uplink } from '@aifi/contracts-proto';
import { auditShippers } from './audit-shippers.js';
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
  const ring = (wake: Wake) => (): void => {
    tellPages(parts);
    wake.notify();
  };
  const onConcluded = (): void => {
    tellPages(parts);
    downlink.wake();
  };
  const findModel = parts.models.get.bind(parts.models);
  const shared = { ...parts, findModel, onConcluded };
  return {
    uplink: createUplinkService({ ...parts, onFault, onDone: ring(routeWake) }),
    polling: [
      createRouteStage({ ...shared, wake: routeWake, onQueued: ring(inferWake) }),
      createInferStage({
        ...shared,
        wake: inferWake,
        workerUrl: config.workerUrl,
        config: config.infer,
        onInferred: ring(resultsWake),
      }),
      createResultsStage({
        ...shared,
        wake: resultsWake,
        config: config.results,
        platformVersion: PLATFORM_VERSION,
      }),
      createAnchorStage({
        ...parts,
        acts: parts.access.acts,
        onFault: (error) => logger.fault('audit chains were not anchored', error),
      }),
      ...auditShippers(parts),
    ],
    downlink,
  };
}

/** A job went on: in the list of studies, and in the counts of sites and status. */
function tellPages({ changes }: HubParts): void {
  for (const topic of ['studies', 'sites', 'status'] as const) changes.notify(topic);
}
