/**
 * AttemptLimit: the retry budget of one PACS, over all rows, probes and lanes.
 * Decides whether another try may begin. Invariants, for every window of a minute: at most six
 * tries fail, whatever the PACS does and however many rows wait; at most six tries are charged
 * (second and later tries of a row, probes, all while the breaker is half-open), failed or not.
 * First tries of rows that succeed cost nothing. Units: monotonic milliseconds.
 * Source: reliability specification 3 (no retry storm: at most 6 attempts a minute), H15.
 */
import type { Clock } from '@aifi/shared-kernel';

const ATTEMPTS_MAX = 6;
/** @unit ms */
const WINDOW_MS = 60_000;

/** A try in hand. */
export interface Attempt {
  /** To be called once. */
  end(isFailed: boolean): void;
}
interface Entry {
  /** When it began, or when it failed if that is later. */
  atMs: number;
  readonly isCharged: boolean;
  isOver: boolean;
  isFailed: boolean;
}

export class AttemptLimit {
  #entries: Entry[] = [];

  constructor(private readonly clock: Clock) {}

  /** Whether a try may begin; a try in hand counts as failed until it has ended. */
  mayBegin(isCharged: boolean): boolean {
    const recent = this.#recent();
    const failing = recent.filter((entry) => entry.isFailed || !entry.isOver).length;
    return (isCharged ? recent.length : failing) < ATTEMPTS_MAX;
  }

  begin(isCharged: boolean): Attempt {
    const entry: Entry = {
      ...{ atMs: this.clock.monotonicMs(), isCharged },
      ...{ isOver: false, isFailed: false },
    };
    this.#entries.push(entry);
    return {
      end: (isFailed) => {
        Object.assign(entry, { isOver: true, isFailed });
        if (isFailed) entry.atMs = this.clock.monotonicMs();
      },
    };
  }

  /** What still counts: tries in hand, and of the last minute the charged and the failed ones. */
  #recent(): Entry[] {
    const afterMs = this.clock.monotonicMs() - WINDOW_MS;
    this.#entries = this.#entries.filter(
      ({ atMs, isCharged, isOver, isFailed }) =>
        !isOver || (atMs > afterMs && (isCharged || isFailed)),
    );
    return this.#entries;
  }
}
