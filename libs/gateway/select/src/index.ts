/** Select stage of the gateway: which product asks for which series, before anything leaves. */
export type { DecisionCause } from './decision.store.js';
export { earlyProductsOf, type EarlyProductsOptions } from './early-products.js';
export type { HospitalWord, StudyOrder } from './hospital-word.js';
export * from './select-again.js';
export { createSelectStage, type SelectDependencies } from './select-stage.js';
export type { SiteContext, VerifiedRules } from './verified-rules.js';
