/** Downlink stage of the gateway: signed rules, outcomes and audit anchors, pulled from the hub. */
export * from './audit-anchors.js';
export * from './downlink-stage.js';
export * from './rules-store.js';
