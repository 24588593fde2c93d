/**
 * One way from a C-STORE sender to a store behind a de-identifying middleman, as it is measured.
 * Decides what is compared: the time until the far side has every object, what the middleman and
 * the far side spend on it, and the memory of the middleman. Invariant: a way whose objects are not
 * all there is an error, never a fast one.
 */
import type { CtObjects, SentObject } from '../receive/ct-objects.js';

export interface PathFacts {
  readonly name: string;
  readonly how: string;
}
export interface PathCost {
  /** From the first association that is asked for. @unit s */
  readonly seconds: number;
  /** Less the wait of a quiet timer in which nothing else is done; the same where none is. */
  readonly secondsWithoutQuiet: number;
  /** Process trees. @unit ms */
  readonly nearProcessorMs: number;
  readonly farProcessorMs: number;
  /** High-water marks of the middleman's processes so far, one each. @unit bytes */
  readonly nearResidentPeaks: readonly number[];
  /** Where they are known. */
  readonly legs?: Legs;
}
/** Legs of the way, one after the other. @unit s */
export type Legs = Readonly<Record<string, number>>;
export interface PathWay {
  readonly facts: PathFacts;
  measure(objects: CtObjects, sent: readonly SentObject[]): Promise<PathCost>;
  stop(): Promise<void>;
}
