/** The audit trail: chain, ports, renderings, shipping, the patient's extract, retention. */
export * from './audit-csv.js';
export * from './audit-export.js';
export * from './audit-shipper.js';
export * from './audit-store.js';
export * from './chain.js';
export * from './dicom-audit-message.js';
export * from './fhir-audit-event.js';
export * from './patient-extract.js';
export type { AuditSource } from './rendering.js';
export * from './retention.js';
export * from './syslog-message.js';
export * from './syslog-transport.js';
export * from './verify-chain.js';
