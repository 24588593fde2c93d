/** Disk of a gateway: watermarks, the reserve for what must go on, and retention. */
export * from './disk-level.js';
export * from './disk-watch.js';
export * from './disk.config.js';
export * from './retention-stage.js';
