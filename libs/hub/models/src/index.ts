/** The model versions that a hub can deploy, read from its models folder. */
export { loadModels, type ModelRegistry } from './model-registry.js';
