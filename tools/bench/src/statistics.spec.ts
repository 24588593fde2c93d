/**
 * Goal: medians, spreads and ratios are those of the definition.
 * Method: small lists that were worked out by hand.
 */
import { describe, expect, it } from '@jest/globals';
import { ratioOf, spreadOf } from './statistics.js';

describe('spreadOf', () => {
  it('takes the middle value, and of an even count the mean of the middle two', () => {
    expect(spreadOf([3, 1, 10])).toEqual({ median: 3, min: 1, max: 10 });
    expect(spreadOf([4, 1, 10, 2])).toEqual({ median: 3, min: 1, max: 10 });
    expect(spreadOf([7])).toEqual({ median: 7, min: 7, max: 7 });
  });

  it('sorts numbers as numbers and leaves the list as it was', () => {
    const values = [100, 9, 20];
    expect(spreadOf(values).median).toBe(20);
    expect(values).toEqual([100, 9, 20]);
  });

  it('refuses an empty list', () => {
    expect(() => spreadOf([])).toThrow('nothing was measured');
  });
});

describe('ratioOf', () => {
  it('divides round by round, not median by median', () => {
    const ratio = ratioOf([10, 40, 90], [20, 40, 60]);
    expect(ratio).toEqual({ median: 1, min: 0.5, max: 1.5 });
    expect(ratioOf([10, 100], [1, 1_000]).median).toBeCloseTo(5.05);
  });

  it('refuses sides of different length', () => {
    expect(() => ratioOf([1], [1, 2])).toThrow('both sides');
  });
});
