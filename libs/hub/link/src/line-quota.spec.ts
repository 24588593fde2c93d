/**
 * Goal: a flood of refusals leaves a few lines, and none of them hides another fault.
 * Method: a clock that the test moves.
 */
import { describe, expect, it } from '@jest/globals';
import { FakeClock } from '@aifi/shared-testing';
import { LineQuota } from './line-quota.js';

describe(LineQuota.name, () => {
  it('allows ten lines of a code in a minute, each code by itself', () => {
    const clock = new FakeClock();
    const sut = new LineQuota(clock);
    const linesOf = (code: string): number =>
      Array.from({ length: 100 }, () => sut.allows(code)).filter(Boolean).length;
    expect([linesOf('UNTRUSTED'), linesOf('PEER_UNAVAILABLE')]).toEqual([10, 10]);
    clock.advance(59_999);
    expect(linesOf('UNTRUSTED')).toBe(0);
    clock.advance(1);
    expect(linesOf('UNTRUSTED')).toBe(10);
  });
});
