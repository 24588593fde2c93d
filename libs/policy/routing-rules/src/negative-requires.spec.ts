/** Goal: a negative is released only when everything that it rests on is there. */
import { describe, expect, it } from '@jest/globals';
import { judgeNegative, startsEarly } from './negative-requires.js';
import { aProduct, aSeries } from './test-product.js';

const radiograph = (uid: string, viewPosition: string, instanceCount = 1) =>
  aSeries({
    seriesUid: uid,
    instanceCount,
    attributes: { modality: ['DX'], viewPosition: [viewPosition] },
  });
const { intendedUse } = aProduct({
  negativeRequires: {
    series: [
      {
        rules: [{ id: 'radiograph', attribute: 'modality', oneOf: ['DX'], onMissing: 'deny' }],
        instancesMin: 2,
      },
    ],
    views: ['AP', 'LL'],
    imagesMin: 2,
  },
});
const words = (series: Parameters<typeof judgeNegative>[1]) =>
  judgeNegative(intendedUse, series, '1').missing.map(({ en }) => en);

describe(judgeNegative.name, () => {
  it('allows when views, images and series are there', () => {
    const series = [radiograph('1', 'AP', 2), radiograph('2', 'LL')];
    expect(judgeNegative(intendedUse, series, '1')).toEqual({ allowed: true, missing: [] });
  });
  it('names everything that is missing', () => {
    expect(words([radiograph('1', 'AP')])).toEqual([
      '1 of at least 2 images',
      'view LL is missing',
      'no series of at least 2 images fits radiograph',
    ]);
  });
  it('asks nothing more of a product that declares nothing', () => {
    const plain = aProduct().intendedUse;
    expect(judgeNegative(plain, [], '1')).toEqual({ allowed: true, missing: [] });
  });
});

describe(startsEarly.name, () => {
  it('holds in the acute lane unless the product says otherwise', () => {
    expect(startsEarly(aProduct({}, { lane: 'acute' }))).toBe(true);
    expect(startsEarly(aProduct())).toBe(false);
    expect(startsEarly(aProduct({ earlyStart: false }, { lane: 'acute' }))).toBe(false);
    expect(startsEarly(aProduct({ earlyStart: true }))).toBe(true);
  });
});
