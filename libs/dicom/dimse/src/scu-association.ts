/**
 * ScuAssociation: one association that we open, ask on, and release.
 * Decides how messages are cut into PDUs and when a peer is given up. Invariants: a dataset leaves
 * with exactly the bytes that were given and is never whole in memory; no wait is longer than the
 * deadline; what the peer did is the typed cause of the fault.
 * Source: PS3.8 9.2, 9.3 and annex E; PS3.7 9.3; reliability specification F6.
 */
import { AifiError, LIMITS, type Clock } from '@aifi/shared-kernel';
import {
  contextIdOf,
  decodeAssociateAccept,
  encodeAssociateRequest,
  type AssociationTerms,
  type ProposedContext,
} from './associate.js';
import { COMMAND_BYTES_MAX, decodeCommand, type DimseCommand } from './command-set.js';
import { chunksOf, fragmentsOf, type DatasetSource } from './dataset-fragments.js';
import { AssociationRejected, PeerNonsense } from './peer-fault.js';
import {
  encodePdvPdu,
  encodeReleaseRequest,
  PDU_HEADER_BYTES,
  PDU_TYPE,
  PDV_HEADER_BYTES,
  type Pdv,
} from './pdu.js';
import { RequestDeadline, type DeadlineLimits } from './request-deadline.js';
import { nonsense, ScuConnection, unavailable } from './scu-connection.js';
import { openSocket, type PeerAddress } from './scu-socket.js';

export interface ScuPeer extends PeerAddress {
  readonly calledAeTitle: string;
  readonly callingAeTitle: string;
}
export interface AssociationTiming {
  readonly clock: Clock;
  readonly limits: DeadlineLimits;
  /** Storage classes that the peer may send on this association, as C-GET needs. */
  readonly storage?: readonly ProposedContext[] | undefined;
}
export interface DimseMessage {
  readonly command: DimseCommand;
  readonly dataset: Buffer | undefined;
}

/** We ask on one context, so that the peer cannot answer on another. */
const CONTEXT_ID = contextIdOf(0);
/** Room for a fragment of two bytes: a peer that takes less takes nothing. @unit bytes */
const PDU_BYTES_MIN = PDV_HEADER_BYTES + 2;
/** A peer may put away what it was sent this slowly before its answer is due. */
const DIGEST_BYTES_PER_MS = 10_000;
/** A message of the peer: what we ask for is short. @unit bytes */
const MESSAGE_BYTES_MAX = LIMITS.headerValueBytesMax + COMMAND_BYTES_MAX;
const ANSWERS = new Set(['PEER_UNAVAILABLE', 'PEER_REFUSED', 'DEADLINE_EXCEEDED', 'UNTRUSTED']);

/** The dataset could not be read: a fault of ours, whatever the peer did. */
class SourceFault {
  constructor(readonly error: unknown) {}
}

async function* ours<T>(source: AsyncIterable<T>): AsyncGenerator<T> {
  try {
    yield* source;
  } catch (error) {
    throw new SourceFault(error);
  }
}

export class ScuAssociation {
  #terms: AssociationTerms = { transferSyntaxes: new Map(), pduBytesMax: LIMITS.pduSendBytesMax };

  private constructor(
    private readonly connection: ScuConnection,
    private readonly deadline: RequestDeadline,
  ) {}

  /**
   * Opens an association, runs `work` and releases. What is no answer of the peer is
   * PEER_UNAVAILABLE with a `PeerFault` as its cause, DEADLINE_EXCEEDED or UNTRUSTED; PEER_REFUSED
   * when it does not take the context.
   */
  static async run<T>(
    peer: ScuPeer,
    context: ProposedContext,
    timing: AssociationTiming,
    work: (association: ScuAssociation) => Promise<T>,
  ): Promise<T> {
    const { clock, limits, storage = [] } = timing;
    const socket = openSocket(peer);
    const deadline = new RequestDeadline(clock, limits);
    const connection = new ScuConnection(socket, deadline);
    const association = new ScuAssociation(connection, deadline);
    const asked = association.#negotiate(peer, context, storage).then(() => work(association));
    try {
      const result = await Promise.race([asked, deadline.passed]);
      await association.#release(clock);
      connection.destroy();
      return result;
    } catch (error) {
      connection.abort();
      throw meaningOf(error);
    } finally {
      deadline.stop();
    }
  }

  /** The syntax that the peer chose of those that were proposed. */
  get transferSyntaxUid(): string {
    return this.#terms.transferSyntaxes.get(CONTEXT_ID)!;
  }
  async send(command: Buffer, dataset?: DatasetSource): Promise<void> {
    this.connection.phase = 'request';
    await this.#sendPart(true, chunksOf(command));
    if (dataset) {
      const sentBytes = await this.#sendPart(false, chunksOf(dataset));
      this.deadline.extend(sentBytes / DIGEST_BYTES_PER_MS);
    }
    this.connection.phase = 'answer';
  }

  /** The next message of the peer. */
  async receive(): Promise<DimseMessage> {
    const parts: { command: Buffer[]; dataset: Buffer[] } = { command: [], dataset: [] };
    let [command, bytes]: [DimseCommand | undefined, number] = [undefined, 0];
    for (;;) {
      const pdv = await this.connection.nextPdv();
      const isExpected = pdv.contextId === CONTEXT_ID && pdv.isCommand === !command;
      if (!isExpected) throw nonsense('a fragment out of place');
      parts[pdv.isCommand ? 'command' : 'dataset'].push(pdv.value);
      bytes += pdv.value.length;
      if (bytes > MESSAGE_BYTES_MAX) throw nonsense('the answer is too long');
      if (!pdv.isLast) continue;
      command ??= decodeCommand(Buffer.concat(parts.command));
      if (!command.hasDataset) return { command, dataset: undefined };
      if (!pdv.isCommand) return { command, dataset: Buffer.concat(parts.dataset) };
    }
  }

  /** A message; undefined when none came in time, or was needed, or the peer ended it. */
  async receiveWithin(
    clock: Clock,
    waitMs: number,
    unneeded?: AbortSignal,
  ): Promise<DimseMessage | undefined> {
    this.deadline.extend(waitMs);
    const over = new AbortController();
    const ends = unneeded ? AbortSignal.any([over.signal, unneeded]) : over.signal;
    const late = clock.sleep(waitMs, ends).then(() => undefined);
    const next = this.receive().catch((error: unknown) => {
      if (this.connection.isOver) return undefined;
      throw error;
    });
    try {
      return await Promise.race([next, late]);
    } finally {
      over.abort();
    }
  }
  /** An answer of ours to a request of the peer, as a whole PDU. */
  async answer(pdu: Buffer): Promise<void> {
    await this.connection.write([pdu]);
  }
  get contextId(): number {
    return CONTEXT_ID;
  }
  /** The syntax of a context that was accepted for what the peer sends us. */
  storageSyntaxOf(contextId: number): string | undefined {
    return contextId === CONTEXT_ID ? undefined : this.#terms.transferSyntaxes.get(contextId);
  }
  /** The next fragment, for whoever takes messages that are too long to be gathered. */
  nextFragment(): Promise<Pdv> {
    return this.connection.nextPdv();
  }
  /** What we did ourselves took time that is no silence of the peer. */
  progress(): void {
    this.deadline.progress();
  }

  /** Sends a command or a dataset; says how many bytes it had. */
  async #sendPart(isCommand: boolean, chunks: AsyncIterable<Uint8Array>): Promise<number> {
    const fragmentBytes = (this.#terms.pduBytesMax - PDV_HEADER_BYTES) & ~1;
    let sentBytes = 0;
    for await (const { pieces, lengthBytes, isLast } of ours(fragmentsOf(chunks, fragmentBytes))) {
      const value = Buffer.alloc(0);
      const head = encodePdvPdu({ contextId: CONTEXT_ID, isCommand, isLast, value });
      head.writeUInt32BE(PDV_HEADER_BYTES + lengthBytes, 2);
      head.writeUInt32BE(2 + lengthBytes, PDU_HEADER_BYTES);
      await this.connection.write([head, ...pieces]);
      sentBytes += lengthBytes;
    }
    return sentBytes;
  }

  async #negotiate(
    peer: ScuPeer,
    context: ProposedContext,
    storage: readonly ProposedContext[],
  ): Promise<void> {
    await this.connection.opened();
    this.connection.phase = 'associate';
    const { calledAeTitle, callingAeTitle } = peer;
    const contexts = [context, ...storage];
    const asScp = new Set(storage.map(({ abstractSyntaxUid }) => abstractSyntaxUid));
    await this.connection.write([
      encodeAssociateRequest(calledAeTitle, callingAeTitle, contexts, asScp),
    ]);
    const { type, bytes } = await this.connection.nextControl();
    if (type === PDU_TYPE.associateReject) {
      const [, result = 0, source = 0, reason = 0] = bytes.subarray(PDU_HEADER_BYTES);
      const cause = new AssociationRejected(result, source, reason);
      throw new AifiError('PEER_UNAVAILABLE', 'the peer rejected the association', { cause });
    }
    if (type !== PDU_TYPE.associateAccept) throw nonsense('no answer to an association request');
    this.#terms = decodeAssociateAccept(bytes);
    if (this.#terms.pduBytesMax < PDU_BYTES_MIN) throw nonsense('the peer takes no data');
    const accepted = this.#terms.transferSyntaxes.get(CONTEXT_ID);
    if (!accepted) throw new AifiError('PEER_REFUSED', 'the presentation context was refused');
    if (!context.transferSyntaxUids.includes(accepted)) {
      const cause = new PeerNonsense('transfer syntax');
      throw new AifiError('PEER_REFUSED', 'the peer chose another transfer syntax', { cause });
    }
    for (const [index, { transferSyntaxUids }] of storage.entries()) {
      const chosen = this.#terms.transferSyntaxes.get(contextIdOf(index + 1));
      if (chosen !== undefined && !transferSyntaxUids.includes(chosen)) {
        throw nonsense('transfer syntax that was not proposed');
      }
    }
  }

  /** The answer is known already, so nothing that happens here can change it. */
  async #release(clock: Clock): Promise<void> {
    const over = new AbortController();
    const released = this.connection
      .write([encodeReleaseRequest()])
      .then(() => this.connection.nextControl())
      // The peer closed first: the association is over as well.
      .catch(() => undefined);
    await Promise.race([released, clock.sleep(LIMITS.socketGraceMs, over.signal)]);
    over.abort();
  }
}

function meaningOf(error: unknown): unknown {
  if (error instanceof SourceFault) return error.error;
  if (!(error instanceof AifiError) || ANSWERS.has(error.code)) return error;
  // A peer whose answer cannot be read has not answered either.
  return unavailable(new PeerNonsense(error.message));
}
