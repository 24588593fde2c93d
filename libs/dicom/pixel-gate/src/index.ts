/** The pixel gate: filters, known regions, the border check and the text detector. */
export * from './pixel-gate.js';
