/** The receive stage: C-STORE to durable file and row. */
export * from './receive.config.js';
export * from './receive-stage.js';
