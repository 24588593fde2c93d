/**
 * TokenBucket: how fast a PACS gets work that it does answer.
 * Decides whether the next object may begin now. Invariant: in any time t at most burst +
 * perSecond x t tokens are taken; nothing waits inside, the caller looks again later.
 * Units: monotonic time of the clock, tokens. Source: reliability specification H15 (token bucket).
 */
import type { Clock } from '@aifi/shared-kernel';

export interface Rate {
  readonly perSecond: number;
  /** Tokens after a pause. */
  readonly burst: number;
}

export class TokenBucket {
  #tokens: number;
  #atMs: number;

  constructor(
    private readonly clock: Clock,
    private readonly rate: Rate,
  ) {
    this.#tokens = rate.burst;
    this.#atMs = clock.monotonicMs();
  }

  /** True when there was a token, which is then gone. */
  take(): boolean {
    const nowMs = this.clock.monotonicMs();
    const { perSecond, burst } = this.rate;
    this.#tokens = Math.min(burst, this.#tokens + ((nowMs - this.#atMs) * perSecond) / 1_000);
    this.#atMs = nowMs;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
