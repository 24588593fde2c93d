/** Uplink stage of the gateway: spooled studies to the hub. */
export * from './uplink-stage.js';
