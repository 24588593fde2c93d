/**
 * The gRPC contract between gateway and hub, generated from `aifi/**.proto` (`npm run generate`).
 */
export * as uplink from './generated/aifi/uplink/v1/uplink.js';
export * as downlink from './generated/aifi/downlink/v1/downlink.js';
