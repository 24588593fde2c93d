/** The vault: linkage, identities and the sealed return envelope. */
export * from './envelope.js';
export * from './identity.js';
export * from './vault.js';
