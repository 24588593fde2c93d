/**
 * Refusals of HL7 messages: the codes of table 0357 that we answer, and what each means.
 * Decides AE or AR: AE for what is wrong in the message, which the same message again will not
 * change; AR for what this system does not take, or cannot take just now.
 * Invariant: words are those of the table; where it went wrong is a position, never a value.
 * Source: HL7 v2 chapter 2, 2.9.2 (acknowledgement), 2.14.5 (ERR), table 0357.
 */
import { AifiError } from '@aifi/shared-kernel';

export const CONDITIONS = {
  0: 'Message accepted',
  100: 'Segment sequence error',
  101: 'Required field missing',
  102: 'Data type error',
  103: 'Table value not found',
  104: 'Value too long',
  200: 'Unsupported message type',
  201: 'Unsupported event code',
  202: 'Unsupported processing id',
  203: 'Unsupported version id',
  204: 'Unknown key identifier',
  205: 'Duplicate key identifier',
  207: 'Application internal error',
} as const;
export type Condition = keyof typeof CONDITIONS;

/** Where in the message: segment, its number among those of its name, field, repetition. */
export interface Place {
  readonly segment: string;
  readonly occurrence?: number;
  readonly field?: number;
  readonly repetition?: number;
  readonly component?: number;
}
export interface Refusal {
  readonly condition: Condition;
  readonly place?: Place | undefined;
}

/** Refused for the kind of message or for our own state: not for its content. */
const REJECTIONS: ReadonlySet<Condition> = new Set<Condition>([200, 201, 202, 203, 207]);
export const answerTo = (condition: Condition): 'AA' | 'AE' | 'AR' => {
  if (condition === 0) return 'AA';
  return REJECTIONS.has(condition) ? 'AR' : 'AE';
};

/** Carries a refusal through the one exception class. */
class RefusedBecause {
  constructor(readonly refusal: Refusal) {}
}

export function refuse(condition: Condition, place?: Place): never {
  const cause = new RefusedBecause({ condition, place });
  throw new AifiError('INVALID_ARGUMENT', `HL7: ${CONDITIONS[condition]}`, { cause });
}

/** Why a message was not taken; a fault of ours is 207, and the sender may try again. */
export function refusalIn(error: unknown): Refusal {
  const { code, cause } = AifiError.from(error);
  if (cause instanceof RefusedBecause) return cause.refusal;
  if (code === 'INVALID_ARGUMENT') return { condition: 102 };
  if (code === 'STATE_CONFLICT') return { condition: 205 };
  return { condition: 207 };
}
