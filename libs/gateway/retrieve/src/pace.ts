/**
 * Pace: how fast a PACS is asked, whatever waits here.
 * Decides when the next request may begin. Invariant: in any time t at most burst + perMinute x t
 * requests begin. Units: monotonic milliseconds. Source: reliability specification H15.
 */
import type { Clock } from '@aifi/shared-kernel';

const MINUTE_MS = 60_000;

export class Pace {
  #tokens: number;
  #atMs: number;

  constructor(
    private readonly clock: Clock,
    private readonly rate: { readonly perMinute: number; readonly burst: number },
  ) {
    this.#tokens = rate.burst;
    this.#atMs = clock.monotonicMs();
  }

  /** Resolves when the next request may begin; false when `signal` ended the wait. */
  async next(signal: AbortSignal): Promise<boolean> {
    const { perMinute, burst } = this.rate;
    while (!signal.aborted) {
      const nowMs = this.clock.monotonicMs();
      const grown = ((nowMs - this.#atMs) * perMinute) / MINUTE_MS;
      this.#tokens = Math.min(burst, this.#tokens + grown);
      this.#atMs = nowMs;
      if (this.#tokens >= 1) {
        this.#tokens -= 1;
        return true;
      }
      const waitMs = Math.ceil(((1 - this.#tokens) * MINUTE_MS) / perMinute);
      await this.clock.sleep(waitMs, signal);
    }
    return false;
  }
}
