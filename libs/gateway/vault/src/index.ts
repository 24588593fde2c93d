/** The vault: linkage, identities, site keys and the sealed return envelope. */
export * from './envelope.js';
export * from './identity.js';
export * from './site-keys.js';
export * from './vault.js';
