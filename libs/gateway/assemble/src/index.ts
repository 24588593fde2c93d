/** Assemble stage of the gateway: instances to study revisions. */
export * from './assemble.config.js';
export { createAssembleStage, type AssembleDependencies } from './assemble-stage.js';
export type { Announcement } from './completeness.js';
export type { EarlyProducts } from './early-start.js';
