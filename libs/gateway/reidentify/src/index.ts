/** Reidentify stage of the gateway: outcomes back to the patient they belong to. */
export * from './reidentify-stage.js';
