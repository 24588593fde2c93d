/**
 * ScuConnection: the PDUs of one connection that we opened, in both directions.
 * Decides what ends it and whose doing that was. Invariants: what the peer sent before the end is
 * still read; neither what is queued for the peer nor what it sends ahead grows without a bound;
 * the first fault is the one that is told.
 * Source: PS3.8 9.2 and 9.3.
 */
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { AifiError } from '@aifi/shared-kernel';
import { PeerAborted, PeerClosed, PeerNonsense, type PeerPhase } from './peer-fault.js';
import {
  encodePdu,
  PDU_HEADER_BYTES,
  PDU_TYPE,
  PduReader,
  pdvsOf,
  type Pdu,
  type Pdv,
} from './pdu.js';
import type { RequestDeadline } from './request-deadline.js';
import { connectionFault } from './scu-socket.js';

/** Fragments that may wait to be read before the peer is held. */
const INBOX_MAX = 16;

export function unavailable(cause: unknown): AifiError {
  return new AifiError('PEER_UNAVAILABLE', 'the DICOM peer does not answer', { cause });
}
export function nonsense(what: string): AifiError {
  return unavailable(new PeerNonsense(what));
}

interface Waiter {
  readonly isReady: () => boolean;
  readonly resolve: () => void;
  readonly reject: (error: AifiError) => void;
}

export class ScuConnection {
  /** How far the request has come; part of every fault. */
  phase: PeerPhase = 'connect';
  readonly #reader = new PduReader();
  readonly #pdvs: Pdv[] = [];
  readonly #control: Pdu[] = [];
  #isOpen = false;
  #fault: AifiError | undefined;
  /** Whoever waits for the peer; there is one at a time. */
  #waiter: Waiter | undefined;

  constructor(
    private readonly socket: Socket,
    private readonly deadline: RequestDeadline,
  ) {
    socket.once(socket instanceof TLSSocket ? 'secureConnect' : 'connect', () => {
      this.#isOpen = true;
      this.#moved();
    });
    socket.on('drain', () => this.#moved());
    socket.on('data', (chunk: Buffer) => this.#received(chunk));
    socket.on('error', (error) => this.#fail(connectionFault(socket, this.phase, error)));
    socket.on('end', () => this.#fail(connectionFault(socket, this.phase)));
    socket.on('close', () => this.#fail(connectionFault(socket, this.phase)));
  }

  /** True when the connection is over, by either side. */
  get isOver(): boolean {
    return this.#fault !== undefined;
  }
  /** Resolves when bytes can be sent, the handshake included. */
  async opened(): Promise<void> {
    await this.#until(() => this.#isOpen);
  }
  /** Sends `parts` as one; resolves when there is room for more. */
  async write(parts: readonly Uint8Array[]): Promise<void> {
    if (this.#fault) throw this.#fault;
    this.socket.cork();
    for (const part of parts) this.socket.write(part, () => this.deadline.progress());
    this.socket.uncork();
    if (this.socket.writableNeedDrain) {
      await this.#until(() => !this.#fault && !this.socket.writableNeedDrain);
    }
  }
  async nextPdv(): Promise<Pdv> {
    await this.#until(() => this.#pdvs.length > 0);
    const pdv = this.#pdvs.shift()!;
    if (this.#pdvs.length === 0) this.socket.resume();
    return pdv;
  }
  /** The next PDU that is neither data nor an abort. */
  async nextControl(): Promise<Pdu> {
    await this.#until(() => this.#control.length > 0);
    return this.#control.shift()!;
  }
  /** Ends it at once. A peer that has read everything so far is told. */
  abort(): void {
    const isHeard = this.#isOpen && !this.#fault && this.socket.writableLength === 0;
    const pdu = encodePdu(PDU_TYPE.abort, Buffer.alloc(4));
    if (isHeard) this.socket.end(pdu, () => this.socket.destroy());
    else this.socket.destroy();
  }
  destroy(): void {
    this.socket.destroy();
  }

  #moved(): void {
    this.deadline.progress();
    this.#wake();
  }
  #received(chunk: Buffer): void {
    try {
      for (const pdu of this.#reader.push(chunk)) this.#take(pdu);
    } catch (error) {
      this.#fail(nonsense(error instanceof AifiError ? error.message : 'unreadable PDU'));
    }
    if (this.#pdvs.length > INBOX_MAX) this.socket.pause();
    this.#moved();
  }
  #take(pdu: Pdu): void {
    if (pdu.type === PDU_TYPE.data) this.#pdvs.push(...pdvsOf(pdu.bytes));
    else if (pdu.type === PDU_TYPE.abort) {
      const [, , source = 0, reason = 0] = pdu.bytes.subarray(PDU_HEADER_BYTES);
      this.#fail(unavailable(new PeerAborted(this.phase, source, reason)));
    } else if (pdu.type === PDU_TYPE.releaseRequest) {
      this.socket.end(encodePdu(PDU_TYPE.releaseResponse, Buffer.alloc(4)));
      this.#fail(unavailable(new PeerClosed(this.phase, 'RELEASED')));
    } else if (this.#control.length < INBOX_MAX) this.#control.push(pdu);
    else this.#fail(nonsense('too many PDUs'));
  }
  #fail(fault: AifiError): void {
    this.#fault ??= fault;
    this.#wake();
  }

  #until(isReady: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiter = { isReady, resolve, reject };
      this.#wake();
    });
  }
  #wake(): void {
    const waiter = this.#waiter;
    if (!waiter) return;
    if (waiter.isReady()) waiter.resolve();
    else if (this.#fault) waiter.reject(this.#fault);
    else return;
    this.#waiter = undefined;
  }
}
