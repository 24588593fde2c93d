/**
 * Goal: a channel that hangs is dialled anew when the hub is there, and never while it is not.
 * Method: the watch on a clock moved by hand, a channel and a dial that do as they are told.
 */
import { describe, expect, it } from '@jest/globals';
import { FakeClock } from '@aifi/shared-testing';
import { createDialWatch, DIAL_INTERVAL_MS, DIAL_PATIENCE_MS } from './dial-watch.js';

const settle = async (): Promise<void> => {
  for (let turns = 0; turns < 5; turns += 1) await new Promise(setImmediate);
};

function watched() {
  const clock = new FakeClock();
  const stop = new AbortController();
  const seen = { isUp: false, isThere: false, isJoined: true, dials: 0, destroyed: 0, redials: 0 };
  const sut = createDialWatch({
    channel: { isUp: () => seen.isUp, redial: () => (seen.redials += 1) },
    mayDial: () => seen.isJoined,
    dial: () => {
      seen.dials += 1;
      if (!seen.isThere) return Promise.reject(new Error('nobody'));
      return Promise.resolve({ destroy: () => (seen.destroyed += 1) });
    },
    ...{ clock, random: () => 0.999 },
  });
  const running = sut.run(stop.signal);
  const pass = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 1_000) {
      clock.advance(1_000);
      await settle();
    }
  };
  const end = async (): Promise<void> => {
    stop.abort();
    await settle();
    await running;
  };
  return { seen, pass, end };
}

describe(createDialWatch.name, () => {
  it('leaves a channel alone that is up, and one that has just lost its connection', async () => {
    const { seen, pass, end } = watched();
    seen.isUp = seen.isThere = true;
    await pass(60_000);
    seen.isUp = false;
    await pass(DIAL_PATIENCE_MS - 1_000);
    expect(seen).toMatchObject({ dials: 0, redials: 0 });
    await end();
  });
  it('gives no channel up while the hub is not there either', async () => {
    const { seen, pass, end } = watched();
    await pass(120_000);
    expect(seen.redials).toBe(0);
    expect(seen.dials).toBeGreaterThan(120_000 / (DIAL_INTERVAL_MS + 2_000));
    await end();
  });
  it('has it dial anew within one interval after the hub is there', async () => {
    const { seen, pass, end } = watched();
    await pass(120_000);
    seen.isThere = true;
    await pass(DIAL_INTERVAL_MS + 1_000);
    expect(seen).toMatchObject({ redials: 1, destroyed: 1 });
    await end();
  });
  it('dials nobody before joining', async () => {
    const { seen, pass, end } = watched();
    seen.isJoined = false;
    await pass(60_000);
    expect(seen.dials).toBe(0);
    await end();
  });
});
