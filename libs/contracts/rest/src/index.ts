/** REST contracts: what gateway and hub answer over HTTP. */
export * from './access.js';
export * from './audit.js';
export * from './dead-letter.js';
export * from './gateway-routes.js';
export * from './gateway-status.js';
export * from './hub-job.js';
export * from './hub-routes.js';
export * from './hub-status.js';
export * from './pixel-hold.js';
export * from './problem.js';
export * from './results-register.js';
export * from './route.js';
export * from './study-trace.js';
