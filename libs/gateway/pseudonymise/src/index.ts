/** Pseudonymise stage of the gateway: received files to what may leave, linkage first. */
export * from './pseudonymise-stage.js';
export { SeriesThread } from './series-thread.js';
export { seriesWork, type SeriesWork, type WrittenImage } from './series-work.js';
