/**
 * Goal: a broken link postpones no job, and a job that breaks it again and again lets others pass.
 * Method: uploads as the link ends them, with the longest waits.
 */
import { describe, expect, it } from '@jest/globals';
import { BreakCount } from './break-count.js';

const longest = (): number => 0.999_999;
const broken = { job: { jobId: 'a' }, wasAnswered: true, hasProgress: false };
const waits = (sut: BreakCount, upload: typeof broken, times: number): number[] =>
  Array.from({ length: times }, () => sut.waitMs(upload, longest));

describe(BreakCount.name, () => {
  it('postpones no job that the hub has not answered', () => {
    const unanswered = { ...broken, wasAnswered: false };
    expect(new Set(waits(new BreakCount(), unanswered, 50))).toEqual(new Set([0]));
  });
  it('postpones no job of which the hub took something', () => {
    const moving = { ...broken, hasProgress: true };
    expect(new Set(waits(new BreakCount(), moving, 50))).toEqual(new Set([0]));
  });
  it('postpones a job at the third break in a row, ever longer', () => {
    expect(waits(new BreakCount(), broken, 9)).toEqual([
      ...[0, 0, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000],
    ]);
  });
  it('begins anew after an answer, or after something was taken', () => {
    const sut = new BreakCount();
    waits(sut, broken, 3);
    sut.forget('a');
    expect(waits(sut, broken, 2)).toEqual([0, 0]);
    sut.waitMs({ ...broken, hasProgress: true }, longest);
    expect(waits(sut, broken, 3)).toEqual([0, 0, 1_000]);
  });
  it('remembers a bounded number of jobs', () => {
    const sut = new BreakCount();
    waits(sut, broken, 3);
    for (let n = 0; n < 1_000; n += 1) sut.waitMs({ ...broken, job: { jobId: `${n}` } }, longest);
    expect(waits(sut, broken, 1)).toEqual([0]);
  });
});
