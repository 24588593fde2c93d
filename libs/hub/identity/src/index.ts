/** Who calls the hub: the site of the client certificate, and gRPC handlers that start with it. */
export { bindPeer, type BoundName, type BoundPeer } from './bound-peers.js';
export * from './site-calls.js';
export * from './site-from-peer.js';
