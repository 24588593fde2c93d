/** Manifests that cross the link or a vendor's desk: schemas, types and their canonical bytes. */
export * from './certificate.js';
export * from './kill-state.js';
export * from './gateway-configuration.js';
export * from './intended-use.js';
export * from './manifest-codec.js';
export * from './model-manifest.js';
export * from './model-package.js';
export * from './outcome-manifest.js';
export * from './primitives.js';
export * from './routing-rules.js';
export * from './study-manifest.js';
