/**
 * Goal: a clock that is not the hub's is told of, and holds results when it is far off; delays of
 * the link alone never are. Method: two clocks moved by hand, wall and monotonic.
 */
import { beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Clock } from '@aifi/shared-kernel';
import { silentLogger } from '@aifi/shared-observability';
import { ClockSkew } from './clock-skew.js';
import { ClockWatch } from './clock-watch.js';

/** Wall and monotonic time apart. */
class TwoClocks implements Clock {
  wallMs = 1_800_000_000_000;
  steadyMs = 5_000;
  nowMs = (): number => this.wallMs;
  monotonicMs = (): number => this.steadyMs;
  sleep = (): Promise<void> => Promise.resolve();
  pass(ms: number): void {
    this.wallMs += ms;
    this.steadyMs += ms;
  }
}

describe(ClockSkew.name, () => {
  it('finds the offset within its uncertainty, whatever the delays are', () => {
    const delays = fc.array(fc.tuple(fc.nat(900), fc.nat(900)), { minLength: 1, maxLength: 16 });
    fc.assert(
      fc.property(fc.integer({ min: -9e6, max: 9e6 }), delays, (offsetMs, ways) => {
        const sut = new ClockSkew();
        for (const [there, back] of ways) {
          const sample = { hubMs: offsetMs + there, receivedMs: there + back, atMs: 0 };
          sut.add({ ...sample, roundTripMs: there + back });
        }
        const found = sut.estimate(0)!;
        expect(Math.abs(found.offsetMs - offsetMs)).toBeLessThanOrEqual(found.uncertaintyMs);
        const least = Math.min(...ways.map(([there, back]) => there + back));
        expect(found.uncertaintyMs).toBe(least / 2);
      }),
    );
  });
  it('believes the message that was under way the shortest, where none was asked for', () => {
    const sut = new ClockSkew();
    for (const delayMs of [700, 20, 350]) {
      sut.add({ hubMs: 5_000, receivedMs: 5_000 + delayMs, atMs: 0 });
    }
    expect(sut.estimate(0)).toMatchObject({ offsetMs: -20, samples: 3 });
  });
  it('forgets what is older than ten minutes', () => {
    const sut = new ClockSkew();
    sut.add({ hubMs: 1, receivedMs: 1, atMs: 0 });
    expect(sut.estimate(600_000)).toBeDefined();
    expect(sut.estimate(600_001)).toBeUndefined();
  });
});

describe(ClockWatch.name, () => {
  let clock: TwoClocks;
  let told: string[];
  let sut: ClockWatch;
  beforeEach(() => {
    clock = new TwoClocks();
    told = [];
    const logger = { ...silentLogger, error: (words: string) => void told.push(words) };
    const config = { alarmMs: 2_000, holdMs: 60_000 };
    sut = new ClockWatch({ config, clock, logger });
  });
  const hubIsAhead = (ms: number) => sut.onHubTime(clock.wallMs + ms, 10);

  it('knows nothing and holds nothing without a word of the hub', () => {
    clock.pass(3_600_000);
    sut.look();
    expect(sut.state()).toEqual({ level: 'unknown', offsetMs: null, jumps: 0 });
    expect(sut.isHolding()).toBe(false);
  });
  it.each([
    [1_999, 'good'],
    [2_100, 'alarm'],
    [-2_100, 'alarm'],
    [59_900, 'alarm'],
    [60_100, 'hold'],
    [-60_100, 'hold'],
  ])('calls a difference of %d ms %s', (ms, level) => {
    hubIsAhead(ms);
    expect(sut.state().level).toBe(level);
    expect(sut.isHolding()).toBe(level === 'hold');
  });
  it('tells of a hold once an hour, and not of delays', () => {
    for (let i = 0; i < 15; i += 1) {
      sut.onHubTime(clock.wallMs - 900);
      clock.pass(20_000);
    }
    expect(told).toEqual([]);
    for (let i = 0; i < 400; i += 1) {
      hubIsAhead(90_000);
      clock.pass(20_000);
    }
    expect(told).toHaveLength(3);
  });
  it('holds until the hub agrees again, however long it is away', () => {
    hubIsAhead(90_000);
    clock.pass(7_200_000);
    sut.look();
    expect(sut.isHolding()).toBe(true);
    hubIsAhead(0);
    expect(sut.state().level).toBe('good');
  });
  it('takes a clock that was set for what it is, and old samples for nothing', () => {
    hubIsAhead(90_000);
    clock.pass(1_000);
    clock.wallMs += 90_000;
    sut.look();
    expect(told.at(-1)).toBe('the clock of this machine was set');
    expect(sut.state()).toMatchObject({ offsetMs: null, jumps: 1 });
    hubIsAhead(0);
    expect(sut.isHolding()).toBe(false);
  });
  it('makes no job late by a jump forward, and takes none as early by one back', () => {
    const startMs = clock.wallMs;
    clock.pass(60_000);
    clock.wallMs += 3_600_000;
    expect(sut.deadlineNowMs()).toBe(startMs + 60_000);
    clock.wallMs -= 3_600_000;
    expect(sut.deadlineNowMs()).toBe(clock.wallMs);
    clock.wallMs -= 3_600_000;
    expect(sut.deadlineNowMs()).toBe(clock.wallMs);
  });
  it('does not take a process that was stopped for a clock that was set', () => {
    clock.pass(300_000);
    sut.look();
    expect(sut.state().jumps).toBe(0);
  });
});
