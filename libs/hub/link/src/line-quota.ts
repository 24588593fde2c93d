/**
 * LineQuota: how often one fault is logged.
 * Decides that each code has ten lines a minute, so that who may connect and is refused, or anybody
 * at all, cannot fill the log; the counters still count each one.
 * Invariant: bounded memory, as the codes are those of the catalogue. Source: reliability H14.
 */
import type { Clock } from '@aifi/shared-kernel';

const LINES_MAX = 10;
const WINDOW_MS = 60_000;

export class LineQuota {
  #lines = new Map<string, number>();
  #startedAtMs: number;

  constructor(private readonly clock: Clock) {
    this.#startedAtMs = clock.monotonicMs();
  }

  /** Counts a line; false: there were enough of this code. */
  allows(code: string): boolean {
    const nowMs = this.clock.monotonicMs();
    if (nowMs - this.#startedAtMs >= WINDOW_MS) {
      this.#lines = new Map();
      this.#startedAtMs = nowMs;
    }
    const count = (this.#lines.get(code) ?? 0) + 1;
    this.#lines.set(code, count);
    return count <= LINES_MAX;
  }
}
