/**
 * Goal: a page asks a person to see what the server asks for before a release, and no more.
 * Method: findings by hand.
 */
import { describe, expect, it } from '@jest/globals';
import { PIXEL_VIEWS } from '@aifi/contracts-rest';
import {
  firstToSee,
  framesToSee,
  keyOfLook,
  looksLeft,
  nextOf,
  type Look,
} from './frames-to-see.js';

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

describe(looksLeft.name, () => {
  it('asks for each frame in every view, and leaves out what was seen', () => {
    expect(looksLeft([0, 4], new Set())).toHaveLength(2 * PIXEL_VIEWS.length);
    const seen = new Set([keyOfLook({ frame: 0, view: 'full' }), '4 window', '4 detail', '7 full']);
    expect(looksLeft([0, 4], seen).map(keyOfLook)).toEqual(['0 window', '0 detail', '4 full']);
  });
});

describe(nextOf.name, () => {
  const left = looksLeft([2, 7], new Set(['2 window']));
  it.each<[Look, string]>([
    [{ frame: 0, view: 'detail' }, '2 full'],
    [{ frame: 2, view: 'window' }, '2 full'],
    [{ frame: 2, view: 'full' }, '2 detail'],
    [{ frame: 2, view: 'detail' }, '7 window'],
    [{ frame: 7, view: 'detail' }, '2 full'],
    [{ frame: 9, view: 'window' }, '2 full'],
  ])('is all views of a frame, then the next frame, and around (after %p)', (at, wanted) => {
    expect(keyOfLook(nextOf(left, at))).toBe(wanted);
  });
  it('goes through everything when it is pressed again and again', () => {
    const seen = new Set<string>();
    let look: Look = { frame: 3, view: 'window' };
    const wanted = framesToSee([3, 5].map(at), 9);
    for (let press = 0; press < wanted.length * PIXEL_VIEWS.length; press += 1) {
      seen.add(keyOfLook(look));
      look = nextOf(looksLeft(wanted, seen), look);
    }
    expect(looksLeft(wanted, seen)).toEqual([]);
  });
  it('stays where nothing is left', () => {
    expect(nextOf([], { frame: 1, view: 'full' })).toEqual({ frame: 1, view: 'full' });
  });
});
