/**
 * AttributeMemo: what was decided about the attributes of the header before.
 * Decides when a decision may be used again: the slices of a series differ in a dozen of some
 * hundred attributes, and the rest would be decided alike again. Invariants: an answer is used for
 * the same bytes of the same attribute only, in a header for which everything that a decision
 * depends on is the same; texts are told to the sweep again, which counts them; what depends on
 * other attributes or on UIDs is never remembered; memory is bounded.
 */
import type { DicomDataset, DicomElement } from '@aifi/dicom-core';
import type { ReportedAction } from './action-report.js';
import type { DeidentificationContext } from './deidentification-context.js';
import type { KeepList } from './keep-list.js';
import type { KnownIdentifiers } from './known-identifiers.js';

/** All that a decision depends on, but the attribute itself. */
export interface DecisionBasis {
  /** Of one family, as one contract narrows it. */
  readonly list: KeepList;
  readonly known: KnownIdentifiers;
  /** Joined. */
  readonly characterSets: string;
  readonly offsetDays: number;
  readonly isExamined: boolean;
}
export interface Decision {
  readonly received: DicomElement;
  readonly done: ReportedAction;
  /** What came of it; undefined when nothing did. */
  readonly output: DicomElement | undefined;
  /** Texts that were looked through. */
  readonly texts: readonly string[];
}

/** Their decision depends on nothing but their own value and the basis. */
const VRS: ReadonlySet<string> = new Set('CS DA DS DT IS LO LT SH ST TM UT'.split(' '));
const ENTRIES_MAX = 1_000;
/** A longer value costs more to keep than it is worth. @unit bytes */
const VALUE_MAX = 256;

export class AttributeMemo {
  readonly #decisions = new Map<number, Decision>();
  #basis: DecisionBasis | undefined;

  /** Forgets everything that was decided on another basis. */
  on(basis: DecisionBasis): this {
    if (!this.#basis || !isSameBasis(this.#basis, basis)) this.#decisions.clear();
    this.#basis = basis;
    return this;
  }

  isFor({ vr, value }: DicomElement): boolean {
    return value.length <= VALUE_MAX && VRS.has(vr);
  }

  find({ tag, vr, value }: DicomElement): Decision | undefined {
    const decision = this.#decisions.get(tag);
    if (decision?.received.vr !== vr) return undefined;
    return haveSameBytes(decision.received.value, value) ? decision : undefined;
  }

  keep(decision: Decision): void {
    if (this.#decisions.size >= ENTRIES_MAX) this.#decisions.clear();
    this.#decisions.set(decision.received.tag, decision);
  }
}

/** One for each context: of one job, and gone with it. */
const memos = new WeakMap<DeidentificationContext, AttributeMemo>();

export function memoOf(context: DeidentificationContext): AttributeMemo {
  let memo = memos.get(context);
  if (!memo) memos.set(context, (memo = new AttributeMemo()));
  return memo;
}

function isSameBasis(one: DecisionBasis, other: DecisionBasis): boolean {
  return (
    one.list === other.list &&
    one.known === other.known &&
    one.characterSets === other.characterSets &&
    one.offsetDays === other.offsetDays &&
    one.isExamined === other.isExamined
  );
}

export function haveSameBytes(
  one: Uint8Array | readonly DicomDataset[],
  other: Uint8Array | readonly DicomDataset[],
): boolean {
  if (!(one instanceof Uint8Array) || !(other instanceof Uint8Array)) return false;
  if (one.length !== other.length) return false;
  // Values of headers are short: calling out to compare them would take longer.
  for (let at = 0; at < one.length; at += 1) if (one[at] !== other[at]) return false;
  return true;
}
