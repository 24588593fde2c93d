/**
 * Goal: greys run from black to white whatever the encoding, and resizing neither moves nor
 * brightens a picture.
 * Method: pictures of a few pixels.
 */
import { describe, expect, it } from '@jest/globals';
import type { Sha256 } from '@aifi/shared-kernel';
import { greyPictureOf, letterbox, resized, sizeWithin, type GreyPicture } from './grey-picture.js';
import type { PixelEncoding } from './pixel-encoding.js';
import type { Radiograph } from './radiograph.js';

const radiograph = (
  values: number[],
  encoding: Partial<PixelEncoding> = {},
  padding?: readonly [number, number],
): Radiograph => ({
  sopInstanceUid: '1.2.3',
  objectDigest: 'a'.repeat(64) as Sha256,
  rows: 1,
  columns: values.length,
  stored: Int16Array.from(values),
  padding,
  encoding: {
    bitsAllocated: 16,
    bitsStored: 10,
    highBit: 9,
    signed: false,
    slope: 1,
    intercept: 0,
    photometricInterpretation: 'MONOCHROME2',
    ...encoding,
  },
});
const picture = (rows: number, columns: number, data: number[]): GreyPicture => ({
  rows,
  columns,
  data: Uint8Array.from(data),
});

describe(greyPictureOf.name, () => {
  const MONOCHROME1 = { photometricInterpretation: 'MONOCHROME1' } as const;
  it.each([
    ['lowest to black and highest to white', {}, [0, 128, 255]],
    ['MONOCHROME1 inverted', MONOCHROME1, [255, 128, 0]],
    ['a falling rescale inverted', { slope: -1 }, [255, 128, 0]],
    ['both: as stored', { ...MONOCHROME1, slope: -0.5 }, [0, 128, 255]],
  ])('%s', (_, encoding, greys) => {
    expect([...greyPictureOf(radiograph([100, 300, 500], encoding)).data]).toEqual(greys);
  });
  it('shows padding black and leaves it out of the range', () => {
    const values = [1000, 100, 500, 1010];
    for (const encoding of [{}, MONOCHROME1]) {
      const { data } = greyPictureOf(radiograph(values, encoding, [1000, 1010]));
      expect([data[0], data[3]]).toEqual([0, 0]);
      expect([data[1], data[2]].sort()).toEqual([0, 255]);
    }
  });
  it('shows an even image black', () => {
    expect([...greyPictureOf(radiograph([7, 7], MONOCHROME1)).data]).toEqual([0, 0]);
  });
});

describe(resized.name, () => {
  it('gives each pixel the mean of the area that it covers', () => {
    const four = picture(2, 4, [0, 10, 100, 200, 20, 30, 100, 200]);
    expect([...resized(four, { rows: 1, columns: 2 }).data]).toEqual([15, 150]);
  });
  it('shares a pixel between the two that cover it', () => {
    const three = picture(1, 3, [30, 60, 90]);
    expect([...resized(three, { rows: 1, columns: 2 }).data]).toEqual([40, 80]);
  });
  it('repeats pixels when it enlarges', () => {
    const two = picture(1, 2, [10, 20]);
    expect([...resized(two, { rows: 2, columns: 4 }).data]).toEqual([
      ...[10, 10, 20, 20],
      ...[10, 10, 20, 20],
    ]);
  });
  it('keeps an even picture even in awkward sizes', () => {
    const even = picture(37, 101, Array<number>(37 * 101).fill(77));
    expect(new Set(resized(even, { rows: 13, columns: 29 }).data)).toEqual(new Set([77]));
  });
});

describe(letterbox.name, () => {
  it('keeps the aspect and centres the picture on black', () => {
    const boxed = letterbox(picture(1, 2, [100, 200]), { rows: 4, columns: 4 });
    expect(boxed.inner).toEqual({ rows: 2, columns: 4, top: 1, left: 0 });
    expect([...boxed.data]).toEqual([
      ...[0, 0, 0, 0],
      ...[100, 100, 200, 200],
      ...[100, 100, 200, 200],
      ...[0, 0, 0, 0],
    ]);
  });
  it('keeps a pixel of the narrowest picture', () => {
    const size = sizeWithin({ rows: 5000, columns: 1 }, { rows: 100, columns: 100 });
    expect(size).toEqual({ rows: 100, columns: 1 });
  });
});
