/** Access at the hub: sessions, approvals, acts and the audit trail in PostgreSQL. */
export * from './act-store.js';
export * from './anchor-stage.js';
export * from './approval-store.js';
export * from './audit-store.js';
export * from './hub-access.js';
export * from './retention.js';
export * from './session-store.js';
