/** The study's one AI status object: when it is owed, what it says, and that it is said once. */
export { createStatusService, type StatusDependencies } from './status-service.js';
export type { ProductFacts } from './status-object.js';
