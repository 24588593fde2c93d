/** The hub's database: launcher of the embedded server, transactions per site, queue, outcomes. */
export {
  startEmbeddedPostgres,
  type DatabaseUrls,
  type EmbeddedPostgres,
} from './embedded-postgres.js';
export * from './audit-log.js';
export * from './enrolment.js';
export { systemDraft } from './enrolment-records.js';
export * from './hub-database.js';
export * from './job-queue.js';
export { readHubJobs, readStudyHops } from './job-trace.js';
export * from './outbox.js';
export * from './outcomes.js';
export * from './kill-state.js';
export * from './page-cursor.js';
export * from './product-stops.js';
export * from './retention.js';
export * from './stored-digests.js';
export * from './hub-invariants.js';
export { removeServerFolder, serverFolderPath } from './server-folder.js';
export { siteActivity, type SiteActivity } from './site-activity.js';
export { listSites, noteSeen } from './site-overview.js';
export { Sql, type SqlValue } from './sql.js';
export * from './study-jobs.js';
export * from './study-list.js';
export * from './take-over.js';
