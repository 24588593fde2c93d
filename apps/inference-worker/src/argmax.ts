/**
 * Argmax: scores of all classes to one label per voxel.
 * Decides ties (the lowest class wins) and that a score that is no finite number spoils the run.
 * Shapes: scores [class, k, j, i] float32 → labels [k, j, i] uint8, voxel counts [class].
 */
import { ok, refuse, type Result } from '@aifi/shared-kernel';

export interface LabelledGrid {
  /** [k, j, i] uint8, the index of the class. */
  readonly labels: Uint8Array;
  /** Voxels per class; they add up to the grid. */
  readonly voxelCounts: readonly number[];
}

/**
 * One pass, no copy of the scores; OUTPUT_INVALID for NaN, infinity or a length that does not fit.
 */
export function argmaxLabels(scores: Float32Array, classCount: number): Result<LabelledGrid> {
  const size = scores.length / classCount;
  if (!Number.isInteger(size)) return refuse('OUTPUT_INVALID', 'output has another length');
  const labels = new Uint8Array(size);
  const voxelCounts = new Array<number>(classCount).fill(0);
  for (let voxel = 0; voxel < size; voxel += 1) {
    let best = 0;
    let bestScore = scores[voxel]!;
    // x − x is 0 for finite numbers and NaN for all others: one sum finds any of them.
    let spoiled = bestScore - bestScore;
    for (let channel = 1; channel < classCount; channel += 1) {
      const score = scores[channel * size + voxel]!;
      spoiled += score - score;
      if (score > bestScore) {
        best = channel;
        bestScore = score;
      }
    }
    if (spoiled !== 0) return refuse('OUTPUT_INVALID', 'output holds a value that is no number');
    labels[voxel] = best;
    voxelCounts[best]! += 1;
  }
  return ok({ labels, voxelCounts });
}
