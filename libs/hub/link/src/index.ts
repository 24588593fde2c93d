/** The hub's TLS front for gateways. */
export * from './address-key.js';
export { LINK_LIMITS, type LinkLimits } from './connection-book.js';
export * from './grpc-protocol.js';
export * from './line-quota.js';
export * from './link-front.js';
export * from './link-meter.js';
export * from './link-protocol.js';
export * from './link-trust.js';
