/** The vault: linkage, identities, results register, acts, backups and the sealed envelope. */
export * from './envelope.js';
export * from './identity.js';
export * from './identity-event.js';
export * from './identity-event-apply.js';
export { changedIdentity, patientOf, type IdentityChange } from './identity-event-encoding.js';
export { encodeText } from './identity-event-text.js';
export { IdentityEventLog } from './identity-event-log.js';
export * from './vault.js';
export { erasureListPath } from './erasure-list.js';
export type { VaultCounts } from './vault-counts.js';
export type { PatientKey } from './blind-index.js';
export type { Erased } from './erasure.js';
export type { IdentityEntry, IdentitySource, NewIdentity } from './identity-history.store.js';
export type { Linkage } from './linkage.store.js';
export type { NewResult, RecallQuery, RegisteredResult } from './result-register.store.js';
export { GATEWAY_ACTOR } from './vault-act.js';
export type { VaultAct, VaultActDetail, VaultActName } from './vault-act.js';
export { backupVault, restoreVault, type BackupOptions, type RestoreOptions } from './backup.js';
export {
  checkWhole,
  openSnapshot,
  sealSnapshot,
  type SnapshotKind,
  type SnapshotOpening,
  type SnapshotOptions,
} from './snapshot.js';
