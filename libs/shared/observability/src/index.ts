/** Logging and metrics for every process. */
export * from './logger.js';
export * from './metrics.js';
