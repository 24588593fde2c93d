/**
 * Ingest as the hub serves it: the calls of the uplink contract, and objects over both transports.
 * Decides the wiring of handlers, objects and policy; the peer comes from the certificate.
 * Invariants: no handler sees a grpc-js call; one admission and one commit serve all transports, so
 * that fairness and groups do not depend on how bytes come.
 * Source: aifi/uplink/v1/uplink.proto; docs/adr/0020-bulk-transport.md; guard C1.
 */
import type { uplink } from '@aifi/contracts-proto';
import type { HubDatabase } from '@aifi/hub-database';
import { siteStream, siteUnary, type FaultListener } from '@aifi/hub-identity';
import type { Clock } from '@aifi/shared-kernel';
import type { FolderObjectStore } from '@aifi/hub-object-store';
import type { Admission } from './admission.js';
import type { DrainSignal } from './hub-drain.js';
import { ObjectCommit } from './objects/object-commit.js';
import { createObjectProtocol, type ObjectProtocol } from './objects/object-protocol.js';
import { PostgresObjectRecords } from './objects/postgres-object-records.js';
import { createPutObjects } from './objects/put-objects.js';
import { PostgresIngestStore } from './postgres-ingest.store.js';
import { createUplinkHandlers } from './uplink-service.js';

export interface IngestDependencies {
  readonly database: HubDatabase;
  readonly store: FolderObjectStore;
  readonly admission: Admission;
  readonly drain: DrainSignal;
  readonly clock: Clock;
  /** Rung when a study has been handed to routing. */
  readonly onDone: () => void;
  readonly onFault: FaultListener;
}
export interface Ingest {
  /** The methods for a grpc-js server. */
  readonly service: uplink.UplinkServiceServer;
  /** The bulk protocol, for the connections that ask for it; to be closed at the end. */
  readonly objects: ObjectProtocol;
}

export function createIngest(dependencies: IngestDependencies): Ingest {
  const { database, store, clock, drain, onDone, onFault } = dependencies;
  const handlers = createUplinkHandlers({
    ...{ ingest: new PostgresIngestStore(database), beginnings: store, clock, onDone },
  });
  const records = new PostgresObjectRecords(database);
  const intake = { ...dependencies, records, commit: new ObjectCommit({ store, records, clock }) };
  const objects = createObjectProtocol(intake);
  drain.signal.addEventListener('abort', () => objects.drain(drain.retryAfterMs), { once: true });
  return {
    service: {
      openStudy: siteUnary(handlers.openStudy, onFault),
      putObjects: siteStream(createPutObjects(intake), onFault),
      closeStudy: siteUnary(handlers.closeStudy, onFault),
    },
    objects,
  };
}
