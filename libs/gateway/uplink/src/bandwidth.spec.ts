/**
 * Goal: the limit of the hour is the one that the hospital wrote, by its own clock on the wall, and
 * is never exceeded. Method: hours around midnight and the change to summer time; random chunks.
 */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { LIMITS } from '@aifi/shared-kernel';
import {
  bandwidthRuleSchema,
  ByteRate,
  isTimeZone,
  localTimeIn,
  MBIT_PER_SECOND_MIN,
  ruleAt,
  type BandwidthRule,
} from './bandwidth.js';
import { PAUSE_MS_MAX } from './upload-pacer.js';

const rule = (from: string, to: string, change: Partial<BandwidthRule> = {}): BandwidthRule =>
  bandwidthRuleSchema.parse({ from, to, mbitPerSecond: 10, ...change });
const at = (day: number, hour: number, minute = 0): { day: number; minute: number } => ({
  ...{ day, minute: hour * 60 + minute },
});

describe(ruleAt.name, () => {
  it('is in force from its first minute to before its last', () => {
    const day = rule('08:00', '18:00');
    expect(ruleAt([day], at(1, 7, 59))).toBeUndefined();
    expect(ruleAt([day], at(1, 8))).toBe(day);
    expect(ruleAt([day], at(1, 17, 59))).toBe(day);
    expect(ruleAt([day], at(1, 18))).toBeUndefined();
  });
  it('goes on over midnight on the day on which it began', () => {
    const night = rule('22:00', '06:00', { days: ['fri'] });
    expect(ruleAt([night], at(5, 23))).toBe(night);
    expect(ruleAt([night], at(6, 5, 59))).toBe(night);
    expect(ruleAt([night], at(6, 6))).toBeUndefined();
    expect(ruleAt([night], at(5, 5))).toBeUndefined();
  });
  it('goes on from Saturday into Sunday', () => {
    const night = rule('22:00', '06:00', { days: ['sat'] });
    expect(ruleAt([night], at(0, 1))).toBe(night);
  });
  it('takes a whole day when it ends when it begins, and the first of two that fit', () => {
    const [first, second] = [rule('12:00', '13:00'), rule('00:00', '00:00')];
    expect(ruleAt([first, second], at(3, 12, 30))).toBe(first);
    expect(ruleAt([first, second], at(3, 23, 59))).toBe(second);
  });
});

describe('the lowest limit', () => {
  it('is refused below, and taken at it', () => {
    const parse = (mbitPerSecond: number): BandwidthRule =>
      rule('08:00', '18:00', { mbitPerSecond });
    expect(() => parse(MBIT_PER_SECOND_MIN - 0.01)).toThrow();
    expect(parse(MBIT_PER_SECOND_MIN).mbitPerSecond).toBe(MBIT_PER_SECOND_MIN);
  });
  it('gives each of four streams a chunk in well under the minute that the hub waits', () => {
    const sut = new ByteRate();
    const streams = [0, 1, 2, 3];
    const bytesPerSecond = (MBIT_PER_SECOND_MIN * 1_000_000) / 8;
    const turns = Array.from({ length: 10 }, () =>
      streams.map(() => sut.reserve(LIMITS.linkChunkBytesMax, bytesPerSecond, 0)),
    );
    for (const stream of streams) {
      const times = turns.map((turn) => turn[stream]!);
      const waits = times.slice(1).map((time, index) => time - times[index]!);
      expect(Math.max(...waits) + PAUSE_MS_MAX).toBeLessThan(40_000);
    }
  });
});

describe(localTimeIn.name, () => {
  it('follows the zone over the change to summer time', () => {
    const sut = localTimeIn('Europe/Amsterdam');
    expect(sut(Date.parse('2026-03-29T00:59:00Z'))).toEqual(at(0, 1, 59));
    expect(sut(Date.parse('2026-03-29T01:00:00Z'))).toEqual(at(0, 3));
    expect(sut(Date.parse('2026-12-31T23:00:00Z'))).toEqual(at(5, 0));
  });
  it('knows the zones of the data base only', () => {
    expect(isTimeZone('Europe/Amsterdam')).toBe(true);
    expect(isTimeZone('Europe/Atlantis')).toBe(false);
  });
});

describe(ByteRate.name, () => {
  it('lets no more through than rate times time and one chunk, whatever the pattern', () => {
    const chunk = fc.record({
      bytes: fc.integer({ min: 1, max: 262_144 }),
      restMs: fc.nat({ max: 3_000 }),
    });
    const property = fc.property(fc.array(chunk, { maxLength: 60 }), (chunks) => {
      const sut = new ByteRate();
      const rate = 1_000_000;
      let nowMs = 0;
      const gone: { atMs: number; bytes: number }[] = [];
      for (const { bytes, restMs } of chunks) {
        nowMs += restMs;
        nowMs += sut.reserve(bytes, rate, nowMs);
        gone.push({ atMs: nowMs, bytes });
      }
      for (let from = 0; from < gone.length; from += 1) {
        let sum = 0;
        for (let to = from; to < gone.length; to += 1) {
          const tookMs = gone[to]!.atMs - gone[from]!.atMs;
          expect(sum).toBeLessThanOrEqual((tookMs / 1_000) * rate + 1e-3);
          sum += gone[to]!.bytes;
        }
      }
    });
    fc.assert(property, { numRuns: 200 });
  });
  it('follows a rate that changes', () => {
    const sut = new ByteRate();
    expect(sut.reserve(1_000, 1_000, 0)).toBe(0);
    expect(sut.reserve(1_000, 10_000, 0)).toBe(1_000);
    expect(sut.reserve(1_000, 10_000, 0)).toBe(1_100);
  });
});
