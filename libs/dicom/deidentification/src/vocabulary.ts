/**
 * Vocabulary: what is left of a description.
 * Decides Clean Descriptors: a description is cut into words; only listed phrases and listed words
 * survive, each in one spelling, so that no name, number or date can hide in it.
 * Invariant: the output holds nothing but words and phrases of the table.
 * Source: PS3.15 E.3.5 (Clean Descriptors), pseudonymisation specification 1.1 (113105).
 */
import { tokensOf } from './normalised-text.js';
import { DESCRIPTION_PHRASES, DESCRIPTION_WORDS } from './vocabulary.table.js';

const words: ReadonlySet<string> = new Set(DESCRIPTION_WORDS.trim().split(/\s+/));

interface Phrase {
  readonly tokens: readonly string[];
  readonly spelling: string;
}
/** By first word, longest first: the longest phrase that fits is the one that is meant. */
const phrases: ReadonlyMap<string, readonly Phrase[]> = phrasesByFirstWord();

function phrasesByFirstWord(): Map<string, Phrase[]> {
  const byFirst = new Map<string, Phrase[]>();
  for (const line of DESCRIPTION_PHRASES) {
    const spellings = line.split('|').map((text) => text.trim());
    for (const text of spellings) {
      const tokens = tokensOf(text);
      const first = tokens[0]!;
      byFirst.set(first, [...(byFirst.get(first) ?? []), { tokens, spelling: spellings[0]! }]);
    }
  }
  for (const list of byFirst.values()) list.sort((a, b) => b.tokens.length - a.tokens.length);
  return byFirst;
}

/** One study has a few descriptions in hundreds of headers. Bounded: what is full starts anew. */
const answers = new Map<string, string>();
const ANSWERS_MAX = 1_000;
/** LO holds 64 characters and may repeat; what is longer is no description. @unit characters */
const LENGTH_MAX = 1_024;

/** PS3.5 6.2: longest LO. A phrase may be longer than what it was made from. @unit characters */
const OUTPUT_MAX = 64;

/** What is listed of a description, in its order; '' when nothing is. Words in upper case. */
export function cleanDescriptor(text: string): string {
  const known = answers.get(text);
  if (known !== undefined) return known;
  const answer = cleaned(text.slice(0, LENGTH_MAX));
  if (answers.size >= ANSWERS_MAX) answers.clear();
  answers.set(text, answer);
  return answer;
}

function cleaned(text: string): string {
  const tokens = tokensOf(text);
  const kept: string[] = [];
  let length = 0;
  for (let at = 0; at < tokens.length;) {
    const phrase = phrases
      .get(tokens[at]!)
      ?.find((candidate) => candidate.tokens.every((word, i) => tokens[at + i] === word));
    const piece = phrase?.spelling ?? (words.has(tokens[at]!) ? tokens[at]! : '');
    at += phrase?.tokens.length ?? 1;
    if (piece === '') continue;
    length += piece.length + 1;
    if (length - 1 > OUTPUT_MAX) break;
    kept.push(piece);
  }
  return kept.join(' ');
}

/** Whether a word, in upper case, may stand in any description. */
export function isDescriptionWord(word: string): boolean {
  return words.has(word);
}
