/** Assemble stage of the gateway: instances to study revisions. */
export * from './assemble-stage.js';
