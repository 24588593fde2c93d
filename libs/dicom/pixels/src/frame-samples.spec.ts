/**
 * Goal: stored bits become the right numbers, whatever their width, sign, order and layout.
 * Method: hand-made bytes.
 */
import { describe, expect, it } from '@jest/globals';
import {
  bytesOfSamples,
  fillFromBits,
  fillSamples,
  interleaved,
  samplesFor,
  samplesIn,
  withFullColour,
  type StoredBits,
} from './frame-samples.js';

const samplesOf = (
  bytes: number[],
  count: number,
  part: Partial<StoredBits> & { signed?: boolean } = {},
): number[] => {
  const { signed = false, ...bits } = part;
  const twelve = { bitsAllocated: 16, bitsStored: 12, highBit: 11, littleEndian: true } as const;
  const stored = { ...twelve, ...bits, bytes: Uint8Array.from(bytes) };
  const out = samplesFor(stored.bitsAllocated, signed, count);
  fillSamples(stored, signed, out);
  return [...out];
};

describe(fillSamples.name, () => {
  it('cuts off the bits above High Bit', () => {
    expect(samplesOf([0xff, 0xff, 0x01, 0xf0], 2)).toEqual([4095, 1]);
  });
  it('extends the sign of signed values', () => {
    expect(samplesOf([0xff, 0x0f, 0x00, 0x08], 2, { signed: true })).toEqual([-1, -2048]);
  });
  it('drops the bits below the stored ones', () => {
    expect(samplesOf([0xf0, 0xff], 1, { highBit: 15 })).toEqual([4095]);
  });
  it('reads 16 bits in big endian', () => {
    expect(samplesOf([0x01, 0x02], 1, { littleEndian: false })).toEqual([0x102]);
  });
  it('reads 32 bits with and without sign', () => {
    const bits = { bitsAllocated: 32, bitsStored: 32, highBit: 31 } as const;
    expect(samplesOf([0xfe, 0xff, 0xff, 0xff], 1, bits)).toEqual([0xfffffffe]);
    expect(samplesOf([0xfe, 0xff, 0xff, 0xff], 1, { ...bits, signed: true })).toEqual([-2]);
  });
});

describe(samplesIn, () => {
  /** Every allocation, width, sign and place in memory, with and without bits above High Bit. */
  function* layouts(): Generator<[stored: StoredBits, signed: boolean, count: number]> {
    const count = 6;
    for (const bitsAllocated of [8, 16, 32] as const) {
      for (const bitsStored of [1, 7, 8, 12, 15, 16, 31, 32]) {
        if (bitsStored > bitsAllocated) continue;
        for (const highBit of new Set([bitsStored - 1, bitsAllocated - 1])) {
          for (const offset of [0, 1, 2, 4]) {
            for (const fill of [0x00, 0x01, 0x0f, 0x7f, 0x80, 0xf8, 0xff]) {
              const memory = new Uint8Array(32).fill(0, 0, offset);
              const bytes = memory.subarray(offset, offset + (count * bitsAllocated) / 8);
              bytes.forEach((_, at) => (bytes[at] = at % 3 === 0 ? fill : 0));
              const stored = { bytes, bitsAllocated, bitsStored, highBit, littleEndian: true };
              yield [stored, false, count];
              yield [stored, true, count];
            }
          }
        }
      }
    }
  }

  it('gives what the copy gives, or nothing where a bit has to move', () => {
    let shared = 0;
    let tried = 0;
    for (const [stored, signed, count] of layouts()) {
      const copy = samplesFor(stored.bitsAllocated, signed, count);
      fillSamples(stored, signed, copy);
      const sut = samplesIn(stored, signed, count);
      tried += 1;
      if (!sut) continue;
      shared += 1;
      expect(sut).toEqual(copy);
      expect(sut.buffer).toBe(stored.bytes.buffer);
    }
    expect(shared).toBeGreaterThan(100);
    expect(tried - shared).toBeGreaterThan(100);
  });
  it('shares nothing of big endian words, nor of a frame that is cut short', () => {
    const twelve = { bitsAllocated: 16, bitsStored: 12, highBit: 11 } as const;
    const bytes = new Uint8Array(8);
    expect(samplesIn({ ...twelve, bytes, littleEndian: false }, false, 4)).toBeUndefined();
    expect(samplesIn({ ...twelve, bytes, littleEndian: true }, false, 5)).toBeUndefined();
  });
});

describe('layout of samples', () => {
  it('puts colour planes together to pixels', () => {
    expect([...interleaved(Uint8Array.of(1, 2, 3, 4, 5, 6), 3)]).toEqual([1, 3, 5, 2, 4, 6]);
  });
  it('gives shared colour to both pixels', () => {
    const out = withFullColour(Uint8Array.of(10, 11, 128, 129), new Uint8Array(6));
    expect([...out]).toEqual([10, 128, 129, 11, 128, 129]);
  });
  it('reads 1-bit pixels from the lowest bit on, also from within a byte', () => {
    const out = new Uint8Array(6);
    fillFromBits(Uint8Array.of(0b1010_0001, 0b0000_0010), 5, out);
    expect([...out]).toEqual([1, 0, 1, 0, 1, 0]);
  });
  it('writes samples little endian, signed ones in two’s complement', () => {
    expect([...bytesOfSamples(Int16Array.of(-2, 1))]).toEqual([0xfe, 0xff, 1, 0]);
  });
});
