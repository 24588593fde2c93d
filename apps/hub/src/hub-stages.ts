/**
 * The stages of the hub, in the order of the data, wired to each other by bells.
 * Decides who is woken by whom; a lost bell costs a poll interval, never a job.
 * Invariant: ingest and downlink answer the gateways (role api); route, infer and results, and the
 * stages that anchor and ship the audit trail, work (role jobs). Source: architecture 2.
 */
import { Wake, type Stage } from '@aifi/shared-kernel';
import { createAnchorStage } from '@aifi/hub-access';
import { createDownlink, type Downlink } from '@aifi/hub-downlink';
import { createEnrolmentService, createJoinProtocol } from '@aifi/hub-enrolment';
import type { FaultListener } from '@aifi/hub-identity';
import { createInferStage } from '@aifi/hub-infer';
import { createIngest, drainOn, FairAdmission, type Ingest } from '@aifi/hub-ingest';
import type { AnyProtocol } from '@aifi/hub-link';
import { createResultsStage } from '@aifi/hub-results';
import { createRouteStage, createStopStage } from '@aifi/hub-route';
import type { enrolment, uplink } from '@aifi/contracts-proto';
import { auditShippers } from './audit-shippers.js';
import type { HubParts } from './hub-parts.js';
import { createHubRetention } from './hub-retention.js';

/** Version of the platform as written into results; the package's own. */
export const PLATFORM_VERSION = '0.1.0';

export interface HubStages {
  readonly uplink: uplink.UplinkServiceServer;
  /** Bulk bytes; also one of `protocols`. */
  readonly objects: Ingest['objects'];
  /** Room for objects on their way, shared by all sites. */
  readonly admission: FairAdmission;
  readonly downlink: Downlink;
  readonly enrolment: enrolment.EnrolmentServiceServer;
  /** What is spoken on the link's port besides gRPC. */
  readonly protocols: readonly AnyProtocol[];
  /** Stages that poll, for the role jobs. */
  readonly polling: readonly Stage[];
}

export function createHubStages(parts: HubParts, stopping: AbortSignal): HubStages {
  const { config, logger } = parts;
  const [routeWake, inferWake, resultsWake] = [new Wake(), new Wake(), new Wake()];
  const onFault: FaultListener = (error, siteId) =>
    logger.fault('call refused', error, siteId === undefined ? {} : { siteId });
  const downlink = createDownlink({
    ...{ ...parts, control: config.control, onFault, stopping },
    configuration: parts.enrolment.configuration,
  });
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
  const admission = new FairAdmission(config.admission);
  const ingest = createIngest({
    ...{ ...parts, onFault, onDone: ring(routeWake) },
    admission,
    drain: drainOn(stopping),
  });
  return {
    uplink: ingest.service,
    objects: ingest.objects,
    admission,
    polling: [
      createRouteStage({ ...shared, wake: routeWake, onQueued: ring(inferWake) }),
      createStopStage({ ...shared, onRules: () => downlink.wakeControl() }),
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
      createHubRetention({ ...parts, config: config.retention }),
      ...parts.assurance.stages(onConcluded),
      parts.enrolment.expiry.stage(),
    ],
    downlink,
    enrolment: createEnrolmentService(parts.enrolment.renewal, onFault),
    protocols: [
      ingest.objects,
      createJoinProtocol({
        ...{ service: parts.enrolment.joining, clock: parts.clock },
        onRefused: (fault) => logger.fault('a request to join was refused', fault),
      }),
    ],
  };
}

/** A job went on: in the list of studies, and in the counts of sites and status. */
function tellPages({ changes }: HubParts): void {
  for (const topic of ['studies', 'sites', 'status'] as const) changes.notify(topic);
}
