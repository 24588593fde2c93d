/**
 * RequestDeadline: how long one request of ours may take.
 * Decides by silence and by a total: a long object is no fault while its bytes move, a peer that
 * trickles is given up all the same. Invariants: no wait is without a deadline (F6); a request that
 * is over costs no timer. Units: monotonic milliseconds of the given clock.
 * Source: reliability specification F6, P6.
 */
import { AifiError, type Clock } from '@aifi/shared-kernel';

export interface DeadlineLimits {
  /** Longest time in which not a byte moves. @unit ms */
  readonly idleMs: number;
  /** Longest time in all. @unit ms */
  readonly totalMs: number;
}

export class RequestDeadline {
  /** Rejects with DEADLINE_EXCEEDED; never settles otherwise. */
  readonly passed: Promise<never>;
  readonly #over = new AbortController();
  readonly #startMs: number;
  #lastMs: number;
  #idleMs: number;

  constructor(
    private readonly clock: Clock,
    private readonly limits: DeadlineLimits,
  ) {
    this.#startMs = clock.monotonicMs();
    this.#lastMs = this.#startMs;
    this.#idleMs = limits.idleMs;
    const { promise, reject } = Promise.withResolvers<never>();
    this.passed = promise;
    // Nobody may be waiting when it passes.
    promise.catch(() => undefined);
    void this.#watch(reject);
  }

  /** Bytes moved. */
  progress(): void {
    this.#lastMs = this.clock.monotonicMs();
  }
  /** From now on the peer may be silent for that much longer. */
  extend(byMs: number): void {
    this.#idleMs = this.limits.idleMs + byMs;
    this.progress();
  }
  stop(): void {
    this.#over.abort();
  }

  async #watch(expire: (error: AifiError) => void): Promise<void> {
    const { signal } = this.#over;
    while (!signal.aborted) {
      const dueMs = Math.min(this.#lastMs + this.#idleMs, this.#startMs + this.limits.totalMs);
      const leftMs = dueMs - this.clock.monotonicMs();
      if (leftMs <= 0) return expire(new AifiError('DEADLINE_EXCEEDED', 'the peer took too long'));
      await this.clock.sleep(leftMs, signal);
    }
  }
}
