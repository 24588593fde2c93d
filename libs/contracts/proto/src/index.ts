/**
 * The contract between gateway and hub: gRPC, generated from `aifi/**.proto` (`npm run generate`),
 * and the frames that carry the bytes of objects.
 */
export * as uplink from './generated/aifi/uplink/v1/uplink.js';
export * as downlink from './generated/aifi/downlink/v1/downlink.js';
export * as enrolment from './generated/aifi/enrolment/v1/enrolment.js';
export * from './object-frames.js';
export * from './link-keepalive.js';
