/** Downlink: signed rules and outcomes for the gateways that ask for them. */
export { createDownlink, type Downlink, type DownlinkDependencies } from './downlink-service.js';
