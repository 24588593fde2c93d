/** Configuration loading for the main.ts of every process. */
export * from './load-config.js';
