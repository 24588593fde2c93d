/** Downlink stage of the gateway: control state, outcomes and audit anchors, all pulled. */
export * from './audit-anchors.js';
export * from './control-reader.js';
export * from './downlink-port.js';
export * from './downlink-stage.js';
export * from './grpc-downlink-port.js';
export * from './kill-state-store.js';
export * from './outcome-reader.js';
export * from './reconnect.js';
export * from './rules-store.js';
