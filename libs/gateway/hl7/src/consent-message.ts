/**
 * Objections in ADT messages: the consent segment CON, and the protection indicator PD1-12.
 * Decides what is an objection: only codes that the hospital has configured, and only a status that
 * says so. Consent that is refused or withdrawn is an objection; consent that is given lifts it.
 * Invariant: what the hospital did not configure says nothing, and nothing is taken for a consent.
 * Source: HL7 v2 chapter 9 (CON), chapter 3 (PD1); tables 0136, 0496, 0498.
 */
import type { ObjectionKind } from '@aifi/policy-routing-rules';
import type { Hl7Message, Hl7Segment } from './hl7-message.js';
import { refuse } from './hl7-refusal.js';
import { timeOf } from './hl7-time.js';

export interface ConsentStatement {
  readonly kinds: readonly ObjectionKind[];
  readonly isObjecting: boolean;
  /** When the patient said so. @unit ms */
  readonly saidMs: number;
  /** Until when it holds; absent: until another word. @unit ms */
  readonly untilMs?: number;
}
export interface ConsentSettings {
  readonly timeZone: string;
  readonly consent: {
    readonly types: Readonly<Record<string, readonly ObjectionKind[]>>;
    readonly protection: readonly ObjectionKind[];
  };
}

/** Table 0498. A limited, pending or bypassed consent is none and no objection either. */
const STATUSES: Readonly<Record<string, boolean | undefined>> = {
  ...{ A: false, R: true, X: true },
  ...{ L: undefined, P: undefined, B: undefined },
};

/** @param happenedMs of the message, where the segment has no time of its own */
export function consentStatements(
  message: Hl7Message,
  happenedMs: number,
  settings: ConsentSettings,
): ConsentStatement[] {
  const said = message
    .all('CON')
    .flatMap((segment) => consentOf(segment, happenedMs, settings) ?? []);
  const { protection } = settings.consent;
  const indicator = message.first('PD1')?.text(12) ?? '';
  if (protection.length === 0 || indicator === '') return said;
  if (indicator !== 'Y' && indicator !== 'N') refuse(103, message.first('PD1')!.place(12));
  return [...said, { kinds: protection, isObjecting: indicator === 'Y', saidMs: happenedMs }];
}

/** CON-16; a day is over when it ends. */
function endOf(segment: Hl7Segment, timeZone: string): number | undefined {
  const [text, place] = [segment.text(16), segment.place(16)];
  if (text === '') return undefined;
  const isDay = /^\d{8}$/.test(text);
  return isDay ? timeOf(`${text}235959`, timeZone, place) + 1_000 : timeOf(text, timeZone, place);
}

function consentOf(
  segment: Hl7Segment,
  happenedMs: number,
  { timeZone, consent }: ConsentSettings,
): ConsentStatement | undefined {
  const type = segment.text(2);
  const kinds = Object.hasOwn(consent.types, type) ? consent.types[type] : undefined;
  if (!kinds) return undefined;
  const status = segment.required(11);
  if (!Object.hasOwn(STATUSES, status)) return refuse(103, segment.place(11));
  const isObjecting = STATUSES[status];
  if (isObjecting === undefined) return undefined;
  const time = (field: number): number | undefined => {
    const text = segment.text(field);
    return text === '' ? undefined : timeOf(text, timeZone, segment.place(field));
  };
  const [decidedMs, untilMs] = [time(14) ?? time(13), endOf(segment, timeZone)];
  return {
    ...{ kinds, isObjecting, saidMs: decidedMs ?? happenedMs },
    ...(untilMs !== undefined && { untilMs }),
  };
}
