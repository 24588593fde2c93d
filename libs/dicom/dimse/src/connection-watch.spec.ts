/**
 * Goal: a peer that does not get on is found, and time that is ours is not held against it.
 * Method: a fake clock, window by window.
 */
import { beforeEach, describe, expect, it } from '@jest/globals';
import { FakeClock } from '@aifi/shared-testing';
import { ConnectionWatch, PROGRESS_BYTES_MIN, PROGRESS_WINDOW_MS } from './connection-watch.js';

describe(ConnectionWatch.name, () => {
  let clock: FakeClock;
  let sut: ConnectionWatch;
  let isStalled: boolean;
  const window = async (byMs = PROGRESS_WINDOW_MS): Promise<boolean> => {
    clock.advance(byMs);
    for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
    return isStalled;
  };
  beforeEach(() => {
    clock = new FakeClock();
    sut = new ConnectionWatch(clock);
    isStalled = false;
    void sut.stalled(new AbortController().signal).then(() => (isStalled = true));
  });

  it('gives up a peer that is silent for a window', async () => {
    expect(await window()).toBe(true);
  });

  it('gives up a peer that trickles, and keeps one that brings enough', async () => {
    sut.heard(PROGRESS_BYTES_MIN);
    expect(await window()).toBe(false);
    sut.heard(PROGRESS_BYTES_MIN - 1);
    expect(await window()).toBe(true);
  });

  it('keeps a peer that completes a message in each window', async () => {
    for (let minute = 0; minute < 3; minute += 1) {
      sut.heard(100);
      sut.messageDone();
      expect(await window()).toBe(false);
    }
    expect(await window()).toBe(true);
  });

  it('keeps a peer that waits for us, and gives it time afterwards', async () => {
    sut.waiting();
    expect(await window()).toBe(false);
    clock.advance(PROGRESS_WINDOW_MS - 1);
    sut.waited();
    expect(await window(1)).toBe(false);
    expect(await window()).toBe(true);
  });
});
