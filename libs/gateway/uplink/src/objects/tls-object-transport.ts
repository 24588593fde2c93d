/**
 * TlsObjectTransport: objects over aifi-objects/1.
 * Decides how a batch goes over one connection: objects one after the other without waiting for
 * their acknowledgements, and which faults of the hub are about an object for good, about the job
 * in hand or about the hub itself. Connections are used again: a new one begins slowly.
 * Invariants: at most four connections; an acknowledgement for other bytes than were sent is a
 * fault; a connection that carried a fault is never used again.
 * Source: docs/adr/0020-bulk-transport.md; reliability specification P2, F7.
 */
import type { Duplex } from 'node:stream';
import {
  AifiError,
  crashPoint,
  ERROR_CATALOGUE,
  type Clock,
  type ErrorCode,
  type Sha256,
} from '@aifi/shared-kernel';
import { FRAME, uplink, type FramePiece } from '@aifi/contracts-proto';
import type { ObjectBatch, ObjectTransport, OwedObject, SendEnd } from '../object-transport.js';
import { chunksOf } from './object-body.js';
import { ObjectConnection } from './object-connection.js';

/** Connections of one gateway (F7). */
const CONNECTIONS_MAX = 4;
/** Below the hub's own patience with a connection that says nothing. @unit ms */
const IDLE_MS = 30_000;

/** What the hub says about the object and will say again. */
const FOR_GOOD: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'INVALID_ARGUMENT',
  'NOT_FOUND',
  'FORBIDDEN',
  'DIGEST_MISMATCH',
]);
/** What it says about itself: no object goes there now. */
const OF_THE_HUB: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'OUT_OF_RESOURCES',
  'LIMIT_EXCEEDED',
  'PEER_UNAVAILABLE',
  'DEADLINE_EXCEEDED',
]);

export interface TlsTransportOptions {
  /** A connection with ALPN `aifi-objects/1` whose other end is the hub, proven. */
  readonly dial: (signal: AbortSignal) => Promise<Duplex>;
  readonly clock: Clock;
}
/** A transport with connections of its own. */
export interface ClosableTransport extends ObjectTransport {
  /** Ends idle connections, and with them the transport. */
  close(): void;
}

interface Idle {
  readonly connection: ObjectConnection;
  readonly sinceMs: number;
}

export class TlsObjectTransport implements ClosableTransport {
  #idle: Idle[] = [];
  #open = 0;
  #waiting: (() => void)[] = [];
  readonly #closing = new AbortController();

  constructor(private readonly options: TlsTransportOptions) {
    void this.#leaveIdle();
  }

  async send(batch: ObjectBatch): Promise<SendEnd> {
    while (this.#open >= CONNECTIONS_MAX) {
      await new Promise<void>((resolve) => void this.#waiting.push(resolve));
    }
    this.#open += 1;
    try {
      const known = this.#takeIdle();
      if (known) {
        const sending = new Sending(batch, known);
        const end = await this.#run(sending).catch((error: unknown) => {
          // A connection that had died unnoticed says nothing about the hub: it is dialled once.
          if (sending.wasHeard || batch.signal.aborted) throw error;
          return undefined;
        });
        if (end) return end;
      }
      return await this.#run(new Sending(batch, await this.#dial(batch.signal)));
    } finally {
      this.#open -= 1;
      this.#waiting.shift()?.();
    }
  }

  close(): void {
    this.#closing.abort();
    for (const { connection } of this.#idle.splice(0)) connection.leave();
  }

  async #run(sending: Sending): Promise<SendEnd> {
    const { connection } = sending;
    try {
      const end = await sending.run();
      if (end.kind === 'sent' && !connection.isDraining && !this.#closing.signal.aborted) {
        this.#idle.push({ connection, sinceMs: this.options.clock.monotonicMs() });
      } else connection.leave();
      return end;
    } catch (error) {
      connection.destroy();
      throw error;
    }
  }

  #takeIdle(): ObjectConnection | undefined {
    for (;;) {
      const connection = this.#idle.pop()?.connection;
      if (!connection || (!connection.isGone && !connection.isDraining)) return connection;
      connection.destroy();
    }
  }

  async #dial(signal: AbortSignal): Promise<ObjectConnection> {
    const { dial, clock } = this.options;
    try {
      return new ObjectConnection(await dial(signal), clock);
    } catch (error) {
      if (error instanceof AifiError) throw error;
      throw new AifiError('PEER_UNAVAILABLE', 'the hub cannot be dialled', { cause: error });
    }
  }

  async #leaveIdle(): Promise<void> {
    const { clock } = this.options;
    const { signal } = this.#closing;
    while (!signal.aborted) {
      await clock.sleep(IDLE_MS, signal);
      const oldMs = clock.monotonicMs() - IDLE_MS;
      for (const { connection } of this.#idle.filter((one) => one.sinceMs <= oldMs)) {
        connection.leave();
      }
      this.#idle = this.#idle.filter(({ connection }) => !connection.isGone);
    }
  }
}

/** One batch over one connection. */
class Sending {
  readonly #owed: Map<string, number>;
  readonly #done = Promise.withResolvers<void>();
  readonly #recording = new Set<Promise<void>>();
  #begun = 0;
  #acknowledged = 0;
  #isSending = true;
  #drainMs: number | undefined;
  #wasHeard = false;

  constructor(
    private readonly batch: ObjectBatch,
    readonly connection: ObjectConnection,
  ) {
    this.#owed = new Map(batch.objects.map(({ sha256, sizeBytes }) => [sha256, sizeBytes]));
    this.#done.promise.catch(() => undefined);
  }

  get wasHeard(): boolean {
    return this.#wasHeard || this.connection.hasHeard;
  }

  async run(): Promise<SendEnd> {
    const { connection, batch } = this;
    const release = connection.claim((piece) => this.#hear(piece));
    const abort = (): void => connection.destroy();
    batch.signal.addEventListener('abort', abort);
    if (batch.signal.aborted) abort();
    try {
      const sending = this.#sendAll();
      sending.catch((error: unknown) => this.#done.reject(error));
      await Promise.race([this.#done.promise, connection.ended]).catch((error: unknown) => {
        // A code that came before the end says more than the end.
        throw this.#fault ?? error;
      });
      await sending;
      await Promise.all(this.#recording);
    } finally {
      release();
      this.#isSending = false;
      batch.signal.removeEventListener('abort', abort);
    }
    if (this.#owed.size === 0) return { kind: 'sent' };
    return { kind: 'draining', retryAfterMs: this.#drainMs ?? 0 };
  }
  #fault: AifiError | undefined;

  async #sendAll(): Promise<void> {
    for (const object of this.batch.objects) {
      if (this.#drainMs !== undefined) break;
      await this.#sendObject(object);
    }
    this.#isSending = false;
    this.#endWhenDone();
  }

  async #sendObject(object: OwedObject): Promise<void> {
    const { connection, batch } = this;
    const { sha256, sizeBytes, offsetBytes } = object;
    const encoding = batch.encoding === 'zstd' ? 'zstd' : '';
    const header = { jobId: batch.jobId, sha256, sizeBytes, offsetBytes, encoding };
    this.#begun += 1;
    await connection.header(uplink.ObjectHeader.encode(header).finish());
    crashPoint('gateway.uplink.header-sent');
    for await (const chunk of chunksOf(object, batch.encoding, connection.buffers)) {
      await batch.pace(chunk.bytes.length);
      if (batch.signal.aborted) throw new AifiError('PEER_UNAVAILABLE', 'the upload was stopped');
      await connection.chunk(chunk);
    }
    crashPoint('gateway.uplink.object-sent');
  }

  #hear({ kind, bytes }: FramePiece): void {
    this.#wasHeard = true;
    if (kind === FRAME.ack) this.#take(uplink.ObjectAck.decode(bytes));
    else if (kind === FRAME.drain) {
      this.#drainMs = uplink.Drain.decode(bytes).retryAfterMs;
      this.#endWhenDone();
    } else if (kind === FRAME.fault) {
      this.#fault = faultOf(bytes.toString('latin1'));
      this.#done.reject(this.#fault);
    }
  }

  #take(ack: uplink.ObjectAck): void {
    const isOwed = this.#owed.get(ack.sha256) === ack.sizeBytes;
    if (!isOwed || ack.jobId !== this.batch.jobId) {
      this.#done.reject(new AifiError('PEER_UNAVAILABLE', 'an acknowledgement of other bytes'));
      return;
    }
    crashPoint('gateway.uplink.ack-received');
    this.#owed.delete(ack.sha256);
    this.#acknowledged += 1;
    const recording = this.batch.acknowledge(ack.sha256 as Sha256);
    this.#recording.add(recording);
    recording.then(
      () => {
        crashPoint('gateway.uplink.ack-recorded');
        this.#recording.delete(recording);
      },
      (error: unknown) => this.#done.reject(error),
    );
    this.#endWhenDone();
  }

  #endWhenDone(): void {
    if (!this.#isSending && this.#acknowledged === this.#begun) this.#done.resolve();
  }
}

function faultOf(text: string): AifiError {
  const code = Object.hasOwn(ERROR_CATALOGUE, text) ? (text as ErrorCode) : 'INTERNAL';
  if (FOR_GOOD.has(code)) {
    return new AifiError('PEER_REFUSED', `the hub refused an object (${code})`);
  }
  if (OF_THE_HUB.has(code)) {
    return new AifiError('PEER_UNAVAILABLE', `the hub cannot take an object now (${code})`);
  }
  // This job waits and the others go on: what the hub fails on may be this object alone.
  return new AifiError(code, 'the hub failed on an object');
}
