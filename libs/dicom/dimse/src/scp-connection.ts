/**
 * ScpConnection: one accepted socket, from its first byte to its end.
 * Decides the order of things: bytes are normalised, datasets go to the sink, and the library
 * learns of the end of a C-STORE only after the sink has given its verdict. Invariants: the socket
 * is not read while the sink is busy; a connection ends by itself (ARTIM, idle, grace, destroy).
 * Source: PS3.8 9.1.5 and 9.2; PS3.7 9.3.1; reliability specification F1-F5.
 */
import { Duplex } from 'node:stream';
import type { Socket } from 'node:net';
import { AifiError, LIMITS, type Clock, type ErrorCode } from '@aifi/shared-kernel';
import { AssociationScp, type AssociationOwner, type Identifier } from './library-scp.js';
import { encodeAbort } from './pdu.js';
import { PduNormaliser, type StoreRequestEvent, type UpperLayerEvent } from './pdu-normaliser.js';
import { DIMSE_STATUS } from './dimse-status.js';

/** Silence of a peer after which its association is aborted. @unit ms */
const IDLE_MS = 60_000;

export interface StoreRequest {
  readonly callingAeTitle: string;
  readonly peerAddress: string;
  readonly affectedSopClassUid: string;
  readonly affectedSopInstanceUid: string;
  readonly transferSyntaxUid: string;
}
/** Takes one dataset. After a rejection of write() or end() the owner calls abort(). */
export interface StoreSink {
  write(chunk: Uint8Array): Promise<void>;
  /** The whole dataset was written: the DIMSE status that the peer gets. */
  end(): Promise<number>;
  /** The dataset is not wanted any more or will not come. */
  abort(): Promise<void>;
}
export interface StoreHandler {
  begin(request: StoreRequest): Promise<StoreSink>;
}
/** Something that was not taken. The only word of the peer in it is its own AE title. */
export interface ScpRefusal {
  readonly what: 'association' | 'context' | 'object' | 'stream';
  readonly code: ErrorCode;
  /** Calling AE title as sent; empty when it did not get that far. */
  readonly callingAeTitle: string;
  /** Answer to a C-STORE; absent where none was given. */
  readonly dimseStatus?: number;
}
export type RefusalListener = (refusal: ScpRefusal) => void;
export type FindHandler = (query: Identifier) => Promise<readonly Identifier[]>;

export interface ConnectionOptions {
  readonly aeTitle: string;
  readonly handler: StoreHandler;
  readonly find: FindHandler | undefined;
  readonly clock: Clock;
  readonly isKnownCaller: (callingAeTitle: string, peerAddress: string) => boolean;
  /** Told of everything that this connection does not take. Must not throw. */
  readonly onRefusal: RefusalListener;
}

/** The library's side of the connection: reads normalised PDUs, writes to the real socket. */
class LibrarySocket extends Duplex {
  constructor(private readonly socket: Socket) {
    super();
  }
  override _read(): void {
    // Bytes are pushed as they come; there are never more than a command's worth.
  }
  override _write(chunk: Uint8Array, _encoding: BufferEncoding, done: () => void): void {
    this.socket.write(chunk, () => done());
  }
  setTimeout(): this {
    return this;
  }
}

export class ScpConnection implements AssociationOwner {
  readonly #normaliser: PduNormaliser;
  readonly #library: LibrarySocket;
  readonly #closed = new AbortController();
  readonly #artim = new AbortController();
  readonly #peerAddress: string;
  /** Verdicts that the library has not answered with yet, in order. */
  readonly #statuses: number[] = [];
  #callingAeTitle = '';
  #sink: StoreSink | undefined;
  #storeFault: number | undefined;
  #isBusy = false;

  constructor(
    private readonly socket: Socket,
    private readonly options: ConnectionOptions,
  ) {
    this.#peerAddress = (socket.remoteAddress ?? '').replace(/^::ffff:/, '');
    this.#normaliser = new PduNormaliser(options.find !== undefined);
    this.#library = new LibrarySocket(socket);
    this.#library.on('error', () => this.failed());
    new AssociationScp(this.#library, this);
    socket.on('error', () => this.#library.destroy());
    socket.on('close', () => this.#closed.abort());
    socket.setTimeout(IDLE_MS, () => {
      if (!this.#isBusy) this.failed();
    });
  }

  /** Resolves when the connection is over; never rejects. */
  async run(): Promise<void> {
    this.#destroyAfter(LIMITS.artimMs, this.#artim.signal);
    try {
      for await (const chunk of this.socket.iterator({ destroyOnReturn: false })) {
        this.#isBusy = true;
        for (const event of this.#normaliser.push(chunk as Buffer)) await this.#handle(event);
        this.#isBusy = false;
      }
    } catch (error) {
      // A fault of ours is one of the peer's bytes; anything else is a socket that broke.
      if (error instanceof AifiError) {
        this.#refused('stream', error);
        await this.#dropSink();
      }
      await this.#abort();
    } finally {
      if (this.#sink) this.#refused('stream', new AifiError('PEER_UNAVAILABLE', 'broken off'));
      await this.#dropSink();
      this.#library.destroy();
    }
    this.destroy();
  }

  destroy(): void {
    this.#closed.abort();
    this.socket.destroy();
    this.#library.destroy();
  }

  #destroyAfter(delayMs: number, unless: AbortSignal): void {
    const signal = AbortSignal.any([unless, this.#closed.signal]);
    void this.options.clock.sleep(delayMs, signal).then(() => {
      if (!signal.aborted) this.destroy();
    });
  }
  /** Tells the peer and waits, at most the grace, until it closes; what it still sends is lost. */
  async #abort(): Promise<void> {
    if (!this.socket.writable) return;
    this.socket.end(encodeAbort());
    this.socket.resume();
    await this.options.clock.sleep(LIMITS.socketGraceMs, this.#closed.signal);
  }

  async #handle(event: UpperLayerEvent): Promise<void> {
    switch (event.kind) {
      case 'associate-request':
        this.#artim.abort();
        this.#library.push(event.pdu);
        return;
      case 'store-request':
        this.#library.push(event.pdu);
        this.#storeFault = undefined;
        return this.#attempt(() => this.#begin(event));
      case 'store-data':
        return this.#attempt(() => this.#sink!.write(event.bytes));
      case 'store-end':
        await this.#attempt(async () => {
          const status = await this.#sink!.end();
          this.#sink = undefined;
          this.#statuses.push(status);
        });
        if (this.#storeFault !== undefined) this.#statuses.push(this.#storeFault);
        this.#library.push(event.pdu);
        return;
      case 'abort':
        this.destroy();
        return;
      default:
        this.#library.push(event.pdu);
    }
  }

  /** One step of a C-STORE; after a fault the rest of the dataset is read and dropped. */
  async #attempt(step: () => Promise<void>): Promise<void> {
    if (this.#storeFault !== undefined) return;
    try {
      await step();
    } catch (error) {
      const fault = AifiError.from(error);
      this.#storeFault = fault.dimseStatus;
      this.#refused('object', fault, fault.dimseStatus);
      await this.#dropSink();
    }
  }
  #refused(what: ScpRefusal['what'], { code }: AifiError, dimseStatus?: number): void {
    const callingAeTitle = this.#callingAeTitle;
    const answer = dimseStatus === undefined ? {} : { dimseStatus };
    this.options.onRefusal({ what, code, callingAeTitle, ...answer });
  }
  async #dropSink(): Promise<void> {
    const sink = this.#sink;
    this.#sink = undefined;
    // What cannot be removed now is swept later; a handler's fault must not end the process (F5).
    await sink?.abort().catch(() => undefined);
  }
  async #begin(event: StoreRequestEvent): Promise<void> {
    const { affectedSopClassUid, affectedSopInstanceUid, transferSyntaxUid } = event;
    if (affectedSopClassUid !== event.abstractSyntaxUid) {
      throw new AifiError('DICOM_SOP_CLASS_UNSUPPORTED', 'SOP class was not negotiated');
    }
    this.#sink = await this.options.handler.begin({
      callingAeTitle: this.#callingAeTitle,
      peerAddress: this.#peerAddress,
      affectedSopClassUid,
      affectedSopInstanceUid,
      transferSyntaxUid,
    });
  }

  // What the library asks (AssociationOwner).
  get offersFind(): boolean {
    return this.options.find !== undefined;
  }
  admit(callingAeTitle: string, calledAeTitle: string) {
    this.#callingAeTitle = callingAeTitle;
    if (calledAeTitle !== this.options.aeTitle) {
      this.#refused('association', new AifiError('NOT_FOUND', 'called AE title'));
      return 'called-ae-not-recognised' as const;
    }
    if (!this.options.isKnownCaller(callingAeTitle, this.#peerAddress)) {
      this.#refused('association', new AifiError('FORBIDDEN', 'calling AE title'));
      return 'calling-ae-not-recognised' as const;
    }
    return undefined;
  }
  accepted(...[contexts, refused]: Parameters<AssociationOwner['accepted']>): void {
    if (refused > 0) {
      this.#refused('context', new AifiError('DICOM_SOP_CLASS_UNSUPPORTED', 'not taken here'));
    }
    this.#normaliser.accept(contexts);
  }
  ending(): void {
    this.#destroyAfter(LIMITS.socketGraceMs, this.#closed.signal);
  }
  nextStoreStatus(): number {
    return this.#statuses.shift() ?? DIMSE_STATUS.processingFailure;
  }
  async find(query: Identifier): Promise<readonly Identifier[] | number> {
    try {
      return (await this.options.find?.(query)) ?? [];
    } catch (error) {
      return AifiError.from(error).dimseStatus;
    }
  }
  failed(): void {
    if (this.#callingAeTitle === '') {
      this.#refused('stream', new AifiError('DICOM_MALFORMED', 'not an association'));
    }
    void this.#abort().then(() => this.destroy());
  }
}
