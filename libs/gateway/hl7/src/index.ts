/** HL7 v2 over MLLP: orders, identities and objections from the hospital's own systems. */
export { hl7ConfigSchema, type Hl7Config } from './hl7.config.js';
export { createHl7Stage, type Hl7Stage } from './hl7-stage.js';
export { MessageIntake, type IntakeDependencies, type IntakePorts } from './message-intake.js';
export type { Hl7IdentityEvent, Hl7Move, Hl7Objection } from './message-plan.js';
export { readTallies, type Tally } from './message-log.store.js';
export type { MllpPorts } from './mllp-server.js';
