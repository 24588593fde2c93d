/** The gateway's embedded store: group commit, tables, journal, job states. */
export * from './gateway-database.js';
export * from './instance-header.js';
export * from './journal.js';
export * from './migrations.js';
export * from './product-request.js';
export * from './overtaken-jobs.js';
export * from './withdrawn-jobs.js';
export * from './memory-database.js';
export * from './work-attempts.js';
