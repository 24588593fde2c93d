/** Public names of the kernel: identifiers, results, errors, time, digests, limits. */
export * from './aifi-error.js';
export * from './backoff.js';
export * from './brand.js';
export * from './canonical-json.js';
export * from './clock.js';
export * from './crash-point.js';
export * from './digest.js';
export * from './durable-file.js';
export * from './error-catalogue.js';
export * from './limits.js';
export * from './node-version.js';
export * from './process-entry.js';
export * from './reason-codes.js';
export * from './result.js';
export * from './stage.js';
export * from './stages.js';
export * from './uid.js';
