/** Ingest: studies from the gateways into the object store, acknowledged when durable. */
export type { Admission, AdmissionAsk } from './admission.js';
export { registerAdmissionMetrics } from './admission-metrics.js';
export {
  admissionConfigSchema,
  FairAdmission,
  type AdmissionConfig,
  type AdmissionUse,
} from './fair-admission.js';
export { drainOn, type DrainSignal } from './hub-drain.js';
export type { IngestStore } from './ingest-store.js';
export { ObjectCommit } from './objects/object-commit.js';
export { ObjectIntake, type IntakeDependencies } from './objects/object-intake.js';
export type { ObjectProtocol } from './objects/object-protocol.js';
export type { ObjectName, ObjectRecords } from './objects/object-records.js';
export { MemoryIngestStore, type MemoryStudyJob } from './memory-ingest.store.js';
export { PostgresIngestStore } from './postgres-ingest.store.js';
export { createIngest, type Ingest, type IngestDependencies } from './uplink-server.js';
export {
  createUplinkHandlers,
  type ObjectBeginnings,
  type UplinkHandlerDependencies,
  type UplinkHandlers,
} from './uplink-service.js';
