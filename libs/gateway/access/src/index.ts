/** Access at the gateway: sessions, approvals, the audit trail, masked patients, alerts. */
export * from './access-database.js';
export * from './act.store.js';
export * from './alert.store.js';
export * from './anchor-stage.js';
export * from './approval.store.js';
export * from './audit-trail.js';
export * from './gateway-access.js';
export * from './hub-anchor.store.js';
export * from './page-cursor.js';
export * from './patient-flag.store.js';
export * from './patient-source.js';
export * from './pipeline-records.js';
export * from './secret-file.js';
export * from './session.store.js';
export * from './shipping-position.store.js';
export * from './vault-records.js';
