/**
 * Goal: a dead hub is asked by one probe at a time, ever more seldom and never all at once.
 * Method: a gate with chosen random numbers, moved through failures, answers and drains.
 */
import { describe, expect, it } from '@jest/globals';
import { LINK_BACK_MS_MAX, LinkGate } from './link-gate.js';

/** The gate `atMs`, after so many failures in a row. */
function failing(times: number, random: () => number): LinkGate {
  const sut = new LinkGate(random);
  for (let count = 0; count < times; count += 1) sut.failed(sut.round, 0);
  return sut;
}

describe(LinkGate.name, () => {
  it('lets anything begin while the hub answers', () => {
    expect(new LinkGate().callsMax(0)).toBe(Number.POSITIVE_INFINITY);
  });

  it('counts four streams that are cut together as one failure', () => {
    const sut = new LinkGate(() => 0.999);
    const { round } = sut;
    for (let stream = 0; stream < 4; stream += 1) sut.failed(round, 0);
    expect(sut.failures).toBe(1);
    expect(sut.waitMs(0)).toBeLessThanOrEqual(1_000);
  });

  it('waits up to twice as long each time, from one second to one minute', () => {
    const longest = (times: number): number => failing(times, () => 0.999_999).waitMs(0);
    expect([1, 2, 3, 4, 5, 6, 7, 20].map(longest)).toEqual([
      1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000,
    ]);
  });

  it('waits a random part of it, so that gateways do not come together', () => {
    const waits = [0.1, 0.5, 0.9].map((part) => failing(7, () => part).waitMs(0));
    expect(new Set(waits).size).toBe(3);
  });

  it('lets one probe go when the time has come, and everything when it is answered', () => {
    const sut = failing(3, () => 0.5);
    const due = sut.waitMs(0);
    expect(sut.callsMax(due - 1)).toBe(0);
    expect(sut.callsMax(due)).toBe(1);
    sut.answered();
    expect(sut.callsMax(due)).toBe(Number.POSITIVE_INFINITY);
  });

  it('lets the probe go soon when another channel has reached the hub, still with jitter', () => {
    const sut = failing(20, () => 0.5);
    expect(sut.waitMs(0)).toBe(30_000);
    sut.linkIsBack(0);
    expect(sut.waitMs(0)).toBe(LINK_BACK_MS_MAX / 2);
    expect(sut.callsMax(LINK_BACK_MS_MAX / 2)).toBe(1);
    const near = failing(1, () => 0.5);
    near.linkIsBack(0);
    expect(near.waitMs(0)).toBe(500);
  });

  it('takes a drain back for no other channel', () => {
    const sut = new LinkGate(() => 0);
    sut.drained(30_000, 0);
    sut.linkIsBack(0);
    expect(sut.waitMs(0)).toBe(30_000);
  });

  it('keeps away from a hub that drains for as long as it says and a jitter, without a failure', () => {
    const sut = new LinkGate(() => 0.25);
    sut.drained(2_000, 0);
    expect(sut.failures).toBe(0);
    expect(sut.callsMax(2_499)).toBe(0);
    expect(sut.callsMax(2_500)).toBe(Number.POSITIVE_INFINITY);
  });

  it('takes no absurd time from the hub', () => {
    const sut = new LinkGate(() => 0);
    sut.drained(4_294_967_295, 0);
    expect(sut.waitMs(0)).toBe(60_000);
  });

  it('does not count the streams that the drain itself has ended', () => {
    const sut = new LinkGate(() => 0);
    const { round } = sut;
    sut.drained(1_000, 0);
    sut.failed(round, 0);
    expect(sut.failures).toBe(0);
  });
});
