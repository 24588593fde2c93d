/**
 * SeenOnce: identifiers that may be used one time, remembered for as long as they could be.
 * Decides that a second use is found. Invariant: bounded: when full, the one that expires first is
 * forgotten; only what a signature or seal has proven genuine may be added.
 * Source: OpenID Connect Back-Channel Logout 1.0, 2.6 (jti); RFC 6749 10.12 (state).
 */
import type { Clock } from '@aifi/shared-kernel';

/** More than a hospital's staff in the minutes that an identifier lives. */
const REMEMBERED_MAX = 20_000;

export class SeenOnce {
  /** Expiry by identifier, in the order of insertion. */
  readonly #untilMs = new Map<string, number>();

  constructor(
    private readonly clock: Clock,
    private readonly lifeMs: number,
  ) {}

  has(id: string): boolean {
    const untilMs = this.#untilMs.get(id);
    return untilMs !== undefined && untilMs > this.clock.nowMs();
  }
  /** False: it has been used before. */
  use(id: string): boolean {
    if (this.has(id)) return false;
    const nowMs = this.clock.nowMs();
    for (const [old, untilMs] of this.#untilMs) {
      if (untilMs > nowMs && this.#untilMs.size < REMEMBERED_MAX) break;
      this.#untilMs.delete(old);
    }
    this.#untilMs.set(id, nowMs + this.lifeMs);
    return true;
  }
}
