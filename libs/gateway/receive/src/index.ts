/** The receive stage: C-STORE to durable file and row. */
export type { DiskLevel } from './listener-messages.js';
export * from './receive.config.js';
export * from './receive-stage.js';
