/**
 * Volumes: reading a series, coverage, conforming for models, labels back, writing phantoms.
 * Radiographs: reading one image, greys, letterboxing for models.
 */
export { type Affine, type Vector3 } from './affine.js';
export * from './black-out.js';
export * from './cleaned-pixels.js';
export * from './conform.js';
export { coverageMm, type SlicePlacement } from './coverage.js';
export * from './grey-picture.js';
export { type FrameSize } from './jpeg2000.js';
export { type Radiograph, readRadiograph } from './radiograph.js';
export { readSeriesVolume } from './series-volume.js';
export * from './volume-encoder.js';
export * from './volume.js';
