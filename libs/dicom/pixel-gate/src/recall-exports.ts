/**
 * What tools/recall measures the gate with: planting and finding texts, tiers and phantoms.
 * Decides that the measurement has a way in of its own (`@aifi/dicom-pixel-gate/recall`): nothing
 * of it is part of the gate. Invariant: a gateway imports nothing from here.
 */
export { windowsOf } from './display-planes.js';
export { ownVerdictOf } from './own-rules.js';
export { phantomOf, type PhantomKind } from './picture-phantoms.js';
export { chanceOf } from './planted-content.js';
export * from './recall.js';
export { createTextDetector } from './text-detector.js';
export { tierOf, type Tier } from './tier.js';
