/**
 * Goal: both languages say everything, and every code of the kernel that a page can meet has words.
 * Method: compares the two dictionaries leaf by leaf; walks the kernel's own lists.
 */
import { describe, expect, it } from '@jest/globals';
import { ERROR_CATALOGUE, GATEWAY_STAGES, HUB_STAGES, PURPOSES } from '@aifi/shared-kernel';
import { languageOf, LANGUAGES, termOf, WORDS } from './words.js';

/** `frame.copyOf/1` for a text with one parameter; `frame.copy` for one without. */
function leaves(value: unknown, path = ''): string[] {
  if (typeof value === 'string') return [path];
  if (typeof value === 'function') return [`${path}/${value.length}`];
  return Object.entries(value as object).flatMap(([key, part]) => leaves(part, `${path}.${key}`));
}
/** Every text, functions called with parameters that can be found again. */
function texts(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value === 'function') return [String(value('<1>', '<2>', '<3>'))];
  return Object.values(value as object).flatMap(texts);
}

describe('WORDS', () => {
  it('has the same keys and parameters in both languages', () => {
    const english = leaves(WORDS.en);
    expect(english.length).toBeGreaterThan(400);
    expect(leaves(WORDS.nl).sort()).toEqual(english.sort());
  });
  it.each(LANGUAGES)('leaves no text empty or loses a parameter (%s)', (language) => {
    for (const text of texts(WORDS[language])) {
      expect(text.trim()).not.toBe('');
      expect(text).not.toContain('undefined');
    }
  });
  it('uses each parameter of a text', () => {
    const walk = (value: unknown): void => {
      if (typeof value === 'string') return;
      if (typeof value !== 'function') return Object.values(value as object).forEach(walk);
      const said = String(value('<1>', '<2>', '<3>'));
      for (let index = 1; index <= value.length; index += 1) expect(said).toContain(`<${index}>`);
    };
    walk(WORDS);
  });
  it('has words for every fault, stage and purpose of the kernel', () => {
    const { problems, terms, frame } = WORDS.en;
    expect(Object.keys(problems)).toEqual(expect.arrayContaining(Object.keys(ERROR_CATALOGUE)));
    expect(Object.keys(terms.stages)).toEqual(
      expect.arrayContaining([...GATEWAY_STAGES, ...HUB_STAGES]),
    );
    expect(Object.keys(frame.purposes).sort()).toEqual([...PURPOSES].sort());
  });
});

describe(termOf.name, () => {
  it('shows a code without words as it is, also one that every object has', () => {
    expect(termOf(WORDS.nl.terms.jobStates, 'RESULT_IN_PACS')).toBe('Resultaat in PACS');
    expect(termOf(WORDS.nl.terms.jobStates, 'NEW_STATE')).toBe('NEW_STATE');
    expect(termOf(WORDS.nl.terms.jobStates, 'constructor')).toBe('constructor');
  });
});

describe(languageOf.name, () => {
  it('is Dutch for every kind of Dutch and English for everybody else', () => {
    expect(['nl', 'nl-BE', 'NL'].map(languageOf)).toEqual(['nl', 'nl', 'nl']);
    expect(['en-GB', 'de', '', null, undefined].map(languageOf)).toEqual(Array(5).fill('en'));
  });
});
