/**
 * CircuitBreaker: protects a PACS that is down or overloaded from our retries.
 * Decides when to stop asking and when to look again. Units: monotonic milliseconds.
 * Source: reliability specification P6 (opens after 5 failures, C-ECHO each 30 s), H15.
 */
import type { Clock } from '@aifi/shared-kernel';

const FAILURES_MAX = 5;
/** @unit ms */
const PROBE_INTERVAL_MS = 30_000;

export class CircuitBreaker {
  #failures = 0;
  #nextProbeMs = 0;

  constructor(private readonly clock: Clock) {}

  succeeded(): void {
    this.#failures = 0;
  }
  /** True when this failure opened it. */
  failed(): boolean {
    this.#failures += 1;
    if (this.#failures >= FAILURES_MAX) {
      this.#nextProbeMs = this.clock.monotonicMs() + PROBE_INTERVAL_MS;
    }
    return this.#failures === FAILURES_MAX;
  }
  /** closed: go on; open: wait; probe: send one C-ECHO and report what came of it. */
  get state(): 'closed' | 'open' | 'probe' {
    if (this.#failures < FAILURES_MAX) return 'closed';
    return this.clock.monotonicMs() < this.#nextProbeMs ? 'open' : 'probe';
  }
}
