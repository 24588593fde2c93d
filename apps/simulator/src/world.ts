/**
 * World: virtual time, and whose turn it is.
 * Decides the order of everything that happens: events by their time, then by the order in which
 * they were asked for. Between two events all that follows from the first has run to its end, so an
 * event is what one process does until it waits again.
 * Invariants: nothing waits for real time; an event of a life that has ended never happens; equal
 * seeds give equal orders.
 */
import type { Random } from './random.js';

interface Event {
  readonly atMs: number;
  readonly order: number;
  readonly life: Life | undefined;
  readonly happen: () => void;
  isCancelled: boolean;
}
export interface Scheduled {
  readonly atMs: number;
  cancel(): void;
}

/** One run of a process, from its start to its end. */
export class Life {
  isAlive = true;
  /** Called when it ends. */
  readonly onEnd: (() => void)[] = [];

  /** `node`: of which machine. */
  constructor(readonly node: string) {}

  end(): void {
    this.isAlive = false;
    for (const heard of this.onEnd) heard();
  }
}

/** Nothing real takes so many steps; what does goes round in circles. */
const EVENTS_MAX = 400_000;

export class World {
  nowMs = 0;
  /** Who is running just now; undefined: the world itself. */
  current: Life | undefined;
  events = 0;
  readonly #heap: Event[] = [];
  #order = 0;

  constructor(
    readonly random: Random,
    /** Hears of what happens, when somebody wants to know. */
    readonly trace: ((line: string) => void) | undefined = undefined,
  ) {}

  note(what: string): void {
    this.trace?.(`${(this.nowMs / 1_000).toFixed(3)} ${what}`);
  }

  /** Happens after `delayMs`, unless that life has ended by then. */
  in(delayMs: number, life: Life | undefined, happen: () => void): Scheduled {
    const event: Event = {
      atMs: this.nowMs + Math.max(0, delayMs),
      order: this.#order,
      ...{ life, happen, isCancelled: false },
    };
    this.#order += 1;
    this.#push(event);
    return { atMs: event.atMs, cancel: () => void (event.isCancelled = true) };
  }

  /** What a process waits for: nothing comes of it when its life has ended meanwhile. */
  wait(delayMs: number, life: Life): Promise<void> {
    if (!life.isAlive) return never();
    return new Promise((resolve) => this.in(delayMs, life, resolve));
  }

  /** Runs until `isDone`, the time is over, or nothing is left to happen. */
  async run(untilMs: number, isDone: () => boolean = () => false): Promise<void> {
    while (!isDone()) {
      const event = this.#heap[0];
      if (!event || event.atMs > untilMs) {
        this.nowMs = Math.max(this.nowMs, untilMs);
        return;
      }
      this.#pop();
      if (event.isCancelled || event.life?.isAlive === false) continue;
      this.events += 1;
      if (this.events > EVENTS_MAX) throw new Error('the schedule does not come to an end');
      this.nowMs = event.atMs;
      this.current = event.life;
      try {
        event.happen();
      } catch (error) {
        if (!(error instanceof Died)) throw error;
      }
      await new Promise<void>((resolve) => void setImmediate(resolve));
      this.current = undefined;
    }
  }

  #push(event: Event): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(event);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(event, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = event;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop()!;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child += 1;
      if (!isBefore(heap[child]!, last)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
  }
}

const isBefore = (a: Event, b: Event): boolean =>
  a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);

/**
 * What a process that has died waits for. One of its own for each wait: who waits at a common one
 * would be kept by it for ever.
 */
export const never = (): Promise<never> => new Promise(() => undefined);

/** Unwinds the code that was running when its process died; what it does after is of no effect. */
export class Died extends Error {
  constructor() {
    super('the process has died');
  }
}
