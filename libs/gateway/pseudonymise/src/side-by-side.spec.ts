/**
 * Goal: the outcome does not depend on which item is faster.
 * Method: items that end when the test says so.
 */
import { describe, expect, it } from '@jest/globals';
import { sideBySide } from './side-by-side.js';

describe(sideBySide.name, () => {
  it('keeps the order of the items, with no more than the limit at a time', async () => {
    let [now, most] = [0, 0];
    const results = await sideBySide([5, 1, 3, 2, 4], 2, async (ticks) => {
      most = Math.max(most, (now += 1));
      for (let tick = 0; tick < ticks; tick += 1) await Promise.resolve();
      now -= 1;
      return { result: ticks, stop: false };
    });
    expect(results).toEqual([5, 1, 3, 2, 4]);
    expect(most).toBe(2);
  });

  it('begins none after one that says stop, and waits for those that began', async () => {
    const began: number[] = [];
    const results = await sideBySide([0, 1, 2, 3], 2, async (item) => {
      began.push(item);
      if (item === 0) for (let tick = 0; tick < 9; tick += 1) await Promise.resolve();
      return { result: item, stop: item === 1 };
    });
    expect(began).toEqual([0, 1]);
    expect(results).toEqual([0, 1]);
  });

  it('fails with the fault of an item after all that began have ended', async () => {
    let isFirstOver = false;
    const running = sideBySide([0, 1], 2, async (item) => {
      if (item === 1) throw new Error('a fault');
      for (let tick = 0; tick < 9; tick += 1) await Promise.resolve();
      isFirstOver = true;
      return { result: item, stop: false };
    });
    await expect(running).rejects.toThrow('a fault');
    expect(isFirstOver).toBe(true);
  });
});
