/** Retrieval: studies out of the PACS, by hand, by rule, or because they did not come. */
export type { Archive, FetchOrder, RetrievalReason } from './archive.js';
export * from './association-permits.js';
export type { IntakePort } from './object-relay.js';
export * from './pacs-archives.js';
export * from './retrieval.store.js';
export * from './retrieve-stage.js';
export * from './retrieve.config.js';
