/** Goal: own text never needs a character set. Method: hostile names through each function. */
import { describe, expect, it } from '@jest/globals';
import { ascii, labelAndWarning, seriesDescription } from './own-text.js';
import { PHANTOM_MANIFEST } from './test-phantom.js';

describe('ascii', () => {
  it('keeps letters without diacritics and no backslash, control or foreign character', () => {
    expect(ascii('Größe\\naïef\n日')).toBe('Gro?e/naief??');
    expect(ascii('  long name  ', 6)).toBe('long');
  });
});

describe('seriesDescription', () => {
  it('carries the label when 64 characters hold it', () => {
    const text = seriesDescription(PHANTOM_MANIFEST, 'volumes');
    expect(text).toBe('AI meshnet-tissue volumes - RESEARCH MODEL, NOT FOR CLINICAL USE');
    expect(text).toHaveLength(64);
  });
  it('leaves the label out as a whole rather than cutting it', () => {
    const product = { ...PHANTOM_MANIFEST, product: 'meshnet-tissue-large' };
    expect(seriesDescription(product, 'volumes')).toBe('AI meshnet-tissue-large volumes');
    const unlabelled = { ...PHANTOM_MANIFEST, label: '' };
    expect(seriesDescription(unlabelled, 'volumes')).toBe('AI meshnet-tissue volumes');
  });
});

describe('labelAndWarning', () => {
  it('warns in the language of the report, also without a label', () => {
    expect(labelAndWarning({ ...PHANTOM_MANIFEST, label: '' }, 'nl-NL')).toBe(
      'AI-resultaat, niet geverifieerd.',
    );
    expect(labelAndWarning(PHANTOM_MANIFEST, 'en-GB')).toBe(
      'RESEARCH MODEL, NOT FOR CLINICAL USE. AI result, not verified.',
    );
  });
});
