/** Spool stage of the gateway: the durable queue in front of the uplink. */
export * from './spool-stage.js';
