/** Downlink: what gateways pull from the hub, as plain senders over ports and as gRPC methods. */
export * from './control.config.js';
export * from './control-sender.js';
export * from './control-store.js';
export * from './downlink-service.js';
export * from './memory-control-store.js';
export * from './memory-outcome-store.js';
export * from './newest-stream.js';
export * from './outcome-sender.js';
export * from './outcome-store.js';
export * from './postgres-control-store.js';
export * from './postgres-outcome-store.js';
