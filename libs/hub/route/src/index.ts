/** Route: gates, queueing, and the signed routing rules of each site. */
export { evaluateGates, type GateInput } from './gates.js';
export { createRouteStage, type RouteDependencies } from './route-stage.js';
export { publishRules, type FindModel, type PublisherDependencies } from './rules-publisher.js';
export * from './stop-stage.js';
