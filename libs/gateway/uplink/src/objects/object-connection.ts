/**
 * ObjectConnection: one connection of aifi-objects/1 to the hub, used by one batch at a time.
 * Decides what counts as heard, how much may wait for the network, and when the hub is given up.
 * Invariants: memory holds a few chunks; a hub that owes an answer and is silent for half a minute
 * is gone, whatever TCP says. Source: docs/adr/0020-bulk-transport.md; reliability specification 3
 * (half-open), F7.
 */
import type { Duplex } from 'node:stream';
import { AifiError, type Clock } from '@aifi/shared-kernel';
import {
  FRAME,
  frameHead,
  frameOf,
  FrameReader,
  OBJECTS_ALIVE_MS,
  OBJECTS_SILENCE_MS,
  type FramePiece,
} from '@aifi/contracts-proto';
import { ChunkBuffers, type Chunk } from './object-body.js';

/** Between two looks at silence. @unit ms */
export const OBJECTS_LOOK_MS = 5_000;
/** Bytes that the network has not taken: four chunks keep it busy. @unit bytes */
const UNSENT_BYTES_MAX = 1024 * 1024;

const FROM_HUB = new Set([FRAME.ack, FRAME.drain, FRAME.fault, FRAME.alive]);

export type FrameListener = (piece: FramePiece) => void;

export class ObjectConnection {
  readonly buffers = new ChunkBuffers();
  readonly #reader = new FrameReader(FROM_HUB);
  readonly #gone = new AbortController();
  readonly #ended = Promise.withResolvers<never>();
  #listener: FrameListener | undefined;
  #unsentBytes = 0;
  #roomy: (() => void) | undefined;
  #heardMs: number;
  #saidMs: number;
  #hasHeard = false;
  #isDraining = false;

  constructor(
    private readonly socket: Duplex,
    private readonly clock: Clock,
  ) {
    this.#heardMs = this.#saidMs = clock.monotonicMs();
    this.#ended.promise.catch(() => undefined);
    socket.on('data', (bytes: Buffer) => this.#hear(bytes));
    socket.on('error', (cause) => this.#end(cause));
    socket.on('close', () => this.#end());
    // The hub ends a connection that it gives up, and one that it leaves.
    socket.on('end', () => this.#end());
    void this.#watch();
  }

  /** Rejects with PEER_UNAVAILABLE when the connection is over. */
  get ended(): Promise<never> {
    return this.#ended.promise;
  }
  get isGone(): boolean {
    return this.#gone.signal.aborted;
  }
  /** The hub takes nothing new here: nobody may use it again. */
  get isDraining(): boolean {
    return this.#isDraining;
  }
  /** Something came from the hub: it was not dead already when it was taken up again. */
  get hasHeard(): boolean {
    return this.#hasHeard;
  }

  /** Takes the connection for a batch; call the answer when the batch has ended. */
  claim(listener: FrameListener): () => void {
    this.#listener = listener;
    this.#hasHeard = false;
    this.#heardMs = this.clock.monotonicMs();
    return () => {
      this.#listener = undefined;
    };
  }

  async header(message: Uint8Array): Promise<void> {
    await this.#write([frameOf(FRAME.header, message)]);
  }
  async chunk({ bytes, release }: Chunk): Promise<void> {
    await this.#write([frameHead(FRAME.chunk, bytes.length), bytes], release);
  }

  destroy(): void {
    this.socket.destroy();
    this.#end();
  }
  /** Says goodbye; nothing is under way. */
  leave(): void {
    this.socket.end();
    this.#end();
  }

  async #write(parts: readonly Uint8Array[], release?: () => void): Promise<void> {
    if (this.isGone) throw gone();
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    this.#unsentBytes += length;
    this.#saidMs = this.clock.monotonicMs();
    this.socket.cork();
    for (const part of parts.slice(0, -1)) this.socket.write(part);
    this.socket.write(parts.at(-1)!, () => {
      release?.();
      this.#unsentBytes -= length;
      this.#heardOfNetwork();
    });
    this.socket.uncork();
    if (this.#unsentBytes < UNSENT_BYTES_MAX) return;
    await Promise.race([new Promise<void>((resolve) => (this.#roomy = resolve)), this.ended]);
  }

  #heardOfNetwork(): void {
    if (this.#unsentBytes >= UNSENT_BYTES_MAX) return;
    this.#roomy?.();
    this.#roomy = undefined;
  }

  #hear(bytes: Buffer): void {
    this.#heardMs = this.clock.monotonicMs();
    this.#hasHeard = true;
    try {
      for (const piece of this.#reader.read(bytes)) {
        if (piece.kind === FRAME.drain) this.#isDraining = true;
        this.#listener?.(piece);
      }
    } catch (cause) {
      this.#end(cause);
    }
  }

  #end(cause?: unknown): void {
    if (this.isGone) return;
    this.#gone.abort();
    this.#ended.reject(gone(cause));
    if (!this.socket.writableEnded) this.socket.destroy();
  }

  async #watch(): Promise<void> {
    const { signal } = this.#gone;
    while (!signal.aborted) {
      await this.clock.sleep(OBJECTS_LOOK_MS, signal);
      if (signal.aborted || !this.#listener) continue;
      const nowMs = this.clock.monotonicMs();
      if (nowMs - this.#heardMs >= OBJECTS_SILENCE_MS) this.destroy();
      else if (nowMs - this.#saidMs >= OBJECTS_ALIVE_MS) {
        void this.#write([frameOf(FRAME.alive)]).catch(() => undefined);
      }
    }
  }
}

function gone(cause?: unknown): AifiError {
  return new AifiError('PEER_UNAVAILABLE', 'the connection to the hub is over', { cause });
}
