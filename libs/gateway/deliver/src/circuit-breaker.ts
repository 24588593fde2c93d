/**
 * CircuitBreaker: protects a PACS that is down or overloaded from our retries.
 * Decides when to stop asking and when to look again: five failures in a row open it, a C-ECHO that
 * is answered makes it half-open, and only a C-STORE that is answered closes it: a PACS that
 * answers an echo but has no space must not be stormed. Units: monotonic milliseconds.
 * Source: reliability specification P6 (opens after 5 failures, C-ECHO each 30 s), H15.
 */
import type { Clock } from '@aifi/shared-kernel';

const FAILURES_MAX = 5;
/** @unit ms */
const PROBE_INTERVAL_MS = 30_000;

/** closed: go on; open: wait; probe: send one C-ECHO; half-open: one delivery is tried. */
export type BreakerState = 'closed' | 'open' | 'probe' | 'half-open';

export class CircuitBreaker {
  #failures = 0;
  #isHalfOpen = false;
  #nextProbeMs = 0;

  constructor(private readonly clock: Clock) {}

  /** A C-STORE was answered by a PACS that works. */
  succeeded(): void {
    this.#failures = 0;
    this.#isHalfOpen = false;
  }
  /** The C-ECHO of a probe was answered. */
  probed(): void {
    this.#isHalfOpen = this.#failures >= FAILURES_MAX;
  }
  /** True when this failure opened it. */
  failed(): boolean {
    const wasClosed = this.#failures < FAILURES_MAX;
    this.#failures += 1;
    this.#isHalfOpen = false;
    if (this.#failures < FAILURES_MAX) return false;
    this.#nextProbeMs = this.clock.monotonicMs() + PROBE_INTERVAL_MS;
    return wasClosed;
  }
  get state(): BreakerState {
    if (this.#failures < FAILURES_MAX) return 'closed';
    if (this.#isHalfOpen) return 'half-open';
    return this.clock.monotonicMs() < this.#nextProbeMs ? 'open' : 'probe';
  }
}
