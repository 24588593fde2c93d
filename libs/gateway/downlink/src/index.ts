/** Downlink stage of the gateway: signed rules and outcomes, pulled from the hub. */
export * from './downlink-stage.js';
export * from './rules-store.js';
