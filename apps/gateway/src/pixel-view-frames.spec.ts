/**
 * Goal: nobody releases a loop of which they saw one frame. Method: findings by hand.
 */
import { describe, expect, it } from '@jest/globals';
import { framesToSee } from './pixel-view-frames.js';

describe(framesToSee.name, () => {
  it.each<[string, number[], number, number[]]>([
    ['each frame with a mark once, the first and the last', [7, 2, 7], 10, [0, 2, 7, 9]],
    ['first, middle and last where nothing is marked', [], 9, [0, 4, 8]],
    ['the only one', [], 1, [0]],
    ['both of two', [], 2, [0, 1]],
    ['as without marks when the images do not have the marked frame', [12], 10, [0, 4, 9]],
  ])('is %s', (_, marked, frames, wanted) => {
    expect(
      framesToSee(
        marked.map((frame) => ({ frame })),
        frames,
      ),
    ).toEqual(wanted);
  });
});
