/** Reconciliation with the PACS, digests of owed files, the clock, invariants. */
export * from './clock-skew.js';
export * from './clock-watch.js';
export * from './digest-check.js';
export * from './invariant-check.js';
export * from './missed-study.store.js';
export * from './reconcile.config.js';
export * from './reconciliation.js';
export * from './study-finder.js';
export { momentOf, ownZone, type TimeWindow, type ZoneMinutes } from './time-windows.js';
