/**
 * Retrieval of a gateway of the suites: real over its database, with a PACS that knows one
 * accession number and has nothing to send; no worker runs. Decides nothing.
 */
import type { GatewayDatabase } from '@aifi/gateway-database';
import {
  AssociationPermits,
  createRetrieving,
  retrieveConfigSchema,
  type Archive,
  type Retrieving,
} from '@aifi/gateway-retrieve';
import { AifiError, type Clock } from '@aifi/shared-kernel';
import { silentLogger } from '@aifi/shared-observability';

export const PLANTED_ACCESSION = 'ACFETCH0042';
const STUDY = {
  ...{ studyInstanceUid: '1.2.99.2', date: '', time: '', description: '' },
  modalities: [],
};
const archive: Archive = {
  list: () => Promise.reject(new AifiError('PEER_UNAVAILABLE', 'no PACS here')),
  fetch: () => Promise.reject(new AifiError('PEER_UNAVAILABLE', 'no PACS here')),
  findStudies: ({ accessionNumber }) =>
    Promise.resolve({
      studies: accessionNumber === PLANTED_ACCESSION ? [STUDY] : [],
      isWhole: true,
    }),
  stationsOf: () => Promise.resolve([]),
};

export function plantedRetrieval(database: GatewayDatabase, clock: Clock): Retrieving {
  return createRetrieving({
    ...{ database, archive, clock, logger: silentLogger, zone: () => 0 },
    ...{ config: retrieveConfigSchema.parse({}), permits: new AssociationPermits(2) },
    isPacsUp: () => true,
  });
}
