/**
 * Goal: token bucket, retry budget and circuit breaker hold for every sequence of events.
 * Method: a clock moved by hand; random sequences from a fixed seed, every window checked.
 */
import { describe, expect, it } from '@jest/globals';
import { FakeClock } from '@aifi/shared-testing';
import { AttemptLimit, type Attempt } from './attempt-limit.js';
import { CircuitBreaker } from './circuit-breaker.js';
import { TokenBucket } from './token-bucket.js';

function seeded(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
}
/** Most events in a window of a minute. */
function densest(times: readonly number[]): number {
  return Math.max(
    0,
    ...times.map((fromMs) => times.filter((ms) => ms >= fromMs && ms < fromMs + 60_000).length),
  );
}

describe(TokenBucket.name, () => {
  it('gives the burst, then the rate, and never more after a pause than the burst', () => {
    const clock = new FakeClock();
    const sut = new TokenBucket(clock, { perSecond: 10, burst: 20 });
    const taken = (): number => {
      let tokens = 0;
      while (sut.take()) tokens += 1;
      return tokens;
    };
    expect(taken()).toBe(20);
    clock.advance(99);
    expect(taken()).toBe(0);
    clock.advance(1);
    expect(taken()).toBe(1);
    clock.advance(1_000);
    expect(taken()).toBe(10);
    clock.advance(3_600_000);
    expect(taken()).toBe(20);
  });
});

describe(AttemptLimit.name, () => {
  it.each([1, 2, 3])('lets 6 tries a minute fail and 6 be charged, seed %i', (seed) => {
    const random = seeded(seed);
    const clock = new FakeClock();
    const sut = new AttemptLimit(clock);
    const [failedMs, chargedMs]: [number[], number[]] = [[], []];
    let inHand: { attempt: Attempt; atMs: number }[] = [];
    let succeeded = 0;
    for (let step = 0; step < 3_000; step += 1) {
      clock.advance(Math.floor(random() * 4_000));
      const isCharged = random() < 0.5;
      if (inHand.length < 2 && sut.mayBegin(isCharged)) {
        inHand.push({ attempt: sut.begin(isCharged), atMs: clock.nowMs() });
        if (isCharged) chargedMs.push(clock.nowMs());
      }
      inHand = inHand.filter(({ attempt }) => {
        if (random() < 0.4) return true;
        const isFailed = random() < 0.5;
        attempt.end(isFailed);
        if (isFailed) failedMs.push(clock.nowMs());
        else succeeded += 1;
        return false;
      });
    }
    expect(densest(failedMs)).toBe(6);
    expect(densest(chargedMs)).toBeLessThanOrEqual(6);
    expect(succeeded).toBeGreaterThan(100);
  });

  it('costs nothing when a first try succeeds', () => {
    const sut = new AttemptLimit(new FakeClock());
    for (let n = 0; n < 100; n += 1) {
      expect(sut.mayBegin(false)).toBe(true);
      sut.begin(false).end(false);
    }
    expect(sut.mayBegin(true)).toBe(true);
  });
});

describe(CircuitBreaker.name, () => {
  it('opens at the fifth failure in a row and probes 30 s later', () => {
    const clock = new FakeClock();
    const sut = new CircuitBreaker(clock);
    for (let n = 0; n < 4; n += 1) expect(sut.failed()).toBe(false);
    sut.succeeded();
    for (let n = 0; n < 4; n += 1) expect(sut.failed()).toBe(false);
    expect(sut.state).toBe('closed');
    expect(sut.failed()).toBe(true);
    expect(sut.state).toBe('open');
    clock.advance(29_999);
    expect(sut.state).toBe('open');
    clock.advance(1);
    expect(sut.state).toBe('probe');
  });

  it('is half-open after an echo, open again after a failure, closed after a success', () => {
    const clock = new FakeClock();
    const sut = new CircuitBreaker(clock);
    for (let n = 0; n < 5; n += 1) sut.failed();
    clock.advance(30_000);
    sut.probed();
    expect(sut.state).toBe('half-open');
    expect(sut.failed()).toBe(false);
    expect(sut.state).toBe('open');
    clock.advance(30_000);
    sut.probed();
    sut.succeeded();
    expect(sut.state).toBe('closed');
    sut.probed();
    expect(sut.state).toBe('closed');
  });
});
