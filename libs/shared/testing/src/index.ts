/** Helpers for tests: temporary folders, free ports, a fake clock, peers, a visitor of pages. */
export * from './fake-clock.js';
export * from './fake-site-keys.js';
export * from './free-port.js';
export * from './own-process.js';
export * from './page-visitor.js';
export * from './peers.js';
export * from './temporary-folder.js';
