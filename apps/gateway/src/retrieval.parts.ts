/**
 * Retrieval of a gateway: which way studies come out of its PACS.
 * Decides the wiring: C-MOVE to our listener, or C-GET and WADO-RS through the private intake.
 * Invariants: the same PACS as delivery, by the same certificates and permits; while delivery
 * leaves it alone nothing is fetched. Source: features 4; reliability specification H15.
 */
import { DicomWebArchive } from '@aifi/dicom-dicomweb';
import type { GatewayDatabase } from '@aifi/gateway-database';
import { dimseOptions, webOptions } from '@aifi/gateway-deliver';
import { createPrivateIntake } from '@aifi/gateway-receive';
import { ownZone } from '@aifi/gateway-reconcile';
import {
  createRetrieving,
  DimseArchive,
  WebArchive,
  type AssociationPermits,
  type IntakePort,
  type Retrieving,
} from '@aifi/gateway-retrieve';
import { AifiError, type Clock } from '@aifi/shared-kernel';
import type { Logger } from '@aifi/shared-observability';
import type { GatewayConfig } from './gateway-config.js';
import type { Pipeline } from './pipeline.js';

export interface RetrievalParts {
  readonly config: GatewayConfig;
  readonly database: GatewayDatabase;
  readonly permits: AssociationPermits;
  readonly pacsState: Pipeline['pacsState'];
  readonly onChange: () => void;
  readonly clock: Clock;
  readonly logger: Logger;
}

export function createRetrieval(parts: RetrievalParts): Retrieving {
  const { config, database, permits, pacsState, onChange, clock, logger } = parts;
  return createRetrieving({
    ...{ database, permits, clock, logger, config: config.retrieve, zone: ownZone },
    archive: archiveOf(parts),
    isPacsUp: () => pacsState() === 'closed',
    onEnd: onChange,
  });
}

function archiveOf({ config, clock }: RetrievalParts): DimseArchive | WebArchive {
  const { pacs, retrieve, dicom } = config;
  const { instancesMax, idleMs, totalMs } = retrieve;
  const way = retrieve.way ?? (pacs.stow ? 'wado' : 'move');
  const intake = intakeOf(config, clock);
  if (way === 'wado') {
    if (!pacs.stow) throw new AifiError('CONFIG_INVALID', 'wado without pacs.stow');
    const web = new DicomWebArchive({ ...webOptions(pacs.stow, clock), idleMs, totalMs });
    return new WebArchive({ web, instancesMax, intake });
  }
  const destination = way === 'move' ? (retrieve.destinationAeTitle ?? dicom.aeTitle) : undefined;
  const address = dimseOptions(pacs, clock);
  return new DimseArchive({ ...address, idleMs, totalMs, instancesMax, destination, intake });
}

/** Counted as coming from the PACS; nobody waits for it at a scanner. */
function intakeOf({ dataFolder, pacs }: GatewayConfig, clock: Clock): IntakePort {
  const intake = createPrivateIntake(dataFolder, clock);
  const origin = { way: 'retrieved', from: pacs.calledAeTitle, lane: 'routine' } as const;
  return {
    store: (file, { studyInstanceUid }) => intake.store(file, origin, studyInstanceUid),
  };
}
