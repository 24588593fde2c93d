/** The receive stage: C-STORE to durable file and row. */
export {
  InstanceStore,
  type InstanceRow,
  type RecordOutcome,
  type Sweep,
} from './instance.store.js';
export type { CheckedInstance, DiskLevel } from './listener-messages.js';
export { PoisonStore } from './poison.store.js';
export * from './receive.config.js';
export * from './receive-stage.js';
export { createPrivateIntake, type IntakeOutcome, type PrivateIntake } from './private-intake.js';
export type { PrivateOrigin } from './private-origin.js';
