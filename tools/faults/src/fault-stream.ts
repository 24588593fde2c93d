/**
 * FaultStream: one direction of one connection through the fault proxy.
 * Decides when a byte goes on: after its latency, at the bandwidth, not while paused; and when none
 * ever goes again: what has lost one byte to a black hole stays silent, as a peer that is gone.
 * Invariants: bytes keep their order; memory is bounded (the sender is paused beyond it); only a
 * whole stream is passed on or its beginning, never one with a gap.
 */
import type { Socket } from 'node:net';
import { systemClock } from '@aifi/shared-kernel';

/** How a direction treats its bytes now. */
export interface LinkState {
  readonly mode: 'forward' | 'pause' | 'drop';
  /** @unit ms */
  readonly latencyMs: number;
  /** Added to the latency, uniform from zero; order is kept. @unit ms */
  readonly jitterMs: number;
  /** @unit bytes per second; undefined: no limit */
  readonly bytesPerSecond: number | undefined;
}
export const HEALTHY: LinkState = {
  ...{ mode: 'forward', latencyMs: 0, jitterMs: 0 },
  bytesPerSecond: undefined,
};

/** Beyond this the sender waits, as it would for a full window. @unit bytes */
const QUEUE_BYTES_MAX = 256 * 1024;
/** Slices of a limited stream: 20 a second. */
const SLICES_PER_SECOND = 20;
/** A state that changes is seen at once; this is only the backstop. @unit ms */
const LOOK_MS = 1_000;

interface Piece {
  /** Empty: the end of the stream. */
  readonly bytes: Buffer;
  /** On the monotonic clock. @unit ms */
  readonly dueMs: number;
}
export interface FaultStreamOptions {
  readonly from: Socket;
  readonly to: Socket;
  readonly state: () => LinkState;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Ends the connection by RST. */
  readonly reset: () => void;
  readonly onBytes: (count: number) => void;
}

export class FaultStream {
  readonly #queue: Piece[] = [];
  #queuedBytes = 0;
  #lastDueMs = 0;
  #passedBytes = 0;
  #cutAt: number | undefined;
  #isSilent = false;
  #isClosed = false;
  #wake: (() => void) | undefined;

  constructor(private readonly options: FaultStreamOptions) {
    const { from } = options;
    from.on('data', (bytes: Buffer) => this.#take(bytes));
    from.on('end', () => this.#take(Buffer.alloc(0)));
    void this.#pump();
  }

  /** True when bytes or an end were lost: this connection is dead and does not say so. */
  get isSilent(): boolean {
    return this.#isSilent;
  }
  /** Resets the connection after so many more bytes, also in the middle of what arrives at once. */
  cutAfter(bytes: number): void {
    this.#cutAt = this.#passedBytes + bytes;
  }
  /** The state has changed. */
  notify(): void {
    this.#wake?.();
  }
  close(): void {
    this.#isClosed = true;
    this.notify();
  }

  #take(bytes: Buffer): void {
    const { latencyMs, jitterMs } = this.options.state();
    const dueMs = systemClock.monotonicMs() + latencyMs + jitterMs * this.options.random();
    this.#lastDueMs = Math.max(dueMs, this.#lastDueMs);
    this.#queue.push({ bytes, dueMs: this.#lastDueMs });
    this.#queuedBytes += bytes.length;
    if (this.#queuedBytes > QUEUE_BYTES_MAX) this.options.from.pause();
    this.notify();
  }

  async #pump(): Promise<void> {
    while (!this.#isClosed) {
      const piece = this.#queue[0];
      const { mode, bytesPerSecond } = this.options.state();
      const waitMs = piece ? piece.dueMs - systemClock.monotonicMs() : LOOK_MS;
      if (this.#isSilent || (piece && mode === 'drop')) this.#swallow();
      else if (!piece || mode === 'pause' || waitMs > 0) {
        await this.#rest(mode === 'pause' ? LOOK_MS : waitMs);
      } else await this.#pass(piece, bytesPerSecond);
      if (this.#isSilent && this.#queue.length === 0) await this.#rest(LOOK_MS);
    }
  }

  /** The sender's bytes are gone; nobody is told. */
  #swallow(): void {
    this.#isSilent = true;
    this.#queue.length = 0;
    this.#queuedBytes = 0;
    this.options.from.resume();
  }

  async #pass({ bytes, dueMs }: Piece, bytesPerSecond: number | undefined): Promise<void> {
    const { from, to, onBytes } = this.options;
    if (bytes.length === 0) {
      this.#queue.shift();
      to.end();
      return;
    }
    const share = bytesPerSecond ? Math.ceil(bytesPerSecond / SLICES_PER_SECOND) : bytes.length;
    const leftToCut = this.#cutAt === undefined ? Infinity : this.#cutAt - this.#passedBytes;
    const slice = bytes.subarray(0, Math.min(share, leftToCut));
    const rest = bytes.subarray(slice.length);
    if (rest.length > 0) this.#queue[0] = { bytes: rest, dueMs };
    else this.#queue.shift();
    this.#queuedBytes -= slice.length;
    this.#passedBytes += slice.length;
    if (this.#queuedBytes <= QUEUE_BYTES_MAX / 2) from.resume();
    onBytes(slice.length);
    const hasRoom = slice.length === 0 || to.write(slice);
    if (slice.length >= leftToCut) {
      this.options.reset();
      return;
    }
    if (bytesPerSecond) await this.#rest((slice.length * 1_000) / bytesPerSecond, false);
    if (!hasRoom) await this.#drained(to);
  }

  #drained(to: Socket): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        to.off('drain', done);
        to.off('close', done);
        resolve();
      };
      to.on('drain', done);
      to.on('close', done);
    });
  }

  /** Until so much time has passed or, when it may, something has changed. */
  async #rest(ms: number, mayWake = true): Promise<void> {
    const bell = new AbortController();
    if (mayWake) this.#wake = () => bell.abort();
    await systemClock.sleep(ms, bell.signal);
    this.#wake = undefined;
  }
}
