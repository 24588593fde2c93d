/** Suite: the committed dictionary is what the generator makes of the standard. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { keywordOf, tagOf, vrOf } from '@aifi/dicom-core';
import { dictionaryLines, dictionaryTable } from './dictionary.mjs';

const TABLE = new URL('../../../libs/dicom/core/src/dictionary.table.ts', import.meta.url);

describe('the dictionary', () => {
  it('is committed as the generator makes it', () => {
    expect(readFileSync(fileURLToPath(TABLE), 'utf8')).toBe(dictionaryTable());
    expect(dictionaryLines().length).toBeGreaterThan(5_000);
  });

  it.each([
    ['SOPInstanceUID', 0x00080018, 'UI'],
    ['SmallestImagePixelValue', 0x00280106, 'US'],
    ['PixelData', 0x7fe00010, 'OW'],
  ])('knows %s by its tag and VR', (keyword, tag, vr) => {
    expect([tagOf(keyword), keywordOf(tag), vrOf(tag)]).toEqual([tag, keyword, vr]);
  });
});
