/**
 * Goal: a slot is held only by a gateway that uses it, and no gateway pays for our own slowness.
 * Method: time moved by hand, a look every five seconds.
 */
import { beforeEach, describe, expect, it } from '@jest/globals';
import { FakeClock } from '@aifi/shared-testing';
import {
  ObjectProgress,
  PROGRESS_BYTES_MIN,
  PROGRESS_LOOK_MS,
  PROGRESS_MS_MAX,
} from './object-progress.js';

describe(ObjectProgress.name, () => {
  let clock: FakeClock;
  let sut: ObjectProgress;
  beforeEach(() => {
    clock = new FakeClock();
    sut = new ObjectProgress(clock);
  });
  /** Looks until it stalls, `grow` before each look; undefined when it does not within an hour. */
  function stallsAfterMs(
    object: { sizeBytes: number },
    grow: (passedMs: number) => void,
  ): number | undefined {
    sut.isStalled(object);
    for (let passedMs = 0; passedMs < 3_600_000;) {
      clock.advance(PROGRESS_LOOK_MS);
      passedMs += PROGRESS_LOOK_MS;
      grow(passedMs);
      if (sut.isStalled(object)) return passedMs;
    }
    return undefined;
  }

  it('finds that nothing comes, after a minute', () => {
    expect(stallsAfterMs({ sizeBytes: 0 }, () => undefined)).toBe(PROGRESS_MS_MAX);
  });
  it('is not fooled by a byte every five seconds', () => {
    const object = { sizeBytes: 0 };
    expect(stallsAfterMs(object, () => (object.sizeBytes += 1))).toBe(PROGRESS_MS_MAX);
  });
  it('counts what comes after the beginning that was held', () => {
    expect(stallsAfterMs({ sizeBytes: 2 ** 30 }, () => undefined)).toBe(PROGRESS_MS_MAX);
  });
  it('lets 64 KiB in every 55 s be enough for ever', () => {
    const object = { sizeBytes: 0 };
    const grow = (passedMs: number): void => {
      if (passedMs % 55_000 === 0) object.sizeBytes += PROGRESS_BYTES_MIN;
    };
    expect(stallsAfterMs(object, grow)).toBeUndefined();
  });
  it('gives the next object a minute of its own', () => {
    for (let count = 0; count < 100; count += 1) {
      expect(sut.isStalled({ sizeBytes: 0 })).toBe(false);
      clock.advance(50_000);
      expect(sut.isStalled(undefined)).toBe(false);
      clock.advance(PROGRESS_LOOK_MS);
    }
  });
  it('does not count the time in which the gateway waits for us', () => {
    const object = { sizeBytes: 0 };
    sut.isStalled(object);
    clock.advance(50_000);
    sut.pause();
    clock.advance(600_000);
    expect(sut.isStalled(object)).toBe(false);
    sut.resume();
    clock.advance(9_999);
    expect(sut.isStalled(object)).toBe(false);
    clock.advance(1);
    expect(sut.isStalled(object)).toBe(true);
  });
});
