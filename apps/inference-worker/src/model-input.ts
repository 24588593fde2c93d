/**
 * Model input: what a run works on, and its pixels in the numbers that the model takes.
 * Decides how the divisions of a manifest are applied: to each of the 256 possible values once,
 * exactly as they would be applied per pixel.
 */
import type { ModelManifest } from '@aifi/contracts-manifests';

export interface ModelWork {
  readonly manifest: ModelManifest;
  /** Verified bytes of the model. */
  readonly artefact: Uint8Array;
  readonly objectPaths: readonly string[];
  /** Writes one file of the output folder. */
  readonly write: (name: string, bytes: Uint8Array) => Promise<void>;
}

/** uint8 pixels or voxels to float32 in the same order. */
export function scaledInput(pixels: Uint8Array, { input }: ModelManifest): Float32Array {
  const table = Float32Array.from({ length: 256 }, (_, value) => value);
  for (const step of input.steps) {
    if (step.kind !== 'divide') continue;
    for (let value = 0; value < table.length; value += 1) table[value]! /= step.by;
  }
  const scaled = new Float32Array(pixels.length);
  for (let at = 0; at < pixels.length; at += 1) scaled[at] = table[pixels[at]!]!;
  return scaled;
}
