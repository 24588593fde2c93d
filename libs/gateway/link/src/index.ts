/** The gateway's side of the link to the hub: joining, certificate, trust, dialling. */
export * from './certificate-facts.js';
export * from './dial-watch.js';
export * from './join-token.js';
export * from './joined-link.js';
export * from './link-settings.js';
export * from './link-view.js';
export * from './link-watch.js';
export { readSecretFile } from './secret-file.js';
export { SwappableChannel } from './swappable-channel.js';
export * from './tls-dial.js';
export { TUNNEL_TIMEOUT_MS } from './tunnel.js';
