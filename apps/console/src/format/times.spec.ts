/**
 * Goal: times, durations and sizes read the same everywhere, in both languages.
 * Method: fixed instants around the end of summer time in Amsterdam, and limits of each unit.
 */
import { describe, expect, it } from '@jest/globals';
import { countdown, Formats, shortDigest, shortUid } from './times.js';

const ZONE = 'Europe/Amsterdam';
const nl = new Formats('nl', ZONE);
const en = new Formats('en', ZONE);
const NOW = Date.UTC(2026, 10, 21, 8, 4, 11);
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

describe(Formats.name, () => {
  it('shows local time, with the hour of that day', () => {
    expect(nl.exact(NOW)).toBe('21 nov 2026, 09:04:11');
    expect(en.exact(NOW)).toBe('21 Nov 2026, 09:04:11');
    // An hour before and after the clocks went back on 25 October 2026.
    expect(nl.clock(Date.UTC(2026, 9, 25, 0, 30))).toBe('02:30');
    expect(nl.clock(Date.UTC(2026, 9, 25, 1, 30))).toBe('02:30');
    expect(en.clock(Date.UTC(2026, 10, 20, 23, 0))).toBe('00:00');
  });
  it('says how long ago in the largest unit that is whole', () => {
    const ago = (ms: number): string => en.relative(NOW - ms, NOW);
    expect(ago(59 * SECOND)).toMatch(/^59 sec/);
    expect(ago(MINUTE)).toMatch(/^1 min/);
    expect(ago(59 * MINUTE + 59 * SECOND)).toMatch(/^59 min/);
    expect(ago(47 * HOUR)).toMatch(/^47 h/);
    expect(ago(2 * DAY)).toMatch(/^2 days/);
    expect(en.relative(NOW + 90 * SECOND, NOW)).toMatch(/^in 1 min/);
    expect(nl.relative(NOW - 5 * MINUTE, NOW)).toBe('5 min. geleden');
  });
  it('shows durations with at most two units', () => {
    const cases: readonly (readonly [number, string, string])[] = [
      [-5, '0 ms', '0 ms'],
      [340, '340 ms', '340 ms'],
      [2_449, '2.4 s', '2,4 s'],
      [59_999, '60 s', '60 s'],
      [MINUTE, '1 min', '1 min'],
      [185 * SECOND, '3 min 5 s', '3 min 5 s'],
      [130 * MINUTE, '2 h 10 min', '2 u 10 min'],
      [DAY + 2 * HOUR, '1 d 2 h', '1 d 2 u'],
    ];
    for (const [ms, english, dutch] of cases) {
      expect(en.duration(ms)).toBe(english);
      expect(nl.duration(ms)).toBe(dutch);
    }
  });
  it('shows sizes in binary units', () => {
    expect([0, 1_023, 1_024, 1_536, 18_734_112, 2 ** 40].map((size) => en.size(size))).toEqual([
      ...['0 B', '1,023 B', '1 KiB', '1.5 KiB', '17.9 MiB', '1 TiB'],
    ]);
    expect(nl.size(1_536)).toBe('1,5 KiB');
  });
  it('reads a DICOM date and leaves alone what is none', () => {
    expect(nl.dicomDate('20140312')).toBe('12 mrt 2014');
    expect(en.dicomDate('2014')).toBe('2014');
  });
});

describe(countdown.name, () => {
  it('counts down to zero and never below', () => {
    expect([3_600_000, 65_000, 1, 0, -9].map(countdown)).toEqual([
      ...['60:00', '1:05', '0:01', '0:00', '0:00'],
    ]);
  });
});

describe('short forms', () => {
  it('keep the part that differs', () => {
    expect(shortDigest('a'.repeat(64))).toBe(`${'a'.repeat(12)}…`);
    expect(shortUid('2.25.123')).toBe('2.25.123');
    expect(shortUid(`2.25.${'1'.repeat(30)}42`)).toBe(`2.25.…${'1'.repeat(10)}42`);
  });
});
