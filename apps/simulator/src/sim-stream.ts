/**
 * SimStream: a stream in both directions between a gateway and the hub.
 * Decides that messages of one direction keep their order and take their time, and how an end is
 * heard: at once where the line says so, after the silence of a keepalive where it does not.
 * Invariants: after its end nothing arrives; an end that one side made is heard by the other.
 * Source: reliability specification P5, 3 (half-open: 20 s keepalive and 10 s time-out).
 */
import { AifiError } from '@aifi/shared-kernel';
import { never, type Life, type World } from './world.js';

/** @unit ms */
const SILENCE_MS_MAX = 30_000;

/** Messages on their way to one side. */
class Direction<T> {
  readonly #waiting: T[] = [];
  #taker: (() => void) | undefined;
  #arrivesMs = 0;
  #ended = false;
  #fault: Error | undefined;

  constructor(
    private readonly world: World,
    private readonly receiver: Life,
  ) {}

  send(message: T, latencyMs: number): void {
    this.#arrivesMs = Math.max(this.#arrivesMs, this.world.nowMs + latencyMs);
    this.world.in(this.#arrivesMs - this.world.nowMs, this.receiver, () => {
      if (this.#ended) return;
      this.#waiting.push(message);
      this.#taker?.();
    });
  }
  end(fault?: Error): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#fault = fault;
    this.#taker?.();
  }
  async *messages(): AsyncGenerator<T> {
    for (;;) {
      const next = this.#waiting.shift();
      if (next !== undefined) yield next;
      else if (this.#ended) {
        if (this.#fault) throw this.#fault;
        return;
      } else await this.#arrival();
    }
  }
  #arrival(): Promise<void> {
    if (!this.receiver.isAlive) return never();
    return new Promise((resolve) => (this.#taker = resolve));
  }
}

export interface StreamParts {
  readonly world: World;
  readonly gateway: Life;
  readonly hub: Life;
  /** What one message takes; undefined: the line is cut now. @unit ms */
  readonly latencyMs: () => number | undefined;
  /** The line is gone and nobody says so. */
  readonly isSilent: () => boolean;
}

export class SimStream<Up, Down> {
  readonly #up: Direction<Up>;
  readonly #down: Direction<Down>;
  readonly #gone = new AbortController();
  #isBroken = false;

  constructor(private readonly parts: StreamParts) {
    const { world, gateway, hub } = parts;
    this.#up = new Direction<Up>(world, hub);
    this.#down = new Direction<Down>(world, gateway);
    gateway.onEnd.push(() => this.break());
    hub.onEnd.push(() => this.break());
  }

  get isBroken(): boolean {
    return this.#isBroken;
  }

  // The gateway's side.
  sendUp(message: Up): void {
    this.#transmit((latencyMs) => this.#up.send(message, latencyMs));
  }
  get received(): AsyncIterable<Down> {
    return this.#down.messages();
  }
  /** The gateway has nothing more to do with it. */
  cancel(): void {
    this.#down.end();
    this.break();
  }

  // The hub's side.
  async sendDown(message: Down): Promise<void> {
    if (this.#gone.signal.aborted) throw new AifiError('PEER_UNAVAILABLE', 'the gateway has gone');
    this.#transmit((latencyMs) => this.#down.send(message, latencyMs));
    await this.parts.world.wait(0, this.parts.hub);
  }
  get requests(): AsyncIterable<Up> {
    return this.#up.messages();
  }
  get gone(): AbortSignal {
    return this.#gone.signal;
  }
  /** The hub ends it with a fault. */
  fail(error: Error): void {
    const { world, gateway } = this.parts;
    world.in(this.parts.latencyMs() ?? SILENCE_MS_MAX, gateway, () => this.#down.end(error));
    this.break();
  }

  #transmit(send: (latencyMs: number) => void): void {
    if (this.#isBroken) return;
    const latencyMs = this.parts.latencyMs();
    if (latencyMs === undefined) this.break();
    else send(latencyMs);
  }

  /** The line is gone: each side hears of it in its time. */
  break(): void {
    if (this.#isBroken) return;
    this.#isBroken = true;
    const { world, gateway, hub, isSilent } = this.parts;
    const heardMs = isSilent() ? SILENCE_MS_MAX : 20;
    const fault = new AifiError('PEER_UNAVAILABLE', 'the stream broke');
    world.in(heardMs, gateway, () => this.#down.end(fault));
    world.in(heardMs, hub, () => {
      this.#gone.abort();
      this.#up.end();
    });
  }
}
