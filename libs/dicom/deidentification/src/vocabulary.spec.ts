/**
 * Goal: descriptions keep what routing needs and eponyms, and nothing that names a person.
 * Method: Dutch and English descriptions, every listed phrase, and a property over any text.
 */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { DESCRIPTION_PHRASES, DESCRIPTION_WORDS } from './vocabulary.table.js';
import { cleanDescriptor } from './vocabulary.js';

const WORDS = new Set(DESCRIPTION_WORDS.trim().split(/\s+/));
const SPELLINGS = DESCRIPTION_PHRASES.map((line) => line.split('|')[0]!.trim());

describe(cleanDescriptor.name, () => {
  it.each([
    ['CT thorax dr. Visser', 'CT THORAX'],
    ['X-hand links, d.d. 3-4-1961 van der Berg', 'HAND LINKS'],
    ['Hand-Schueller-Christian', 'Hand-Schueller-Christian'],
    ['HAND SCHÜLLER CHRISTIAN ct skull', 'Hand-Schueller-Christian CT SKULL'],
    ['Pieter-view', 'Pieter-view'],
    ['hand PIETER-VIEW Pieter', 'HAND Pieter-view'],
    ['M. Christian, Pieter', ''],
    ['Hand Schueller', 'HAND'],
    ['fractuur van Colles', ''],
    ['morbus Crohn, mevr. Crohn', 'Crohn disease'],
    ['06-12345678 1234 AB', ''],
    ['T1_MPRAGE-sag', 'T1 MPRAGE SAG'],
  ])('%s → %s', (text, expected) => expect(cleanDescriptor(text)).toBe(expected));

  it.each(SPELLINGS)('the phrase %s survives as it is, in any case and spacing', (phrase) => {
    expect(cleanDescriptor(phrase)).toBe(phrase);
    expect(cleanDescriptor(phrase.toUpperCase().replace(/[- ]/g, '  '))).toBe(phrase);
  });

  it('is idempotent, at most 64 characters, and made of the table only', () => {
    const word = fc.oneof(
      fc.constantFrom(...WORDS),
      fc.constantFrom(...SPELLINGS),
      fc.string({ maxLength: 12 }),
      fc.constantFrom('Jansen', '123456782', 'dr.', 'José'),
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 30 }), (parts) => {
        const cleaned = cleanDescriptor(parts.join(' '));
        expect(cleaned.length).toBeLessThanOrEqual(64);
        expect(cleanDescriptor(cleaned)).toBe(cleaned);
        let rest = cleaned;
        for (const phrase of SPELLINGS) rest = rest.replaceAll(phrase, ' ');
        expect(rest.split(/\s+/).filter((text) => text !== '' && !WORDS.has(text))).toEqual([]);
      }),
    );
  });
});
