/**
 * ObjectProgress: whether a gateway makes use of the slot that it holds.
 * Decides that an object in hand grows by 64 KiB, or comes to its end, within a minute: a byte now
 * and then, or words that say only "here", keep a slot from other sites for ever otherwise.
 * Invariants: time in which the gateway waits for us is not counted; no clock but the monotonic
 * one. Source: reliability specification H14 (fair scheduling), F7.
 */
import type { Clock } from '@aifi/shared-kernel';

/** Bytes of an object, unpacked: compressed chunks can be large and hold nothing. @unit bytes */
export const PROGRESS_BYTES_MIN = 64 * 1024;
/** In which they come. @unit ms */
export const PROGRESS_MS_MAX = 60_000;
/** Between two looks. @unit ms */
export const PROGRESS_LOOK_MS = 5_000;

/** What is awaited of a gateway. */
export interface Growing {
  readonly sizeBytes: number;
}

export class ObjectProgress {
  #awaited: Growing | undefined;
  #fromBytes = 0;
  #fromMs = 0;
  /** Since when the gateway waits for us. */
  #oursFromMs: number | undefined;

  constructor(private readonly clock: Pick<Clock, 'monotonicMs'>) {}

  /** From here on the gateway waits for us. */
  pause(): void {
    this.#oursFromMs ??= this.clock.monotonicMs();
  }
  /** From here on we wait for the gateway. */
  resume(): void {
    if (this.#oursFromMs === undefined) return;
    this.#fromMs += this.clock.monotonicMs() - this.#oursFromMs;
    this.#oursFromMs = undefined;
  }

  /** To be asked at every look, with what is awaited then: the same thing is the same object. */
  isStalled(awaited: Growing | undefined): boolean {
    if (this.#oursFromMs !== undefined) return false;
    const nowMs = this.clock.monotonicMs();
    const isSame = awaited !== undefined && awaited === this.#awaited;
    if (isSame && awaited.sizeBytes - this.#fromBytes < PROGRESS_BYTES_MIN) {
      return nowMs - this.#fromMs >= PROGRESS_MS_MAX;
    }
    this.#awaited = awaited;
    this.#fromBytes = awaited?.sizeBytes ?? 0;
    this.#fromMs = nowMs;
    return false;
  }
}
