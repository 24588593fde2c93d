/**
 * Set-up finding: what a check against the PACS saw, in words that say what to ask of its vendor.
 * Decides which facts a sentence of the closed table (setup-finding.table.ts) may name.
 * Invariants: facts are addresses, AE titles, SOP classes and numbers of our own test object, never
 * of a patient; a code of a newer gateway is shown without words.
 * Source: PS3.8 9.3.3.2, 9.3.4 (refusals); PS3.7 annex C; PS3.4 B.2.3, C.4.1.1.4, J.3.3.
 */
import { z } from 'zod';
import { SETUP_SENTENCES, type SetupSentence } from './setup-finding.table.js';

/** Names of facts that sentences may use. */
export const SETUP_FACTS = [
  ...(['host', 'port', 'calledAeTitle', 'callingAeTitle', 'sopClass', 'sopClassUid'] as const),
  ...(['transferSyntax', 'status', 'reason', 'attributes', 'patientId', 'studyUid'] as const),
  ...(['ownHost', 'ownPort', 'ownAeTitle', 'seenAeTitle', 'seconds'] as const),
] as const;
export type SetupFact = (typeof SETUP_FACTS)[number];
export type SetupFacts = Readonly<Partial<Record<SetupFact, string>>>;

export const setupFindingSchema = z.object({
  code: z.string().max(64),
  facts: z.partialRecord(z.enum(SETUP_FACTS), z.string().max(200)),
});
export type SetupFinding = z.infer<typeof setupFindingSchema>;

const WORDS: Readonly<Record<string, InBoth>> = SETUP_SENTENCES;
interface InBoth {
  readonly nl: SetupSentence;
  readonly en: SetupSentence;
}

/** Codes that have words. */
export const SETUP_FINDING_CODES: readonly string[] = Object.keys(WORDS);

/** Facts that the sentences of a code name, in both languages. */
export function setupFactsOf(code: string): readonly string[] {
  const words = Object.hasOwn(WORDS, code) ? WORDS[code] : undefined;
  const texts = words ? [words.nl, words.en].flatMap(({ seen, ask }) => [seen, ask]) : [];
  return [...new Set(texts.flatMap((text) => [...text.matchAll(/\{(\w+)\}/g)].map(([, n]) => n!)))];
}

/** The sentences with their facts filled in; undefined for a code that this version lacks. */
export function setupFindingWords({ code, facts }: SetupFinding): InBoth | undefined {
  const words = Object.hasOwn(WORDS, code) ? WORDS[code] : undefined;
  if (!words) return undefined;
  const fill = (text: string): string =>
    text.replace(/\{(\w+)\}/g, (_, name: string) => facts[name as SetupFact] ?? '?');
  const of = ({ seen, ask }: SetupSentence): SetupSentence => ({
    seen: fill(seen),
    ask: fill(ask),
  });
  return { nl: of(words.nl), en: of(words.en) };
}
