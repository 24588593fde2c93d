/**
 * Goal: nobody releases a loop of which they saw one frame, or one view, and is told what is left.
 * Method: findings and looks by hand.
 */
import { describe, expect, it } from '@jest/globals';
import { framesToSee, leftToSee, nothingSeen, seenWhole } from './pixel-view-frames.js';

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

describe(leftToSee.name, () => {
  it('names the frames of each view that has some left, until all were seen', () => {
    const seen = nothingSeen();
    [0, 4].forEach((frame) => seen.window.add(frame));
    seen.full.add(4);
    expect(leftToSee([0, 4], seen)).toBe('frame 0 in view full; frame 0, 4 in view detail');
    [0, 4].forEach((frame) => [seen.full, seen.detail].forEach((view) => view.add(frame)));
    expect(leftToSee([0, 4], seen)).toBeUndefined();
  });
  it('stays short whatever there is', () => {
    const wanted = Array.from({ length: 3_000 }, (_, frame) => frame);
    const words = leftToSee(wanted, nothingSeen())!;
    expect(words).toMatch(/^frame 0, .*, 9 and 2990 more in view window; frame 0, /);
    expect(words.length).toBeLessThan(220);
  });
});

describe(seenWhole.name, () => {
  it('counts a frame that was seen in every view, and no other', () => {
    const seen = nothingSeen();
    for (const frame of [0, 1, 2]) seen.window.add(frame);
    for (const frame of [1, 2, 3]) seen.full.add(frame);
    for (const frame of [2, 3]) seen.detail.add(frame);
    expect(seenWhole(seen)).toBe(1);
  });
});
