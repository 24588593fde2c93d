/**
 * ScuAssociation: one association that we open, ask on, and release.
 * Decides how messages are cut into PDUs and when a peer is given up. Invariants: a dataset leaves
 * with exactly the bytes that were given; no wait is longer than the deadline of the request.
 * Source: PS3.8 9.2, PS3.7 9.3; reliability specification F6.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { AifiError, LIMITS, type Clock } from '@aifi/shared-kernel';
import {
  contextIdOf,
  decodeAssociateAccept,
  encodeAssociateRequest,
  type AssociationTerms,
  type ProposedContext,
} from './associate.js';
import { COMMAND_BYTES_MAX, decodeCommand, type DimseCommand } from './command-set.js';
import {
  encodePdvPdu,
  encodeReleaseRequest,
  PDU_TYPE,
  PduReader,
  PDV_HEADER_BYTES,
  pdvsOf,
  type Pdu,
} from './pdu.js';

export interface ScuPeer {
  readonly host: string;
  readonly port: number;
  readonly calledAeTitle: string;
  readonly callingAeTitle: string;
}
export interface DimseMessage {
  readonly command: DimseCommand;
  readonly dataset: Buffer | undefined;
}

function unavailable(cause?: unknown): AifiError {
  return new AifiError('PEER_UNAVAILABLE', 'the DICOM peer does not answer', { cause });
}

export class ScuAssociation {
  readonly #pdus: AsyncGenerator<Pdu>;
  #terms: AssociationTerms = { transferSyntaxes: new Map(), pduBytesMax: LIMITS.pduSendBytesMax };

  private constructor(private readonly socket: Socket) {
    this.#pdus = this.#read();
  }

  /**
   * Opens an association, runs `work` and releases. Everything that is not an answer of the peer
   * (no connection, rejection, abort, silence) is PEER_UNAVAILABLE: the outcome may be unknown.
   */
  static async run<T>(
    peer: ScuPeer,
    contexts: readonly ProposedContext[],
    deadline: { readonly clock: Clock; readonly timeoutMs: number },
    work: (association: ScuAssociation) => Promise<T>,
  ): Promise<T> {
    const socket = connect({ host: peer.host, port: peer.port, noDelay: true });
    socket.on('error', () => undefined);
    const over = new AbortController();
    void deadline.clock.sleep(deadline.timeoutMs, over.signal).then(() => {
      // With an error, so that every pending wait on the socket ends.
      socket.destroy(unavailable());
    });
    try {
      const association = new ScuAssociation(socket);
      await association.#negotiate(peer, contexts);
      const result = await work(association);
      await association.#release(deadline.clock, over.signal);
      return result;
    } catch (error) {
      // A peer that talks nonsense has not answered either.
      const isOwn = error instanceof AifiError && error.code.startsWith('PEER_');
      throw isOwn ? error : unavailable(error);
    } finally {
      over.abort();
      socket.destroy();
    }
  }

  /** The accepted transfer syntax of the n-th proposed context; PEER_REFUSED when there is none. */
  transferSyntaxOf(index: number): string {
    const accepted = this.#terms.transferSyntaxes.get(contextIdOf(index));
    if (!accepted) throw new AifiError('PEER_REFUSED', 'the presentation context was refused');
    return accepted;
  }

  async send(index: number, command: Buffer, dataset?: Uint8Array): Promise<void> {
    const contextId = contextIdOf(index);
    await this.#write(encodePdvPdu({ contextId, isCommand: true, isLast: true, value: command }));
    if (!dataset) return;
    // PS3.8 annex E: a fragment has an even length.
    const size = Math.max(2, (this.#terms.pduBytesMax - PDV_HEADER_BYTES) & ~1);
    for (let at = 0; at < dataset.length; at += size) {
      const value = Buffer.from(dataset.subarray(at, at + size));
      const isLast = at + size >= dataset.length;
      await this.#write(encodePdvPdu({ contextId, isCommand: false, isLast, value }));
    }
  }

  /** The next message of the peer. */
  async receive(): Promise<DimseMessage> {
    const parts: { command: Buffer[]; dataset: Buffer[] } = { command: [], dataset: [] };
    let [command, bytes]: [DimseCommand | undefined, number] = [undefined, 0];
    for (;;) {
      const { type, bytes: pdu } = await this.#next();
      if (type !== PDU_TYPE.data) throw unavailable();
      for (const pdv of pdvsOf(pdu)) {
        parts[pdv.isCommand ? 'command' : 'dataset'].push(pdv.value);
        bytes += pdv.value.length;
        if (bytes > LIMITS.headerValueBytesMax + COMMAND_BYTES_MAX) {
          throw new AifiError('LIMIT_EXCEEDED', 'the answer is too long');
        }
        if (pdv.isLast && pdv.isCommand) command = decodeCommand(Buffer.concat(parts.command));
        if (pdv.isLast && command && pdv.isCommand !== command.hasDataset) {
          const dataset = command.hasDataset ? Buffer.concat(parts.dataset) : undefined;
          return { command, dataset };
        }
      }
    }
  }

  async #negotiate(peer: ScuPeer, contexts: readonly ProposedContext[]): Promise<void> {
    await once(this.socket, 'connect');
    const { calledAeTitle, callingAeTitle } = peer;
    await this.#write(encodeAssociateRequest(calledAeTitle, callingAeTitle, contexts));
    const { type, bytes } = await this.#next();
    if (type !== PDU_TYPE.associateAccept) throw unavailable();
    this.#terms = decodeAssociateAccept(bytes);
  }

  /** The answer is known already, so nothing that happens here can change it. */
  async #release(clock: Clock, over: AbortSignal): Promise<void> {
    void clock.sleep(LIMITS.socketGraceMs, over).then(() => this.socket.destroy());
    try {
      await this.#write(encodeReleaseRequest());
      await this.#next();
    } catch {
      // The peer closed first: the association is over as well.
    }
  }

  async #write(pdu: Buffer): Promise<void> {
    if (this.socket.destroyed) throw unavailable();
    if (this.socket.write(pdu)) return;
    const closed = once(this.socket, 'close').then(() => {
      throw unavailable();
    });
    const drained = once(this.socket, 'drain');
    // Whichever comes second has nobody to tell.
    closed.catch(() => undefined);
    drained.catch(() => undefined);
    await Promise.race([drained, closed]);
  }
  async #next(): Promise<Pdu> {
    const { value, done } = await this.#pdus.next();
    if (done) throw unavailable();
    return value as Pdu;
  }
  async *#read(): AsyncGenerator<Pdu> {
    const reader = new PduReader();
    for await (const chunk of this.socket) yield* reader.push(chunk as Buffer);
  }
}
