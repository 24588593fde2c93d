/** REST contracts: what gateway and hub answer over HTTP. */
export * from './gateway-status.js';
export * from './hub-job.js';
export * from './hub-status.js';
export * from './problem.js';
export * from './study-trace.js';
