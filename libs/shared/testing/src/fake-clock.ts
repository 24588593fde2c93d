/**
 * FakeClock: time that a test moves by hand.
 * Decides that no test waits for real time to pass.
 */
import type { Clock } from '@aifi/shared-kernel';

export class FakeClock implements Clock {
  #sleepers: { readonly atMs: number; readonly wake: () => void }[] = [];
  constructor(private timeMs = 1_700_000_000_000) {}

  nowMs(): number {
    return this.timeMs;
  }
  monotonicMs(): number {
    return this.timeMs;
  }
  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      signal?.addEventListener('abort', () => resolve());
      this.#sleepers.push({ atMs: this.timeMs + delayMs, wake: resolve });
    });
  }
  /** Moves time forward and wakes who is due. */
  advance(byMs: number): void {
    this.timeMs += byMs;
    const due = this.#sleepers.filter((s) => s.atMs <= this.timeMs);
    this.#sleepers = this.#sleepers.filter((s) => s.atMs > this.timeMs);
    for (const { wake } of due) wake();
  }
}
