/** Infer: claimed jobs to the inference worker and back, sealed and recorded. */
export { createInferStage, inferConfigSchema, type InferDependencies } from './infer-stage.js';
