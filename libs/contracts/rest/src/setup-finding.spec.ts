/**
 * Goal: every finding says in both languages what is seen and what to ask, with the same facts, and
 * no placeholder is left when its facts are there.
 * Method: walks the table.
 */
import { describe, expect, it } from '@jest/globals';
import { SETUP_SENTENCES, type SetupSentence } from './setup-finding.table.js';
import {
  SETUP_FACTS,
  SETUP_FINDING_CODES,
  setupFactsOf,
  setupFindingSchema,
  setupFindingWords,
  type SetupFacts,
} from './setup-finding.js';

const names = new Set<string>(SETUP_FACTS);
const ALL = Object.fromEntries(SETUP_FACTS.map((name) => [name, `<${name}>`])) as SetupFacts;
interface Both {
  readonly nl: SetupSentence;
  readonly en: SetupSentence;
}
const namesIn = ({ seen, ask }: { seen: string; ask: string }): string[] =>
  [...new Set([...`${seen} ${ask}`.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!))].sort();

describe('SETUP_SENTENCES', () => {
  it('has a sentence for each thing that can be wrong', () => {
    expect(SETUP_FINDING_CODES.length).toBeGreaterThanOrEqual(30);
  });
  it.each(SETUP_FINDING_CODES)('%s names the same facts in both languages', (code) => {
    const { nl, en } = (SETUP_SENTENCES as Record<string, Both>)[code]!;
    expect(namesIn(nl)).toEqual(namesIn(en));
    expect(setupFactsOf(code).filter((name) => !names.has(name))).toEqual([]);
  });
  it.each(SETUP_FINDING_CODES)('%s is whole when its facts are filled in', (code) => {
    const words = setupFindingWords({ code, facts: ALL })!;
    for (const { seen, ask } of [words.nl, words.en]) {
      for (const text of [seen, ask]) {
        expect(text).not.toMatch(/[{}]|\s\?/);
        expect(text.trim()).toMatch(/[.?]$/);
      }
    }
  });
});

describe(setupFindingWords.name, () => {
  it('shows a code that it does not know as no words at all', () => {
    expect(setupFindingWords({ code: 'NEW_CODE', facts: {} })).toBeUndefined();
    expect(setupFindingWords({ code: 'toString', facts: {} })).toBeUndefined();
  });
  it('says so where a fact is missing', () => {
    expect(setupFindingWords({ code: 'PORT_CLOSED', facts: {} })?.en.seen).toContain('port ?');
  });
  it('takes no fact that is not in the list', () => {
    const finding = { code: 'PORT_CLOSED', facts: { patientName: 'x' } };
    expect(setupFindingSchema.safeParse(finding).success).toBe(false);
  });
});
