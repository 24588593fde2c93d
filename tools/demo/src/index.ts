/**
 * What the end-to-end tests share with the demonstration: the stack, the studies, following them.
 */
export { followStudies, storeStudy } from './run/follow-studies.js';
export { deviations, isDone, progressOf, type StudyRun } from './run/study-run.js';
export { DEMO_DATA_FOLDER, MODELS_FOLDER } from './stack/checkout.js';
export { type ServerClient } from './stack/server-client.js';
export { type GatewayProduct, type GatewayStudy } from './stack/gateway-client.js';
export { type Hospital, type Standby } from './stack/hospital.js';
export { type TaskEnd } from './stack/process-factory.js';
export { aeTitles } from './stack/stack-config.js';
export { type ManagedProcess, type ProcessEnd } from './stack/managed-process.js';
export { type OrthancClient, type PacsInstance } from './stack/orthanc-client.js';
export { Stack, type Edge, type StackOptions, type StackParts } from './stack/stack.js';
export { killChildrenOf } from './stack/worker-children.js';
export { type DemoStudy } from './studies/demo-study.js';
export { demoStudies } from './studies/index.js';
export { type Canary } from './studies/planted-identity.js';
