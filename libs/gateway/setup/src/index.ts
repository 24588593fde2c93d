/** Set-up of a gateway: checks against the PACS, and the settings that people change. */
export { hexOf } from './peer-finding.js';
export * from './settings-overlay.js';
export * from './setup-runner.js';
