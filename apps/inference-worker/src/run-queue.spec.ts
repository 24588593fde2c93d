/**
 * Goal: one task at a time, and no more places than stated.
 * Method: tasks that the test ends by hand.
 */
import { describe, expect, it } from '@jest/globals';
import { RunQueue } from './run-queue.js';

describe(RunQueue.name, () => {
  it('turns away when all places are taken, until one is given back', () => {
    const sut = new RunQueue(2);
    expect([sut.tryEnter(), sut.tryEnter(), sut.tryEnter()]).toEqual([true, true, false]);
    sut.leave();
    expect(sut.tryEnter()).toBe(true);
  });
  it('starts a task when the one before has ended, also when that one failed', async () => {
    const sut = new RunQueue(2);
    const first = Promise.withResolvers<void>();
    const events: string[] = [];
    const failed = sut.alone(async () => {
      events.push('first');
      await first.promise;
    });
    const second = sut.alone(async () => void events.push('second'));
    await new Promise(setImmediate);
    expect(events).toEqual(['first']);
    first.reject(new Error('crash'));
    await expect(failed).rejects.toThrow('crash');
    await second;
    expect(events).toEqual(['first', 'second']);
  });
});
