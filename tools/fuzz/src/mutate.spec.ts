/**
 * Goal: a mutation never leaves its limits, never touches what it came from, and is reproducible.
 * Method: thousands of mutations of inputs of every length, from fixed seeds.
 */
import { describe, expect, it } from '@jest/globals';
import { mutate } from './mutate.js';
import { chunkEnds, SeededRandom } from './seeded-random.js';

const options = { maxBytes: 100, tokens: [Buffer.from('TOKEN')], other: Buffer.alloc(60, 9) };
const inputs = Array.from({ length: 100 }, (_, length) => Uint8Array.from({ length }, (_, i) => i));

describe('mutate', () => {
  it('never makes an input longer than allowed, and changes nearly all of them', () => {
    const random = new SeededRandom(1);
    let changed = 0;
    for (const input of Array.from({ length: 100 }, () => inputs).flat()) {
      const out = mutate(input, random, options);
      expect(out.length).toBeLessThanOrEqual(100);
      if (Buffer.compare(out, input) !== 0) changed += 1;
    }
    expect(changed).toBeGreaterThan(9_000);
  });

  it('leaves the input and the other input as they were', () => {
    const random = new SeededRandom(2);
    const input = new Uint8Array(50).fill(7);
    for (let i = 0; i < 5_000; i += 1) mutate(input, random, options);
    expect(input.every((byte) => byte === 7)).toBe(true);
    expect(options.other.every((byte) => byte === 9)).toBe(true);
  });

  it('gives the same inputs for the same seed and others for another', () => {
    const list = (seed: number): string[] => {
      const random = new SeededRandom(seed);
      return inputs.map((input) => Buffer.from(mutate(input, random, options)).toString('hex'));
    };
    expect(list(3)).toEqual(list(3));
    expect(list(3)).not.toEqual(list(4));
  });
});

describe('chunkEnds', () => {
  it('cuts every length into chunks that are not empty and end where it ends', () => {
    const random = new SeededRandom(5);
    for (let length = 0; length < 3_000; length += 1) {
      const ends = chunkEnds(length, random);
      expect(ends.at(-1) ?? 0).toBe(length);
      expect(ends.every((end, index) => end > (ends[index - 1] ?? 0))).toBe(true);
    }
  });
});
