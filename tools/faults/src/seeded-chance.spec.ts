/**
 * Goal: a seed fixes every choice, and parts do not disturb each other.
 * Method: two sources of one seed side by side; counts over many draws.
 */
import { describe, expect, it } from '@jest/globals';
import { SeededChance } from './seeded-chance.js';

const draws = (chance: SeededChance, count = 20): number[] =>
  Array.from({ length: count }, () => chance.next());

describe(SeededChance.name, () => {
  it('gives the same numbers for the same seed and others for another one', () => {
    expect(draws(new SeededChance('a'))).toEqual(draws(new SeededChance('a')));
    expect(draws(new SeededChance('a'))).not.toEqual(draws(new SeededChance('b')));
  });
  it('gives a part its own source, whatever others have drawn', () => {
    const [first, second] = [new SeededChance('a'), new SeededChance('a')];
    draws(first, 7);
    expect(draws(first.of('traffic'))).toEqual(draws(second.of('traffic')));
    expect(draws(first.of('traffic'))).not.toEqual(draws(first.of('faults')));
  });
  it('draws whole numbers between both ends, all of them', () => {
    const sut = new SeededChance('ends');
    const seen = new Set(Array.from({ length: 500 }, () => sut.between(3, 7)));
    expect([...seen].sort()).toEqual([3, 4, 5, 6, 7]);
  });
  it('draws by weight, and never what weighs nothing', () => {
    const sut = new SeededChance('weights');
    const counts = { often: 0, seldom: 0, never: 0 };
    for (let n = 0; n < 2_000; n += 1) {
      counts[sut.weighted({ often: 9, seldom: 1, never: 0 })] += 1;
    }
    expect(counts.never).toBe(0);
    expect(counts.seldom).toBeGreaterThan(100);
    expect(counts.often).toBeGreaterThan(counts.seldom * 5);
  });
});
