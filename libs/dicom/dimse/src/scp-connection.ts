/**
 * ScpConnection: one accepted socket, from its first byte to its end.
 * Decides the order of things: each event of the normaliser is dealt with, and its answer written,
 * before the next. Invariants: the socket is not read while something is waited for; a connection
 * ends by itself (ARTIM, no progress, grace, destroy); where nothing waits there is no promise.
 * Source: PS3.8 9.1.5 and 9.2; PS3.7 9.3.1; reliability specification F1-F5.
 */
import type { Socket } from 'node:net';
import { AifiError, LIMITS, type Clock, type ErrorCode } from '@aifi/shared-kernel';
import {
  APPLICATION_CONTEXT,
  decodeAssociateRequest,
  encodeCanonicalRequest,
  isOtherProtocolVersion,
  isWireUid,
  type AssociateRequest,
} from './associate-request.js';
import type { PeerIdentity } from './caller-check.js';
import { encodeResponsePdu, RESPONSE_FIELD } from './command-response.js';
import { mayReport, receiveReport, type CommitmentReception } from './commitment-reception.js';
import { ConnectionWatch } from './connection-watch.js';
import {
  AssociationScp,
  LibrarySocket,
  type AssociationOwner,
  type Identifier,
} from './library-scp.js';
import {
  ABORT_REASON,
  abortReasonOf,
  ASSOCIATE_REJECTION,
  encodeAbort,
  encodeAssociateReject,
  type AssociateRejection,
} from './pdu.js';
import {
  PduNormaliser,
  type EventReportEvent,
  type RequestOnContext,
  type UpperLayerEvent,
} from './pdu-normaliser.js';
import { StoreExchange, type StoreHandler, type Wait } from './store-exchange.js';

/** Something that was not taken. The only word of the peer in it is its own AE title. */
export interface ScpRefusal {
  readonly what: 'association' | 'context' | 'object' | 'stream';
  readonly code: ErrorCode;
  /** Calling AE title as sent; empty when it did not get that far. */
  readonly callingAeTitle: string;
  /** Answer to a C-STORE; absent where none was given. */
  readonly dimseStatus?: number;
  /** Of an object: what is wrong with it, in fixed words. */
  readonly reason?: string;
}
export type RefusalListener = (refusal: ScpRefusal) => void;
export type FindHandler = (query: Identifier) => Promise<readonly Identifier[]>;

export interface ConnectionOptions {
  /** Called AE titles that are answered. */
  readonly aeTitles: ReadonlySet<string>;
  readonly handler: StoreHandler;
  readonly find: FindHandler | undefined;
  readonly commitment: CommitmentReception | undefined;
  readonly clock: Clock;
  readonly isKnownCaller: (callingAeTitle: string, peer: PeerIdentity) => boolean;
  /** Told of everything that this connection does not take. Must not throw. */
  readonly onRefusal: RefusalListener;
}
/** A socket that is ready for the first byte of DICOM. */
export interface AcceptedSocket {
  readonly socket: Socket;
  readonly peer: PeerIdentity;
  /** Told once, when a whole A-ASSOCIATE-RQ has come: the ARTIM timer stops. */
  readonly onAssociateRequest: () => void;
}

export class ScpConnection implements AssociationOwner {
  readonly #socket: Socket;
  readonly #normaliser: PduNormaliser;
  readonly #store: StoreExchange;
  readonly #watch: ConnectionWatch;
  readonly #closed = new AbortController();
  #request: AssociateRequest | undefined;
  #storing: RequestOnContext | undefined;
  #library: LibrarySocket | undefined;
  /** Called when the library has answered; undefined when it has nothing to answer. */
  #onAnswer: (() => void) | undefined;
  /** Ends when nothing is being waited for. */
  #working: Promise<void> = Promise.resolve();
  /** Nothing that the peer still sends is looked at. */
  #isOver = false;

  constructor(
    private readonly accepting: AcceptedSocket,
    private readonly options: ConnectionOptions,
  ) {
    this.#socket = accepting.socket;
    this.#normaliser = new PduNormaliser(options.find !== undefined);
    this.#watch = new ConnectionWatch(options.clock);
    this.#store = new StoreExchange(options.handler, (fault) =>
      this.#refused('object', fault, fault.dimseStatus),
    );
  }

  /** Resolves when the connection is over and its sink is closed; never rejects. */
  async run(): Promise<void> {
    const socket = this.#socket;
    const closed = new Promise<void>((resolve) => {
      socket.once('close', () => resolve());
      if (socket.closed) resolve();
    });
    // What broke is told by the end of the connection.
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    await closed;
    this.#isOver = true;
    this.#closed.abort();
    this.#onAnswer?.();
    await this.#working;
    if (this.#store.isOpen)
      this.#refused('stream', new AifiError('PEER_UNAVAILABLE', 'broken off'));
    await this.#store.drop();
    this.#library?.close();
  }

  destroy(): void {
    this.#isOver = true;
    this.#closed.abort();
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    if (this.#isOver) return;
    this.#watch.heard(chunk.length);
    const events = this.#normaliser.push(chunk);
    let wait: Wait;
    try {
      wait = this.#advance(events);
    } catch (error) {
      wait = this.#failedBy(error);
    }
    if (!wait && !this.#socket.writableNeedDrain) return;
    this.#socket.pause();
    this.#working = this.#workThrough(wait, events);
  }
  /** Deals with events until one has to be waited for. */
  #advance(events: Generator<UpperLayerEvent>): Wait {
    for (let next = events.next(); !next.done; next = events.next()) {
      const wait = this.#handle(next.value);
      if (wait) return wait;
      if (this.#isOver) return undefined;
    }
    return undefined;
  }
  async #workThrough(first: Wait, events: Generator<UpperLayerEvent>): Promise<void> {
    this.#watch.waiting();
    try {
      for (let wait = first; wait; wait = this.#isOver ? undefined : this.#advance(events)) {
        await wait;
      }
    } catch (error) {
      await this.#failedBy(error);
    }
    this.#watch.waited();
    // A peer that reads no answers gets no more of them.
    if (this.#socket.writableNeedDrain) await this.#drained();
    this.#socket.resume();
  }
  #drained(): Promise<void> {
    return new Promise((resolve) => {
      this.#socket.once('drain', resolve);
      this.#closed.signal.addEventListener('abort', () => resolve(), { once: true });
      if (this.#closed.signal.aborted) resolve();
    });
  }

  #handle(event: UpperLayerEvent): Wait {
    switch (event.kind) {
      case 'store-data':
        return this.#store.write(event.bytes);
      case 'store-request':
        this.#storing = event;
        return this.#store.begin(event, {
          callingAeTitle: this.#callingAeTitle,
          calledAeTitle: this.#request!.calledAeTitle,
          peerAddress: this.accepting.peer.address,
        });
      case 'store-end':
        return this.#store.end().then((status) => {
          this.#answer(RESPONSE_FIELD.store, this.#storing!, status);
        });
      case 'forward':
        return this.#ask(event.pdu);
      case 'event-report':
        return this.#report(event);
      case 'associate-request':
        return this.#associate(event.pdu);
      case 'release-request':
        this.#library!.push(event.pdu);
        return undefined;
      case 'abort':
        this.destroy();
        return undefined;
    }
  }

  #answer(field: number, { contextId, command }: RequestOnContext, status: number): void {
    this.#watch.messageDone();
    if (this.#isOver) return;
    // What is no UID is not said back; the UIDs of an answer are optional (PS3.7 9.1.1.1).
    const said = (uid: string): string => (isWireUid(uid) ? uid : '');
    const affectedSopClassUid = said(command.affectedSopClassUid);
    const affectedSopInstanceUid = said(command.affectedSopInstanceUid);
    const { messageId, eventTypeId } = command;
    const uids = { affectedSopClassUid, affectedSopInstanceUid };
    const response = { field, contextId, messageId, status, ...uids, eventTypeId };
    this.#socket.write(encodeResponsePdu(response));
  }
  /** A request for the library; waits for its answer, so that answers keep their order. */
  #ask(pdu: Buffer): Wait {
    let isAnswered = false;
    this.#onAnswer = () => (isAnswered = true);
    this.#library!.push(pdu);
    if (isAnswered) return undefined;
    // Only a query takes time; a wait for anything else would hold the connection for ever.
    if (!this.offersFind) throw new AifiError('INTERNAL', 'the library does not answer');
    return new Promise((resolve) => (this.#onAnswer = resolve));
  }
  async #report(event: EventReportEvent): Promise<void> {
    const status = await receiveReport(event, this.#callingAeTitle, this.options.commitment!);
    this.#answer(RESPONSE_FIELD.eventReport, event, status);
  }

  #associate(pdu: Buffer): Wait {
    this.accepting.onAssociateRequest();
    if (isOtherProtocolVersion(pdu)) {
      return this.#reject(ASSOCIATE_REJECTION.protocolVersionNotSupported, 'INVALID_ARGUMENT');
    }
    const request = decodeAssociateRequest(pdu);
    this.#request = request;
    if (request.applicationContext !== APPLICATION_CONTEXT) {
      return this.#reject(ASSOCIATE_REJECTION.applicationContextNotSupported, 'INVALID_ARGUMENT');
    }
    if (!this.options.aeTitles.has(request.calledAeTitle)) {
      return this.#reject(ASSOCIATE_REJECTION.calledAeNotRecognised, 'NOT_FOUND');
    }
    if (!this.options.isKnownCaller(request.callingAeTitle, this.accepting.peer)) {
      return this.#reject(ASSOCIATE_REJECTION.callingAeNotRecognised, 'FORBIDDEN');
    }
    this.#library = new LibrarySocket(this.#socket);
    new AssociationScp(this.#library, this);
    this.#library.push(encodeCanonicalRequest(request));
    const { signal } = this.#closed;
    void this.#watch.stalled(signal).then(() => {
      if (!signal.aborted) this.#stalled();
    });
    return undefined;
  }
  #reject(rejection: AssociateRejection, code: ErrorCode): undefined {
    this.#refused('association', new AifiError(code, 'association is rejected'));
    this.#isOver = true;
    this.#socket.write(encodeAssociateReject(rejection));
    this.ending();
  }

  /** Tells the peer, and reads and drops what it still sends until it closes or the grace ends. */
  #abort(reason: number): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#onAnswer?.();
    if (!this.#socket.writable) {
      this.destroy();
      return;
    }
    this.#socket.end(encodeAbort(reason));
    this.#socket.resume();
    this.ending();
  }
  /** The peer broke the protocol, or something here has a fault. */
  async #failedBy(error: unknown): Promise<void> {
    const fault = AifiError.from(error);
    this.#refused(this.#request ? 'stream' : 'association', fault);
    await this.#store.drop();
    this.#abort(abortReasonOf(fault));
  }
  #stalled(): void {
    if (this.#isOver) return;
    this.#refused('stream', new AifiError('DEADLINE_EXCEEDED', 'no progress'));
    this.#working = this.#working.then(() => this.#store.drop());
    this.#abort(ABORT_REASON.notSpecified);
  }
  #refused(what: ScpRefusal['what'], fault: AifiError, dimseStatus?: number): void {
    const { code, message: reason } = fault;
    const callingAeTitle = this.#callingAeTitle;
    const answer = dimseStatus === undefined ? {} : { dimseStatus, reason };
    this.options.onRefusal({ what, code, callingAeTitle, ...answer });
  }
  get #callingAeTitle(): string {
    return this.#request?.callingAeTitle ?? '';
  }

  // What the library asks (AssociationOwner).
  get offersFind(): boolean {
    return this.options.find !== undefined;
  }
  get takesReports(): boolean {
    return mayReport(this.#request!, this.options.commitment);
  }
  accepted(...[contexts, refused]: Parameters<AssociationOwner['accepted']>): void {
    if (refused > 0) {
      this.#refused('context', new AifiError('DICOM_SOP_CLASS_UNSUPPORTED', 'not taken here'));
    }
    this.#normaliser.accept(contexts);
  }
  ending(): void {
    const { signal } = this.#closed;
    void this.options.clock.sleep(LIMITS.socketGraceMs, signal).then(() => {
      if (!signal.aborted) this.destroy();
    });
  }
  answered(): void {
    this.#watch.messageDone();
    this.#onAnswer?.();
  }
  async find(query: Identifier): Promise<readonly Identifier[] | number> {
    try {
      return (await this.options.find?.(query)) ?? [];
    } catch (error) {
      return AifiError.from(error).dimseStatus;
    }
  }
  failed(): void {
    if (this.#isOver) return;
    this.#refused('stream', new AifiError('INTERNAL', 'the library gave up'));
    this.#abort(ABORT_REASON.notSpecified);
  }
}
