/**
 * Goal: nothing is deleted before its time, and nothing that no anchor covers.
 * Method: anchors around the cut, and dates that calendars stumble over.
 */
import { describe, expect, it } from '@jest/globals';
import { makeAnchor } from './chain.js';
import { deletableUpTo, retentionCut } from './retention.js';
import { aTrail, SIGNING_KEY } from './test-trail.js';

const DAY_MS = 86_400_000;
const NOW_MS = Date.UTC(2031, 2, 3, 12);
const trail = aTrail(3);
const anchorAt = (index: number, madeAtMs: number) =>
  makeAnchor({ record: trail[index]!, day: '2026-03-03', madeAtMs, signingKey: SIGNING_KEY });

describe(retentionCut.name, () => {
  it('is five calendar years ago; more years can be configured, fewer cannot', () => {
    expect(retentionCut(NOW_MS)).toBe(Date.UTC(2026, 2, 3, 12));
    expect(retentionCut(NOW_MS, 15)).toBe(Date.UTC(2016, 2, 3, 12));
    for (const years of [4, 0, -5, 4.9, NaN, 5.5]) {
      const refused = expect.objectContaining({ code: 'CONFIG_INVALID' });
      expect(() => retentionCut(NOW_MS, years)).toThrow(refused);
    }
  });
  it('keeps a day more on a 29 February', () => {
    expect(retentionCut(Date.UTC(2032, 1, 29))).toBe(Date.UTC(2027, 1, 28));
  });
});

describe(deletableUpTo.name, () => {
  const fiveYearsAgoMs = retentionCut(NOW_MS);
  it('keeps 5 years less a day and lets 5 years and a day go', () => {
    const young = anchorAt(2, fiveYearsAgoMs + DAY_MS);
    const old = anchorAt(1, fiveYearsAgoMs - DAY_MS);
    expect([...deletableUpTo([young], NOW_MS)]).toEqual([]);
    expect([...deletableUpTo([old, young], NOW_MS)]).toEqual([['gateway:hospital-a', 2]]);
  });
  it('keeps what no anchor covers, however old', () => {
    expect(deletableUpTo([], NOW_MS + 50 * 365 * DAY_MS).size).toBe(0);
    const first = anchorAt(0, fiveYearsAgoMs - 10 * DAY_MS);
    expect(deletableUpTo([first], NOW_MS).get('gateway:hospital-a')).toBe(1);
  });
});
