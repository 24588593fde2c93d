/** Objections of patients: what they are, how they come in, and the jobs that they end. */
export * from './consent.config.js';
export * from './fhir-consent.js';
export * from './objected-jobs.js';
export * from './objection-list.js';
export * from './objection-register.js';
export * from './objection-watch.js';
export * from './objections.js';
