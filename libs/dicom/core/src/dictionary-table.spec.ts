/** Suite: the committed table is what the dictionary's copy of the standard says. */
import { describe, expect, it } from '@jest/globals';
import { dictionaryLines } from '../../../../tools/generators/dictionary.mjs';
import { DICTIONARY } from './dictionary.table.js';

describe('the dictionary table', () => {
  it('is what the generator makes of the standard', () => {
    expect(DICTIONARY.trim().split('\n')).toEqual(dictionaryLines());
    expect(dictionaryLines().length).toBeGreaterThan(5_000);
  });
  it.each([
    ['00080018 UI SOPInstanceUID'],
    ['00280106 US SmallestImagePixelValue'],
    ['7FE00010 OW PixelData'],
  ])('holds %s', (line) => {
    expect(DICTIONARY.split('\n')).toContain(line);
  });
});
