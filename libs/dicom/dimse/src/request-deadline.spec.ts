/**
 * Goal: a request is given up after its silence or its total, and not before.
 * Method: fake clock; each step lets the watcher run.
 */
import { setImmediate } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { FakeClock } from '@aifi/shared-testing';
import { RequestDeadline } from './request-deadline.js';

describe(RequestDeadline.name, () => {
  let [clock, hasPassed]: [FakeClock, boolean] = [new FakeClock(), false];
  let sut: RequestDeadline;
  async function advance(byMs: number): Promise<boolean> {
    clock.advance(byMs);
    await setImmediate();
    return hasPassed;
  }
  beforeEach(() => {
    [clock, hasPassed] = [new FakeClock(), false];
    sut = new RequestDeadline(clock, { idleMs: 100, totalMs: 350 });
    sut.passed.catch(() => (hasPassed = true));
  });

  it('passes after a silence of idleMs', async () => {
    expect(await advance(99)).toBe(false);
    expect(await advance(1)).toBe(true);
    await expect(sut.passed).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
  });

  it('starts the silence anew whenever bytes move, up to the total', async () => {
    for (let step = 0; step < 3; step += 1) {
      expect(await advance(99)).toBe(false);
      sut.progress();
    }
    expect(await advance(52)).toBe(false);
    sut.progress();
    expect(await advance(1)).toBe(true);
  });

  it('lets a silence be longer where that is announced', async () => {
    sut.extend(50);
    expect(await advance(149)).toBe(false);
    expect(await advance(1)).toBe(true);
  });

  it('never passes once stopped', async () => {
    sut.stop();
    await setImmediate();
    expect(await advance(1_000)).toBe(false);
  });
});
