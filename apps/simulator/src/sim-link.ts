/**
 * SimLink: the line between one gateway and the hub.
 * Decides what becomes of each call: it takes its time, is done twice, is cut on the way there or
 * on the way back, or hangs with nobody saying so until its deadline (half-open).
 * Invariants: a caller hears PEER_UNAVAILABLE or an answer, never both; what the hub did stays done
 * when the answer is lost; the hub is called as a life of its own, and never once it has ended.
 * Source: reliability specification 3 (network cut, half-open, latency, reset).
 */
import { AifiError } from '@aifi/shared-kernel';
import type { Random } from './random.js';
import { never, type Life, type Scheduled, type World } from './world.js';

/** A call that hears nothing gives up: keepalive of 20 s and its time-out of 10 s. @unit ms */
const SILENCE_MS_MAX = 30_000;
/** A call that is done twice is done again within this time. @unit ms */
const TWICE_MS_MAX = 20_000;

export interface LinkTroubles {
  /** Calls that are cut, either way. */
  readonly cut: number;
  /** Calls that the hub gets twice. */
  readonly twice: number;
  /** @unit ms */
  readonly latencyMsMax: number;
}

export class SimLink {
  isDown = false;
  /** Down, and nobody says so. */
  isSilent = false;
  /** Streams that are open on it. */
  readonly streams = new Set<{ break(): void }>();

  constructor(
    private readonly world: World,
    private readonly random: Random,
    private readonly troubles: () => LinkTroubles,
    /** The hub as it is now; undefined while it is not running. */
    private readonly hub: () => Life | undefined,
  ) {}

  get #isCut(): boolean {
    return this.isDown || this.random.chance(this.troubles().cut);
  }
  #latencyMs(): number {
    return this.random.int(1, this.troubles().latencyMsMax);
  }
  /** What one message takes; undefined: the line is cut now. @unit ms */
  latencyMs(): number | undefined {
    return this.#isCut ? undefined : this.#latencyMs();
  }
  /** The line goes away, or comes back; streams on it end when it goes. */
  set(state: 'up' | 'down' | 'silent'): void {
    this.isDown = state !== 'up';
    this.isSilent = state === 'silent';
    if (!this.isDown) return;
    for (const stream of this.streams) stream.break();
    this.streams.clear();
  }

  /** Calls the hub from that life of the gateway. */
  call<T>(caller: Life, work: () => Promise<T>): Promise<T> {
    const { world } = this;
    if (!caller.isAlive) return never();
    return new Promise<T>((resolve, reject) => {
      const call = new Call<T>(world, caller, { resolve, reject });
      const fail = (): void => {
        // A line that is silently gone is found by the silence.
        if (!this.isSilent) call.fails(this.#latencyMs());
      };
      const answer = (hub: Life, settle: () => void): void => {
        if (!hub.isAlive || this.#isCut) fail();
        else settle();
      };
      const arrive = (isAnswered: boolean): void => {
        const hub = this.hub();
        if (!hub || this.isDown) return fail();
        hub.onEnd.push(fail);
        world.in(0, hub, () => {
          work().then(
            (value) => isAnswered && answer(hub, () => call.answers(this.#latencyMs(), value)),
            (error: Error) =>
              isAnswered && answer(hub, () => call.refuses(this.#latencyMs(), error)),
          );
        });
      };
      if (this.#isCut) return fail();
      world.in(this.#latencyMs(), undefined, () => arrive(true));
      if (this.random.chance(this.troubles().twice)) {
        world.in(this.random.int(1, TWICE_MS_MAX), undefined, () => arrive(false));
      }
    });
  }
}

/** A call under way: it is settled once, in the life of who called. */
class Call<T> {
  #isSettled = false;
  readonly #silence: Scheduled;

  constructor(
    private readonly world: World,
    private readonly caller: Life,
    private readonly promise: {
      readonly resolve: (value: T) => void;
      readonly reject: (error: Error) => void;
    },
  ) {
    this.#silence = world.in(SILENCE_MS_MAX, caller, () => this.fails(0));
  }
  answers(delayMs: number, value: T): void {
    this.#settle(delayMs, () => this.promise.resolve(value));
  }
  refuses(delayMs: number, error: Error): void {
    this.#settle(delayMs, () => this.promise.reject(error));
  }
  fails(delayMs: number): void {
    this.refuses(delayMs, new AifiError('PEER_UNAVAILABLE', 'the link broke'));
  }
  #settle(delayMs: number, done: () => void): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.#silence.cancel();
    this.world.in(delayMs, this.caller, done);
  }
}
