/**
 * Goal: a page asks a person to see what the server asks for before a release, and no more.
 * Method: findings by hand.
 */
import { describe, expect, it } from '@jest/globals';
import { framesToSee, nextOf } from './frames-to-see.js';

const at = (frame: number) => ({ frame, x: 0, y: 0, width: 1, height: 1 });

describe(framesToSee.name, () => {
  it.each<[string, number[], number[]]>([
    ['each frame with a mark once, in order', [7, 2, 7], [2, 7]],
    ['the first frame where nothing is marked', [], [0]],
    ['no frame that the images do not have', [12], [0]],
  ])('is %s', (_, frames, wanted) => {
    expect(framesToSee(frames.map(at), 10)).toEqual(wanted);
  });
});

describe(nextOf.name, () => {
  it('is the next one, and after the last one the first', () => {
    expect([0, 2, 5, 7].map((frame) => nextOf([2, 7], frame))).toEqual([2, 7, 7, 2]);
  });
});
