/**
 * Goal: what looks like text is seen, what does not is not, at every level and polarity.
 * Method: seeded planting on phantoms of four modalities; the whole population is measured by
 * `tools/recall`, this is its fixed small budget.
 */
import { describe, expect, it, jest } from '@jest/globals';
import { chanceOf, citizenNumber } from './planted-content.js';
import { phantomOf, type PhantomKind } from './picture-phantoms.js';
import { findingsIn, NO_READER, proportionOf, trialOf, type Trial } from './recall.js';
import type { Tier } from './tier.js';

jest.setTimeout(120_000);
const PICTURES: readonly (readonly [PhantomKind, string, Tier])[] = [
  ['ct', 'CT', 'border'],
  ['mr', 'MR', 'border'],
  ['radiograph', 'DX', 'bands'],
  ['ultrasound', 'US', 'full'],
];
const GATE = { capRows: [10, 32], contrast: [50, 100] } as const;
const TRIALS = 30;

describe('planted text', () => {
  it.each(PICTURES)(
    'of ten pixels and half of the range is always found: %s',
    async (kind, modality, tier) => {
      const chance = chanceOf(20_261);
      const trials: Trial[] = [];
      for (let seed = 0; trials.length < TRIALS && seed < TRIALS * 20; seed += 1) {
        const picture = { canvas: phantomOf(kind, seed % 6), modality, tier };
        const trial = await trialOf(picture, chance, GATE, NO_READER);
        if (trial) trials.push(trial);
      }
      expect(trials).toHaveLength(TRIALS);
      expect(trials.filter(({ isFound }) => !isFound)).toEqual([]);
    },
  );

  it.each(PICTURES)('is not imagined where there is none: %s', async (kind, modality, tier) => {
    for (let seed = 100; seed < 104; seed += 1) {
      const picture = { canvas: phantomOf(kind, seed), modality, tier };
      expect(await findingsIn(picture, NO_READER)).toEqual([]);
    }
  });

  it('is the same for the same seed', async () => {
    const once = async (): Promise<unknown> =>
      trialOf(
        { canvas: phantomOf('ct', 1), modality: 'CT', tier: 'border' },
        chanceOf(7),
        GATE,
        NO_READER,
      );
    expect(await once()).toEqual(await once());
  });

  it('holds citizen numbers that pass the 11-test', () => {
    const digits = Array.from(citizenNumber(chanceOf(3)), Number);
    const sum = digits.reduce((all, digit, at) => all + digit * (at === 8 ? -1 : 9 - at), 0);
    expect(sum % 11).toBe(0);
  });
});

describe(proportionOf, () => {
  it('gives the published interval (Newcombe 1998, table I: 81 of 263)', () => {
    const { low, high } = proportionOf(81, 263);
    expect([low.toFixed(4), high.toFixed(4)]).toEqual(['0.2553', '0.3662']);
  });
});
