/**
 * Stage: the shape that every stage of the pipeline has towards the app that wires it.
 * Decides how stages run side by side: each polls its own durable input and is woken by the one
 * before it, so that a lost wake-up costs time and never a study.
 * Invariant: a stage holds no work in memory that its tables do not hold as well.
 */
import type { Clock } from './clock.js';

export interface Stage {
  readonly name: string;
  /** Runs until the signal aborts; resolves when its work in hand is finished or put back. */
  run(signal: AbortSignal): Promise<void>;
}

/** A bell between stages: notify() ends the current or the next wait(). */
export class Wake {
  #rung = false;
  #waiting: (() => void) | undefined;

  notify(): void {
    this.#rung = true;
    this.#waiting?.();
  }
  /** Resolves when rung, aborted or after `timeoutMs`. */
  async wait(clock: Clock, timeoutMs: number, signal: AbortSignal): Promise<void> {
    if (!this.#rung && !signal.aborted) {
      const bell = new AbortController();
      this.#waiting = () => bell.abort();
      await clock.sleep(timeoutMs, AbortSignal.any([signal, bell.signal]));
      this.#waiting = undefined;
    }
    this.#rung = false;
  }
}

export interface PollingOptions {
  readonly name: string;
  readonly clock: Clock;
  readonly wake: Wake;
  /** Longest wait between two looks at the input. @unit ms */
  readonly intervalMs: number;
  /** Handles what is pending and says how many items that was. Must not throw for one bad item. */
  readonly runOnce: (signal: AbortSignal) => Promise<number>;
  /** Called with a fault of runOnce; the loop goes on after `intervalMs`. */
  readonly onFault: (error: unknown) => void;
}

/** A stage that looks at its input again and again. */
export function pollingStage(options: PollingOptions): Stage {
  const { name, clock, wake, intervalMs, runOnce, onFault } = options;
  const run = async (signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      let handled = 0;
      try {
        handled = await runOnce(signal);
      } catch (error) {
        onFault(error);
      }
      if (handled === 0) await wake.wait(clock, intervalMs, signal);
    }
  };
  return { name, run };
}
