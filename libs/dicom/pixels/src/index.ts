/**
 * Volumes: reading a series, coverage, conforming for models, labels back, writing phantoms.
 * Radiographs: reading one image, greys, letterboxing for models.
 * Frames: decoding any image frame by frame, blacking regions out, a preview for a person.
 */
export { type Affine, type Vector3 } from './affine.js';
export * from './black-out.js';
export * from './cleaned-pixels.js';
export * from './conform.js';
export { coverageMm, type SlicePlacement } from './coverage.js';
export * from './grey-picture.js';
export {
  type FrameReader,
  framesInMemory,
  isLossless,
  openFrames,
  type Part10InMemory,
} from './frame-reader.js';
export { type FrameSamples } from './frame-samples.js';
export { type FrameSize } from './image-description.js';
export * from './preview.js';
export { type Radiograph, readRadiograph } from './radiograph.js';
export { readSeriesVolume } from './series-volume.js';
export * from './volume-encoder.js';
export * from './volume.js';
