/** Reidentify stage of the gateway: outcomes back to the patient they belong to. */
export * from './identity-explainer.js';
export * from './reidentify-stage.js';
