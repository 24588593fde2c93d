/**
 * SimClock: the clock of one process in virtual time.
 * Decides that a process which has had nothing to do for a while looks less and less often: each
 * such look finds nothing, and a slow machine may look as seldom. As soon as its database changes,
 * it looks as often as its code says.
 * Invariants: a sleep is never shorter than asked; wall time may be wrong, monotonic time is not.
 */
import type { Clock } from '@aifi/shared-kernel';
import { never, type Life, type Scheduled, type World } from './world.js';

/** The wall clock of a schedule begins here. @unit ms */
export const EPOCH_MS = 1_800_000_000_000;
/** Longest sleep that is taken for a look. @unit ms */
const LOOK_MS_MAX = 10_000;
/**
 * A look comes so much later than asked for, by the life: bells carry the work, looks only find
 * retries, and a look that finds nothing takes as long as work.
 */
export const PACES = [4, 20, 20, 60] as const;
/** Looks of a process with work come at least so often. @unit ms */
const NOMINAL_MS_MAX = 60_000;
/** Looks of an idle process come at least so often. @unit ms */
const IDLE_MS_MAX = 120_000;

interface Sleeper {
  readonly nominalMs: number;
  event: Scheduled;
  readonly wake: () => void;
}

export class SimClock implements Clock {
  readonly #sleepers = new Set<Sleeper>();
  /** What takes a sleep back off its signal: Node.js keeps a signal that somebody listens to. */
  readonly #listening = new Set<() => void>();
  #activeMs: number;

  constructor(
    private readonly world: World,
    private readonly life: Life,
    /** How wrong the wall clock of this machine is just now. @unit ms */
    private readonly skewMs: () => number = () => 0,
    /** How many times later than asked for it looks. */
    private readonly pace: number = PACES[0],
  ) {
    this.#activeMs = world.nowMs;
    life.onEnd.push(() => {
      for (const leave of this.#listening) leave();
    });
  }

  nowMs(): number {
    return Math.floor(EPOCH_MS + this.world.nowMs + this.skewMs());
  }
  monotonicMs(): number {
    return this.world.nowMs;
  }

  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    const { world, life } = this;
    if (!life.isAlive) return never();
    if (signal?.aborted) return Promise.resolve();
    const idleMs = world.nowMs - this.#activeMs;
    const isLook = delayMs <= LOOK_MS_MAX;
    const nominalMs = Math.max(delayMs, Math.min(NOMINAL_MS_MAX, this.pace * delayMs));
    const lookMs = Math.max(nominalMs, Math.min(IDLE_MS_MAX, idleMs));
    const sleptMs = isLook ? lookMs : delayMs;
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#sleepers.delete(sleeper);
        leave();
        resolve();
      };
      const leave = (): void => {
        this.#listening.delete(leave);
        signal?.removeEventListener('abort', abort);
      };
      const sleeper: Sleeper = {
        nominalMs,
        event: world.in(sleptMs, life, wake),
        wake,
      };
      const abort = (): void => {
        sleeper.event.cancel();
        wake();
      };
      if (isLook) this.#sleepers.add(sleeper);
      if (!signal) return;
      signal.addEventListener('abort', abort);
      this.#listening.add(leave);
    });
  }

  /** The process has something to do: it looks again as often as its code says. */
  stir(): void {
    const { world, life } = this;
    this.#activeMs = world.nowMs;
    for (const sleeper of this.#sleepers) {
      if (sleeper.event.atMs <= world.nowMs + sleeper.nominalMs) continue;
      sleeper.event.cancel();
      sleeper.event = world.in(sleeper.nominalMs, life, sleeper.wake);
    }
  }
}
