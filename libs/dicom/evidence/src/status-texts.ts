/**
 * Status texts: the sentences of the study's AI status object, in the languages of our sites.
 * Decides how a state or reason of one product reads, and when a time needs its date.
 * Invariants: the reasons are those of the kernel's closed table; printable ASCII; nothing of the
 * patient. Source: results specification 4.3a; governance specification 4.3.
 */
import { AifiError, REASON_CODES, type ReasonCode } from '@aifi/shared-kernel';
import type { Code } from './codes.js';
import type { EvidenceLanguage } from './evidence-context.js';
import { ascii } from './own-text.js';
import type { NegativeScope } from './status-negative-scope.js';

/** States of a product that its status tells; a product that is not eligible is not in it. */
export type StatusState = 'RESULT_IN_PACS' | 'NOT_ANALYSED_NOTIFIED' | 'IN_PROGRESS';

/** What the words of one product are made of. */
export interface StatusFacts {
  readonly name: string;
  readonly version: string;
  /** Of the product, for example "RESEARCH MODEL, NOT FOR CLINICAL USE"; may be empty. */
  readonly label: string;
  readonly state: StatusState;
  /** Set exactly for NOT_ANALYSED_NOTIFIED. */
  readonly code?: ReasonCode;
  /** Fixed words and numbers for staff, never identity. */
  readonly detail?: string;
  /** What was looked for and not found; only for RESULT_IN_PACS. */
  readonly negativeScope?: NegativeScope;
}

interface Words {
  readonly reason: 'en' | 'nl';
  readonly result: string;
  readonly negative: string;
  readonly inProgress: string;
  readonly on: string;
  readonly image: string;
  readonly images: string;
  readonly title: string;
  readonly notVerified: string;
  readonly replaces: string;
}
const WORDS: Readonly<Record<EvidenceLanguage, Words>> = {
  'en-GB': {
    reason: 'en',
    result: 'result in the PACS',
    negative: 'looked for and not found',
    inProgress: 'not finished yet',
    on: 'on',
    image: 'image',
    images: 'images',
    title: 'AI status of this study.',
    notVerified: 'AI results are not verified.',
    replaces: 'This replaces the status of',
  },
  'nl-NL': {
    reason: 'nl',
    result: 'resultaat in het PACS',
    negative: 'gezocht en niet gevonden',
    inProgress: 'nog niet klaar',
    on: 'op',
    image: 'beeld',
    images: 'beelden',
    title: 'AI-status van dit onderzoek.',
    notVerified: 'AI-resultaten zijn niet geverifieerd.',
    replaces: 'Dit vervangt de status van',
  },
};

/** Code of our own scheme: values are states and reasons, meanings the words in the language. */
export function statusCode(facts: StatusFacts, language: EvidenceLanguage): Code {
  const words = WORDS[language];
  const own = (value: string, meaning: string): Code => ({
    value,
    scheme: '99AIFI',
    meaning: ascii(meaning, 64),
  });
  switch (facts.state) {
    case 'IN_PROGRESS':
      return own('IN_PROGRESS', words.inProgress);
    case 'RESULT_IN_PACS':
      return facts.negativeScope
        ? own('NOT_FOUND', words.negative)
        : own('RESULT_IN_PACS', words.result);
    case 'NOT_ANALYSED_NOTIFIED':
      if (!facts.code) throw new AifiError('INVALID_ARGUMENT', 'not analysed without a reason');
      return own(facts.code, REASON_CODES[facts.code][words.reason]);
  }
}

/** One product in words, for a reader whose viewer shows nothing else. */
export function statusSentence(facts: StatusFacts, language: EvidenceLanguage): string {
  const { name, version, label, detail, negativeScope } = facts;
  const { meaning } = statusCode(facts, language);
  const scope = negativeScope ? `: ${scopeWords(negativeScope, WORDS[language])}` : '';
  const remark = detail ? ` (${detail})` : '';
  const sentence = `${name} ${version}: ${meaning}${scope}${remark}.`;
  return ascii(label === '' ? sentence : `${sentence} ${label}.`);
}

function scopeWords({ lookedFor, images }: NegativeScope, words: Words): string {
  const what = lookedFor.map(({ meaning }) => meaning).join(', ');
  const noun = images.length === 1 ? words.image : words.images;
  return `${what}, ${words.on} ${images.length} ${noun}`;
}

/** The closing remark; `replaced` is the local time of the status that this one supersedes. */
export function statusRemark(language: EvidenceLanguage, replaced?: string): string {
  const { title, notVerified, replaces } = WORDS[language];
  const sentences = [title, notVerified, ...(replaced ? [`${replaces} ${replaced}.`] : [])];
  return sentences.join(' ');
}
