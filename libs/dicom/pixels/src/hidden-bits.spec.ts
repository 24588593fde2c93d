/**
 * Goal: a picture beside the stored bits is told wherever it lies; padding and signs are none.
 * Method: a few cells of every kind, and one bit of each in turn.
 */
import { describe, expect, it } from '@jest/globals';
import { fillSamples, samplesFor, type StoredBits } from './frame-samples.js';
import { hidesBits as sut } from './hidden-bits.js';

const TWELVE = { bitsAllocated: 16, bitsStored: 12, highBit: 11, littleEndian: true } as const;
type Layout = Omit<StoredBits, 'bytes'>;

function storedOf(words: readonly number[], layout: Layout = TWELVE): StoredBits {
  const width = layout.bitsAllocated / 8;
  const bytes = new Uint8Array(words.length * width);
  const view = new DataView(bytes.buffer);
  words.forEach((word, at) => {
    if (width === 1) view.setUint8(at, word);
    else if (width === 2) view.setUint16(at * 2, word, layout.littleEndian);
    else view.setUint32(at * 4, word, layout.littleEndian);
  });
  return { ...layout, bytes };
}
const hides = (words: readonly number[], layout?: Layout, padding?: number): boolean =>
  sut(storedOf(words, layout), words.length, padding);
const hasCut = (words: readonly number[], signed: boolean, layout: Layout = TWELVE): boolean =>
  fillSamples(
    storedOf(words, layout),
    signed,
    samplesFor(layout.bitsAllocated, signed, words.length),
  );

function* layouts(): Generator<Layout> {
  for (const bitsAllocated of [8, 16, 32] as const) {
    for (const bitsStored of [1, 7, 8, 10, 12, 15, 16, 31, 32]) {
      for (let highBit = bitsStored - 1; highBit < bitsAllocated; highBit += 3) {
        for (const littleEndian of [true, false]) {
          yield { bitsAllocated, bitsStored, highBit, littleEndian };
        }
      }
    }
  }
}
const isStored = (bit: number, { bitsStored, highBit }: Layout): boolean =>
  bit <= highBit && bit > highBit - bitsStored;

describe(sut.name, () => {
  it('tells one bit of one sample, unless it is stored', () => {
    let told = 0;
    for (const layout of layouts()) {
      const sign = 2 ** layout.highBit;
      for (let bit = 0; bit < layout.bitsAllocated; bit += 1) {
        const isTold = !isStored(bit, layout);
        told += Number(isTold);
        const alone = [0, 2 ** bit, 0, 0];
        expect([layout, bit, hides(alone, layout)]).toEqual([layout, bit, isTold]);
        expect([layout, bit, hasCut(alone, false, layout)]).toEqual([layout, bit, isTold]);
        // Beside the sign of one sample, and not beside that of another.
        const besideSign = isTold ? [0, sign, sign + 2 ** bit, 0] : [0, sign, 2 ** bit, 0];
        expect([layout, bit, hides(besideSign, layout)]).toEqual([layout, bit, isTold]);
      }
    }
    expect(told).toBeGreaterThan(500);
  });
  it.each([
    ['zero', [0, 1, 0xfff]],
    ['the same everywhere', [0xa000, 0xa001, 0xafff]],
    ['the sign of the sample', [0x0000, 0x07ff, 0xf800, 0xffff]],
  ])('takes bits above for harmless that are %s', (_, words) => {
    expect(hides(words)).toBe(false);
  });
  it.each([
    ['the sign of some samples only', [0x0000, 0xf800, 0x0800]],
    ['a part of the sign', [0x0000, 0xf800, 0x7800]],
    ['the sign of the wrong samples', [0xf000, 0x0800]],
    ['a value that is too large', [0x0004, 0x1004]],
    ['a plane in every bit', [0x0000, 0xf000, 0x0000]],
  ])('takes %s for a picture', (_, words) => {
    expect(hides(words)).toBe(true);
  });
  it('takes bits below for a picture unless they are the same everywhere', () => {
    const layout = { ...TWELVE, highBit: 15 };
    expect(hides([0x0010, 0xfff0], layout)).toBe(false);
    expect(hides([0x0013, 0xfff3], layout)).toBe(false);
    expect(hides([0x0013, 0xfff1], layout)).toBe(true);
    // Signed or not, and whatever the bits above are.
    expect(hides([0x0001, 0xf800], { ...TWELVE, highBit: 12 })).toBe(true);
  });
  it('counts nothing outside of the samples that it is asked about', () => {
    expect(sut(storedOf([0, 1, 0x1000]), 2)).toBe(false);
  });

  describe('with a declared padding', () => {
    it('leaves out its samples, in either sign', () => {
      expect(hides([0x0830, 0xf830, 5])).toBe(true);
      expect(hides([0x0830, 0xf830, 5], TWELVE, 63_536)).toBe(false);
      expect(hides([0x0830, 0xf830, 5], TWELVE, -2000)).toBe(false);
    });
    it('takes it for no excuse of other samples', () => {
      expect(hides([0x0830, 0xf830, 0xf831], TWELVE, 63_536)).toBe(true);
      expect(hides([0x0830, 0xf830, 0x1005], TWELVE, 63_536)).toBe(true);
    });
    it('takes a single bit for a plane, whatever is declared', () => {
      expect(hides([0, 0x1000], TWELVE, 0x1000)).toBe(true);
      const fifteen = { ...TWELVE, bitsStored: 15, highBit: 14 };
      expect(hides([0, 0x8000], fifteen, 0x8000)).toBe(true);
    });
    it('takes all but one of the bits above for planes too', () => {
      expect(hides([0x0830, 0xe830], TWELVE, 0xe830)).toBe(true);
    });
    it('finds nothing where there is nothing else', () => {
      expect(hides([0xf830, 0xf830], TWELVE, -2000)).toBe(false);
      expect(hides([0xf830, 0xf830], { ...TWELVE, bitsStored: 10 }, -2000)).toBe(false);
    });
  });
});

describe(`${fillSamples.name}: what is cut off`, () => {
  it('is nothing where the bits above are those of the sign', () => {
    expect(hasCut([0x0fff, 0x0001], false)).toBe(false);
    expect(hasCut([0x07ff, 0xf800, 0xffff], true)).toBe(false);
  });
  it('is something where they are not', () => {
    expect(hasCut([0xf800], false)).toBe(true);
    expect(hasCut([0x0800], true)).toBe(true);
    expect(hasCut([0x1000], true)).toBe(true);
  });
  it('is something where a bit is set below', () => {
    const layout = { ...TWELVE, highBit: 15 };
    expect(hasCut([0x8010, 0x7ff0], true, layout)).toBe(false);
    expect(hasCut([0x8010, 0x7ff1], true, layout)).toBe(true);
    expect(hasCut([0x8010, 0x7ff8], false, layout)).toBe(true);
  });
});
