/** Verification of de-identified files, independent of the engine that made them. */
export { type Carrier, type CarrierPlace } from './carriers.js';
export * from './finding.js';
export { countMarkers, markersIn } from './marker-search.js';
export * from './mutants.js';
export { type NotRun } from './not-run.js';
export * from './phantom.js';
export { plantMarkers, type PlantedObject } from './planter.js';
export { type PatientCharacteristic } from './profile-oracle.js';
export { readObject } from './read-object.js';
export { SetCheck } from './set-check.js';
export { isNationalNumber } from './text-scan.js';
export * from './verify-folder.js';
export * from './verify-object.js';
