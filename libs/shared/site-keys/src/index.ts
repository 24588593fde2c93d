/** Site keys: the secrets of one hospital, in epochs, and where they are kept. */
export * from './key-ring.js';
export * from './site-keys.js';
