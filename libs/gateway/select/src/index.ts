/** Select stage of the gateway: which product asks for which series, before anything leaves. */
export * from './select-again.js';
export { createSelectStage, type SelectDependencies, type VerifiedRules } from './select-stage.js';
