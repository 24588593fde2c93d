/** Ingest: studies from the gateways into the object store, acknowledged when durable. */
export { createUplinkService, type UplinkDependencies } from './uplink-service.js';
