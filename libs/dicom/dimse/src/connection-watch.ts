/**
 * ConnectionWatch: ends an association whose peer brings nothing, or next to nothing.
 * Decides what progress is: in each whole minute a message that is complete, or a number of bytes.
 * Invariant: time in which the peer waits for us is not held against it.
 * Source: reliability specification F4; security specification 4 (slow senders).
 */
import type { Clock } from '@aifi/shared-kernel';

/** Time in which a peer must get on. @unit ms */
export const PROGRESS_WINDOW_MS = 60_000;
/** Bytes in that time: 0.5 KiB/s, a hundredth of the slowest link in use. @unit bytes */
export const PROGRESS_BYTES_MIN = 32 * 1024;

export class ConnectionWatch {
  #heardBytes = 0;
  #isMessageDone = false;
  #busySinceMs: number | undefined;
  #busyMs = 0;

  constructor(private readonly clock: Clock) {}

  heard(bytes: number): void {
    this.#heardBytes += bytes;
  }
  messageDone(): void {
    this.#isMessageDone = true;
  }
  /** The peer waits for us from here to `waited`. */
  waiting(): void {
    this.#busySinceMs = this.clock.monotonicMs();
  }
  waited(): void {
    if (this.#busySinceMs !== undefined) {
      this.#busyMs += this.clock.monotonicMs() - this.#busySinceMs;
    }
    this.#busySinceMs = undefined;
  }

  /** Resolves when the peer did not get on, or when the signal aborts. */
  async stalled(over: AbortSignal): Promise<void> {
    for (;;) {
      await this.clock.sleep(PROGRESS_WINDOW_MS, over);
      if (over.aborted || !this.#endWindow()) return;
    }
  }

  /** False when the window that ends here brought nothing. */
  #endWindow(): boolean {
    const isOurs = this.#busySinceMs !== undefined || this.#busyMs > PROGRESS_WINDOW_MS / 2;
    const isProgress = this.#isMessageDone || this.#heardBytes >= PROGRESS_BYTES_MIN;
    this.#heardBytes = 0;
    this.#isMessageDone = false;
    this.#busyMs = 0;
    return isOurs || isProgress;
  }
}
