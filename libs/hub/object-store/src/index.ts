/** Object store of the hub: durable objects named by digest, under a prefix per site. */
export * from './folder-object-store.js';
export * from './beginnings.js';
export * from './incoming-object.js';
