/**
 * Statistics of repeated measurements.
 * Decides that a figure is a median with its whole spread: with a handful of rounds on a shared
 * machine, a mean or a deviation would claim more than is known.
 */
import { AifiError } from '@aifi/shared-kernel';

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export function spreadOf(values: readonly number[]): Spread {
  if (values.length === 0) throw new AifiError('INVALID_ARGUMENT', 'nothing was measured');
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle]!;
  const median = sorted.length % 2 === 1 ? upper : (sorted[middle - 1]! + upper) / 2;
  return { median, min: sorted[0]!, max: sorted.at(-1)! };
}

/** Quotients of measurements of the same round: what slows a round slows both of its sides. */
export function ratioOf(values: readonly number[], base: readonly number[]): Spread {
  if (values.length !== base.length) {
    throw new AifiError('INVALID_ARGUMENT', 'a ratio needs both sides of every round');
  }
  return spreadOf(values.map((value, round) => value / base[round]!));
}
