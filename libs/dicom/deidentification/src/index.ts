/** De-identification: the keep-lists, the pure engine and the only maker of what may leave. */
export * from './deidentification-context.js';
export * from './keep-list.js';
export { CLAIMED_OPTIONS, DEIDENTIFICATION_METHOD } from './markers.js';
export * from './pseudonymise-header.js';
export * from './pseudonymised-instance.js';
