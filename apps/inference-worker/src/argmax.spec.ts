/**
 * Goal: each voxel gets the class with the highest score, and unusable scores are refused.
 * Method: four voxels of three classes.
 */
import { describe, expect, it } from '@jest/globals';
import { argmaxLabels as sut } from './argmax.js';

describe('argmaxLabels', () => {
  it('labels with the best class, the lowest one on a tie, and counts voxels', () => {
    const scores = Float32Array.of(...[3, 0, 1, -5], ...[2, 1, 1, -4], ...[1, 2, 1, -3]);
    expect(sut(scores, 3)).toEqual({
      ok: true,
      value: { labels: Uint8Array.of(0, 2, 0, 2), voxelCounts: [2, 0, 2] },
    });
  });
  it.each([NaN, Infinity, -Infinity])('refuses %d in any class as OUTPUT_INVALID', (value) => {
    for (let at = 0; at < 6; at += 1) {
      const scores = Float32Array.of(0, 1, 2, 3, 4, 5);
      scores[at] = value;
      expect(sut(scores, 3)).toMatchObject({ ok: false, refusal: { code: 'OUTPUT_INVALID' } });
    }
  });
  it('refuses a length that is no multiple of the classes', () => {
    expect(sut(new Float32Array(5), 3)).toMatchObject({ refusal: { code: 'OUTPUT_INVALID' } });
  });
});
