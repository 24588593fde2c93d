/**
 * AddressRate: how often one address may try.
 * Decides with a window that starts anew after a while. Invariant: bounded memory; when too many
 * addresses come at once, all of them wait, so that a flood hides nobody.
 */
import type { Clock } from '@aifi/shared-kernel';

const ADDRESSES_MAX = 10_000;

export class AddressRate {
  #tries = new Map<string, number>();
  #startedAtMs = 0;

  constructor(
    private readonly clock: Clock,
    private readonly limits: { readonly tries: number; readonly windowMs: number },
  ) {}

  /** Counts a try; false: too many. */
  allows(address: string): boolean {
    const { tries, windowMs } = this.limits;
    const nowMs = this.clock.monotonicMs();
    if (nowMs - this.#startedAtMs >= windowMs) {
      this.#tries = new Map();
      this.#startedAtMs = nowMs;
    }
    const count = (this.#tries.get(address) ?? 0) + 1;
    if (count === 1 && this.#tries.size >= ADDRESSES_MAX) return false;
    this.#tries.set(address, count);
    return count <= tries;
  }
}
