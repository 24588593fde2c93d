/**
 * Clock: the port through which code reads time and waits.
 * Decides that wall time is for records and monotonic time for time-outs, and that both can be
 * faked.
 * Invariant: no stage calls Date.now or setTimeout itself.
 */
export interface Clock {
  /** Wall clock, milliseconds since the epoch. For records, never for order or time-outs. */
  nowMs(): number;
  /** Monotonic milliseconds from an arbitrary origin. For time-outs. */
  monotonicMs(): number;
  /** Resolves after `delayMs` of monotonic time, or at once when the signal aborts. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep: (delayMs, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const done = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, delayMs);
      signal?.addEventListener('abort', done);
    }),
};
