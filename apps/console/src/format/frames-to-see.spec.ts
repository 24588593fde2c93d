/**
 * Goal: a page asks a person to see what the server asks for before a release, and no more.
 * Method: findings by hand.
 */
import { describe, expect, it } from '@jest/globals';
import { firstToSee, framesToSee, nextOf } from './frames-to-see.js';

const at = (frame: number) => ({ frame });

describe(framesToSee.name, () => {
  it.each<[string, number[], number, number[]]>([
    ['each frame with a mark once, the first and the last', [7, 2, 7], 10, [0, 2, 7, 9]],
    ['first, middle and last where nothing is marked', [], 9, [0, 4, 8]],
    ['the only one', [], 1, [0]],
    ['both of two', [], 2, [0, 1]],
    ['as without marks when the images do not have the marked frame', [12], 10, [0, 4, 9]],
  ])('is %s', (_, marked, frames, wanted) => {
    expect(framesToSee(marked.map(at), frames)).toEqual(wanted);
  });
});

describe(firstToSee.name, () => {
  it('is the first mark that there is, else the first frame', () => {
    expect([firstToSee([7, 2].map(at), 10), firstToSee([12].map(at), 10)]).toEqual([2, 0]);
  });
});

describe(nextOf.name, () => {
  it('is the next one, and after the last one the first', () => {
    expect([0, 2, 5, 7].map((frame) => nextOf([2, 7], frame))).toEqual([2, 7, 7, 2]);
  });
});
