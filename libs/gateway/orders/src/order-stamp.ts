/**
 * Stamp: the place of a statement among all statements, as text.
 * Decides the order of what a hospital says: its own time, its sequence number, then the rank of
 * the act (whoever cancels in the second of an order cancels that order), then the message itself.
 * Invariant: the order of stamps as text is that of the statements, whatever the order of arrival.
 */
import { AifiError } from '@aifi/shared-kernel';

export type Stamp = string & { readonly __stamp: true };

/** Digits of 9999-12-31 in ms, and of a sequence number. */
const [TIME_DIGITS, SEQUENCE_DIGITS] = [15, 10];
const RANK_DIGITS = 1;

export interface Statement {
  /** When it was said, by the hospital's clock. @unit ms */
  readonly saidMs: number;
  readonly sequence: number;
  /** Among statements of one moment: 0 to 9. */
  readonly rank: number;
  /** Digest of the message: decides when nothing else does. */
  readonly messageKey: string;
}

export function stampOf({ saidMs, sequence, rank, messageKey }: Statement): Stamp {
  const padded = [
    digits(saidMs, TIME_DIGITS),
    digits(sequence, SEQUENCE_DIGITS),
    digits(rank, RANK_DIGITS),
  ];
  return `${padded.join('.')}.${messageKey}` as Stamp;
}

function digits(value: number, count: number): string {
  const text = String(value);
  if (!/^\d+$/.test(text) || text.length > count) {
    throw new AifiError('INVALID_ARGUMENT', 'a time or sequence number is out of range');
  }
  return text.padStart(count, '0');
}
