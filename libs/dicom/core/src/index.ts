/** DICOM core: datasets, the strict walker, encoding, Part 10 files, character sets. */
export * from './character-set.js';
export * from './dataset.js';
export * from './dictionary.js';
export * from './element-walker.js';
export * from './encoder.js';
export * from './part10.js';
export type { PixelDataRange } from './pixel-description.js';
export * from './pixel-suspicions.js';
export * from './rejection-note.js';
export * from './transfer-syntax.js';
