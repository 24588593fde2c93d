/** Folder intake: named batches of files, put into a folder by people or by other programs. */
export { BATCH_DEPTH_MAX, BATCH_FILES_MAX } from './batch-files.js';
export type { BatchReport, FileReport } from './batch-report.js';
export * from './folder-intake.config.js';
export * from './folder-intake.js';
