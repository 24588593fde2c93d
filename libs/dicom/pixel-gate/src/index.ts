/** The pixel gate: filters, known regions, the border check and the text detector. */
export * from './clearance.js';
export * from './create-pixel-gate.js';
export * from './pixel-gate.js';
export { KNOWN_MANUFACTURERS } from './tier.js';
