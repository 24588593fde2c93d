/** The deliver stage: results into the PACS, verified there. */
export * from './create-pacs-peer.js';
export * from './dead-letter.store.js';
export * from './deliver.config.js';
export {
  createDeliverStage,
  type DeliverDependencies,
  type DeliverStage,
} from './deliver-stage.js';
export { DeliverService, type DeliverSettings } from './deliver-service.js';
export type { DeadCode } from './delivery.store.js';
export {
  decideDelivery,
  type GatedResult,
  type KillKnowledge,
  type KillVerdict,
  type KnowKill,
} from './kill-gate.js';
export type { IdentityExplainer, RewrittenObject, WaitingObject } from './last-look.js';
export { buryOverdue, isBlockedByPacs } from './overdue.js';
export type { PacsPeer } from './pacs-peer.js';
export type { LaneDeadlines } from './verification.js';
