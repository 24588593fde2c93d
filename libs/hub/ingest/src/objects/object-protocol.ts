/**
 * The protocol aifi-objects/1 at the hub: objects of one gateway over one TLS connection.
 * Decides when a connection is dead (silence while we wait for the gateway), how many a gateway may
 * have, and what it hears when it is refused: a code of the catalogue, then the end.
 * Invariants: what a gateway sends costs memory of a few megabytes at most, whatever it sends; a
 * gateway that comes again after a broken line is never locked out by the connections it has lost.
 * Source: docs/adr/0020-bulk-transport.md; reliability specification F7, 3 (half-open).
 */
import type { Duplex } from 'node:stream';
import { AifiError, type Clock } from '@aifi/shared-kernel';
import {
  FRAME,
  frameOf,
  FrameReader,
  OBJECTS_ALIVE_MS,
  OBJECTS_ALPN,
  OBJECTS_SILENCE_MS,
  uplink,
} from '@aifi/contracts-proto';
import type { FaultListener, LinkPeer } from '@aifi/hub-identity';
import type { FolderObjectStore } from '@aifi/hub-object-store';
import { ObjectIntake, type IntakeDependencies } from './object-intake.js';
import { ObjectProgress, PROGRESS_LOOK_MS, type Growing } from './object-progress.js';

export interface ObjectProtocolDependencies extends IntakeDependencies {
  readonly store: IntakeDependencies['store'] & Pick<FolderObjectStore, 'removeStaleBeginnings'>;
  readonly clock: Clock;
  readonly onFault: FaultListener;
}
export interface ObjectProtocol {
  readonly alpn: typeof OBJECTS_ALPN;
  /** Takes over the socket; never throws. */
  accept(socket: Duplex, peer: LinkPeer): void;
  /** Tells every gateway to come again later; what is in hand goes to its end. */
  drain(retryAfterMs: number): void;
  /** Ends all connections; resolves when what they had in hand is kept or acknowledged. */
  close(): Promise<void>;
}

/** Connections of one gateway (F7). */
const CONNECTIONS_MAX = 4;
/** A gateway that has nothing to send ends its connection sooner. @unit ms */
const IDLE_MS_MAX = 120_000;
/** The rest of a frame, for which no object has begun: it is short. */
const REST_OF_FRAME: Growing = { sizeBytes: 0 };
/** For the end of a connection. @unit ms */
const LINGER_MS = 2_000;
/** Between two looks for beginnings that nobody came back for. @unit ms */
const SWEEP_MS = 3_600_000;

const FROM_GATEWAY = new Set([FRAME.header, FRAME.chunk, FRAME.alive]);

export function createObjectProtocol(dependencies: ObjectProtocolDependencies): ObjectProtocol {
  const { clock, store, onFault } = dependencies;
  const open = new Map<ObjectConnection, Promise<void>>();
  const closing = new AbortController();
  let drainMs: number | undefined;
  const sweep = async (): Promise<void> => {
    for (;;) {
      await clock.sleep(SWEEP_MS, closing.signal);
      if (closing.signal.aborted) return;
      try {
        await store.removeStaleBeginnings(clock.nowMs());
      } catch (error) {
        // What cannot be removed now is looked for again.
        onFault(AifiError.from(error), undefined);
      }
    }
  };
  const swept = sweep();
  return {
    alpn: OBJECTS_ALPN,
    accept: (socket, peer) => {
      if (closing.signal.aborted) return void socket.destroy();
      endOldest([...open.keys()], peer);
      const connection = new ObjectConnection(dependencies, socket, peer);
      open.set(
        connection,
        connection.serve().finally(() => open.delete(connection)),
      );
      if (drainMs !== undefined) connection.drain(drainMs);
    },
    drain: (retryAfterMs) => {
      drainMs = retryAfterMs;
      for (const connection of open.keys()) connection.drain(retryAfterMs);
    },
    close: async () => {
      closing.abort();
      for (const connection of open.keys()) connection.end();
      await Promise.all([...open.values(), swept]);
    },
  };
}

/** A gateway that has lost its connections comes with new ones before we notice. */
function endOldest(connections: readonly ObjectConnection[], { siteId, gateway }: LinkPeer): void {
  const own = connections.filter(
    ({ peer, isOver }) => !isOver && peer.siteId === siteId && peer.gateway === gateway,
  );
  const tooMany = own.length + 1 - CONNECTIONS_MAX;
  if (tooMany <= 0) return;
  const longestSilent = own.toSorted((a, b) => b.silentMs - a.silentMs);
  for (const connection of longestSilent.slice(0, tooMany)) connection.end();
}

class ObjectConnection {
  readonly #reader = new FrameReader(FROM_GATEWAY);
  readonly #gone = new AbortController();
  readonly #intake: ObjectIntake;
  readonly #progress: ObjectProgress;
  /** False while the gateway waits for us: its silence means nothing then. */
  #isReading = true;
  #isOver = false;
  #heardMs: number;
  #saidMs: number;

  constructor(
    private readonly dependencies: ObjectProtocolDependencies,
    private readonly socket: Duplex,
    readonly peer: LinkPeer,
  ) {
    this.#heardMs = this.#saidMs = dependencies.clock.monotonicMs();
    this.#progress = new ObjectProgress(dependencies.clock);
    this.#intake = new ObjectIntake(dependencies, {
      peer,
      signal: this.#gone.signal,
      acknowledge: (ack) => this.#say(frameOf(FRAME.ack, uplink.ObjectAck.encode(ack).finish())),
    });
    socket.on('error', () => undefined);
    socket.on('close', () => this.#gone.abort());
  }

  /** Of the gateway; one that waits for us, for its turn or for the disk, is not silent. */
  get silentMs(): number {
    return this.#isReading ? this.dependencies.clock.monotonicMs() - this.#heardMs : 0;
  }
  /** Nothing more is read of it: it is on its way to its end by itself. */
  get isOver(): boolean {
    return this.#isOver || this.#gone.signal.aborted;
  }

  /** To the end of the connection; never rejects. */
  async serve(): Promise<void> {
    const watching = this.#watch();
    const fault = await this.#serve();
    this.#isOver = true;
    // A line that breaks and a hub that is full are no fault of the bytes that came.
    const how = fault && BYTES_ARE_WRONG.has(fault.code) ? 'discard' : 'keep';
    await this.#intake.close(how).catch((error: unknown) => this.#report(AifiError.from(error)));
    if (fault && !this.#gone.signal.aborted) this.#refuse(fault);
    else this.socket.end();
    await this.#linger();
    this.end();
    await watching;
  }

  async #serve(): Promise<AifiError | undefined> {
    try {
      await Promise.race([this.#read(), this.#intake.failed]);
      if (this.#intake.isWithinObject) throw new AifiError('PEER_UNAVAILABLE', 'the line broke');
      if (!this.#gone.signal.aborted) await this.#intake.settled();
      return undefined;
    } catch (error) {
      return AifiError.from(error);
    }
  }

  drain(retryAfterMs: number): void {
    const message = uplink.Drain.encode({ retryAfterMs }).finish();
    void this.#say(frameOf(FRAME.drain, message));
  }

  end(): void {
    this.#gone.abort();
    if (!this.socket.writableFinished || !this.socket.readableEnded) this.socket.destroy();
  }

  async #read(): Promise<void> {
    try {
      // Leaving the loop must not destroy the socket: the code still has to be sent.
      for await (const bytes of this.socket.iterator({ destroyOnReturn: false })) {
        this.#isReading = false;
        this.#progress.pause();
        for (const piece of this.#reader.read(bytes as Buffer)) {
          if (piece.kind === FRAME.chunk) {
            const room = this.#intake.append(piece.bytes, piece.endsChunk);
            if (room) await room;
          } else if (piece.kind === FRAME.header) {
            await this.#intake.begin(decodeHeader(piece.bytes));
          }
        }
        this.#heardMs = this.dependencies.clock.monotonicMs();
        this.#isReading = true;
        this.#progress.resume();
      }
    } catch (error) {
      if (error instanceof AifiError) throw error;
      // Of the socket: the line broke.
      this.end();
    }
  }

  async #watch(): Promise<void> {
    const { clock } = this.dependencies;
    while (!this.#gone.signal.aborted) {
      await clock.sleep(PROGRESS_LOOK_MS, this.#gone.signal);
      const nowMs = clock.monotonicMs();
      const awaited =
        this.#intake.inHand ?? (this.#reader.isBetweenFrames ? undefined : REST_OF_FRAME);
      const limitMs = awaited ? OBJECTS_SILENCE_MS : IDLE_MS_MAX;
      if (this.silentMs >= limitMs || this.#progress.isStalled(awaited)) this.end();
      else if (nowMs - this.#saidMs >= OBJECTS_ALIVE_MS) void this.#say(frameOf(FRAME.alive));
    }
  }

  /** Resolves when the network has taken it; a gateway that reads nothing gets nothing more. */
  #say(frame: Buffer): Promise<void> {
    this.#saidMs = this.dependencies.clock.monotonicMs();
    if (this.#gone.signal.aborted || this.socket.writableEnded) return Promise.resolve();
    if (this.socket.writableLength > UNREAD_BYTES_MAX) {
      this.end();
      return Promise.resolve();
    }
    this.socket.write(frame);
    return Promise.resolve();
  }

  /** What was said last is read by the gateway before the connection is gone. */
  async #linger(): Promise<void> {
    if (this.#gone.signal.aborted) return;
    // Unread bytes would turn the end into a reset, which takes the code with it.
    this.socket.resume();
    await this.dependencies.clock.sleep(LINGER_MS, this.#gone.signal);
  }

  #refuse(fault: AifiError): void {
    this.#report(fault);
    this.socket.end(frameOf(FRAME.fault, Buffer.from(fault.code, 'latin1')));
  }
  #report(fault: AifiError): void {
    this.dependencies.onFault(fault, this.peer.siteId);
  }
}

/** Acknowledgements of some thousand objects. @unit bytes */
const UNREAD_BYTES_MAX = 1024 * 1024;

const BYTES_ARE_WRONG = new Set<string>(['DIGEST_MISMATCH', 'INVALID_ARGUMENT', 'LIMIT_EXCEEDED']);

function decodeHeader(bytes: Buffer): uplink.ObjectHeader {
  try {
    return uplink.ObjectHeader.decode(bytes);
  } catch (cause) {
    throw new AifiError('INVALID_ARGUMENT', 'a header that cannot be read', { cause });
  }
}
