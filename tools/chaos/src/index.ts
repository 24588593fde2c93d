/**
 * What the end-to-end tests share with the chaos runner: studies whose pixels say which study they
 * are, the products that read them, and the reading of their results.
 */
export { CodedStudy, type StudyOrder } from './coded-study.js';
export { oracleOf } from './collect.js';
export { PRODUCTS, productOf, writeOracleModels, type Lane } from './oracle-models.js';
export { sendInstance } from './pacs-jobs.js';
export { type PixelIdentity } from './pixel-code.js';
