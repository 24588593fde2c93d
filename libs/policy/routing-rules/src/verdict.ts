/**
 * Verdicts of the engine: what it says of one product and one study, with every reason in words.
 * Decides the state that several reasons lead to together: a study that a product was never meant
 * for is only logged, whatever else stands in the way; one that it was meant for is notified.
 * Invariants: a reason has a code of the closed table and words in both languages; words hold
 * numbers and coded values, never free text of the images. Source: governance specification 4.3.
 */
import type { Attestation, OnMissing } from '@aifi/contracts-manifests';
import { REASON_CODES, type ReasonCode, type TerminalState } from '@aifi/shared-kernel';

/** The same sentence in English and Dutch, without capital and full stop. */
export interface Words {
  readonly en: string;
  readonly nl: string;
}
export interface Reason {
  readonly code: ReasonCode;
  /** Name of the rule or gate. */
  readonly rule: string;
  readonly words: Words;
  /** A person could decide; nobody can here yet, so it holds like a denial. */
  readonly review?: true;
}
/** Why a rule holds where it might not: nobody told, or somebody asked by name. */
export interface Note {
  readonly rule: string;
  readonly words: Words;
}
/** What is wrong with the data whether or not it decides: counted and told to the hospital. */
export type DataQuality = 'age-contradiction' | 'birth-date-placeholder' | 'acquired-in-future';

interface Considered {
  /** One per rule that was judged, so that the hub can repeat it. */
  readonly attestations: readonly Attestation[];
  readonly notes: readonly Note[];
  readonly dataQuality: readonly DataQuality[];
}
export interface Allowed extends Considered {
  readonly allow: true;
  /** Series that the product takes. */
  readonly seriesUid: string;
}
export interface Denied extends Considered {
  readonly allow: false;
  readonly state: TerminalState;
  /** The first of the reasons that lead to the state: its code is the code of the job. */
  readonly decisive: Reason;
  /** All of them, in the order of the gates. */
  readonly reasons: readonly [Reason, ...Reason[]];
}
export type StudyVerdict = Allowed | Denied;

/** Outcome of one rule: without a reason it holds. */
export interface Check {
  readonly rule: string;
  readonly reason?: Reason | undefined;
  readonly note?: Note | undefined;
}

/** A reason in the words of the table, for what the rules themselves do not judge. */
export function reasonOf(code: ReasonCode, rule: string): Reason {
  const { en, nl } = REASON_CODES[code];
  return { code, rule, words: { en, nl } };
}

export function failed(rule: string, code: ReasonCode, words: Words): Check {
  return { rule, reason: { code, rule, words } };
}

/** What the rule says of a value that nobody told. */
export function missing(rule: string, onMissing: OnMissing, subject: Words): Check {
  const words = { en: `${subject.en} is missing`, nl: `${subject.nl} ontbreekt` };
  if (onMissing === 'allow') {
    return {
      rule,
      note: {
        rule,
        words: {
          en: `${words.en}, which the rule allows`,
          nl: `${words.nl}, dat mag van de regel`,
        },
      },
    };
  }
  if (onMissing === 'deny') return failed(rule, 'TAG_MISSING', words);
  const review = {
    en: `${words.en}; a person may decide, which is not possible here yet`,
    nl: `${words.nl}; een mens mag beslissen, dat kan hier nog niet`,
  };
  return { rule, reason: { code: 'TAG_MISSING', rule, words: review, review: true } };
}

/** What a request by name opens; the note says what it opened. */
export function unlessRequested(check: Check, isRequested: boolean): Check {
  const { rule, reason } = check;
  if (!isRequested || !reason) return check;
  const words = {
    en: `asked for by name, although: ${reason.words.en}`,
    nl: `op naam gevraagd, hoewel: ${reason.words.nl}`,
  };
  return { rule, note: { rule, words } };
}

export function attestationsOf(checks: readonly Check[]): Attestation[] {
  return checks.map(({ rule, reason }) => {
    if (!reason) return { rule, verdict: 'allow' };
    return { rule, verdict: reason.review ? 'review' : 'deny', code: reason.code };
  });
}

/** The verdict that the reasons amount to. */
export function denied(reasons: readonly [Reason, ...Reason[]], considered: Considered): Denied {
  const stateOf = ({ code }: Reason): TerminalState => REASON_CODES[code].state;
  const decisive = reasons.find((one) => stateOf(one) === 'NOT_ELIGIBLE_LOGGED') ?? reasons[0];
  return { allow: false, state: stateOf(decisive), decisive, reasons, ...considered };
}
