/** De-identification: the keep-lists, the pure engine and the only maker of what may leave. */
export * from './action-report.js';
export { commentsOf } from './codestream-comments.js';
export { CodestreamSweep, codestreamSweepOf } from './codestream-sweep.js';
export * from './confidentiality-profile.table.js';
export { conformanceMarkdown, reIdentifierActionOf } from './conformance-tables.js';
export * from './deidentification-context.js';
export { patientKey } from './derivations.js';
export { passesElevenTest } from './identifier-sweep.js';
export * from './keep-list.js';
export { CLAIMED_OPTIONS, DEIDENTIFICATION_METHOD, UNCLAIMED_OPTIONS } from './markers.js';
export * from './profile-row.js';
export * from './pseudonymise-header.js';
export * from './pseudonymised-instance.js';
export { DESCRIPTION_PHRASES, DESCRIPTION_WORDS } from './vocabulary.table.js';
export * from './re-identifier-actions.table.js';
export * from './result-origins.table.js';
export * from './site-deidentification.js';
