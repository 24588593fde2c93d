/** Site keys: the secrets of one hospital, in epochs, and where they are kept. */
export * from './intake-keys.js';
export * from './key-ring.js';
export * from './key-store.js';
export * from './pkcs11-wrapper.js';
export type { EpochRecord, KeyFileDescription } from './key-file.js';
export { fileKeyWrapper, type KeyWrapper } from './key-wrapper.js';
export { KEY_NAMES, type KeyName, type RotationKind, type SiteKeys } from './site-keys.js';
