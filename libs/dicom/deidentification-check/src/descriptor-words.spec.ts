/** Goal: both lists of words agree where they have to. Method: the engine's, word by word. */
import { describe, expect, it } from '@jest/globals';
import { DESCRIPTION_PHRASES, DESCRIPTION_WORDS } from '@aifi/dicom-deidentification';
import { isCleanDescriptor } from './descriptor-words.js';

describe('isCleanDescriptor', () => {
  it('knows every word and phrase that the engine writes', () => {
    const words = DESCRIPTION_WORDS.trim().split(/\s+/);
    const phrases = DESCRIPTION_PHRASES.map((line) => line.split('|')[0]!.trim());
    expect(words.length).toBeGreaterThan(100);
    expect([...words, ...phrases].filter((text) => !isCleanDescriptor(text))).toEqual([]);
  });
  it.each(['CT THORAX VISSER', 'CHEST 1961', 'HEAD d.d. 3-4-1961', '123456782', 'ct thorax', 'Kö'])(
    'does not take "%s"',
    (text) => {
      expect(isCleanDescriptor(text)).toBe(false);
    },
  );
});
