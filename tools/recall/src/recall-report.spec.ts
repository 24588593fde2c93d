/**
 * Goal: the page about recall says of how many texts a rate is, and names no rate where none fits.
 * Method: the report of a few invented trials.
 */
import { describe, expect, it } from '@jest/globals';
import type { Trial } from '@aifi/dicom-pixel-gate/recall';
import { reportOf } from './recall-report.js';

const trial = (capRows: number, contrast: number, isFound: boolean): Trial => ({
  ...{ tier: 'border', capRows, contrast, isFound, description: 'invented' },
});

describe(reportOf.name, () => {
  const trials = [...Array.from({ length: 9 }, () => trial(12, 60, true)), trial(10, 74, false)];
  const page = reportOf([{ name: 'CT', pictures: 3, trials, falseHolds: { held: 1, of: 8 } }], 7);

  it('gives each rate with its interval, and the cell that no text fits none', () => {
    const rows = page.split('\n').filter((line) => line.startsWith('| 10-13 px'));
    expect(rows).toEqual(['| 10-13 px | none fits | none fits | 9/10 (59.6-98.2 %) | none fits |']);
  });
  it('says how it was made, its seed, and what would be held for nothing', () => {
    expect(page).toContain('Made by `node tools/bootstrap.mjs node tools/recall/run.mjs FOLDER');
    expect(page).toContain('Seed 7.');
    expect(page).toContain('1 of 8 (2.2-47.1 %)');
  });
});
