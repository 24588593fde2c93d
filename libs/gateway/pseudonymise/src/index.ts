/** Pseudonymise stage of the gateway: received files to what may leave, linkage first. */
export * from './pseudonymise-stage.js';
