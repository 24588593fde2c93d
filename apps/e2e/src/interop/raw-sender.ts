/**
 * RawSender: an association of our own whose PDUs are cut exactly as a suite says.
 * Decides nothing: it offers what it is told, sends what it is given, right or wrong, and says what
 * came back. Every wait ends: at the answer, at the end of the connection, or at the deadline.
 * Source: PS3.8 9.3; PS3.7 9.3.1.
 */
import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import {
  rawAssociateRequest,
  rawRelease,
  type RawContext,
  type RawTitles,
} from './raw-encoding.js';

const HOST = '127.0.0.1';
const PDU = { accept: 2, reject: 3, data: 4, abort: 7 } as const;
/** Silence for longer than this is a hang. @unit ms */
const DEADLINE_MS = 10_000;

export interface RawPeer extends RawTitles {
  readonly port: number;
}
export type RawAnswer =
  | { readonly kind: 'status'; readonly status: number; readonly messageId: number }
  | { readonly kind: 'aborted' | 'closed' | 'silent' };
export type RawOpening =
  | { readonly kind: 'accepted'; readonly results: readonly number[]; readonly pduBytes: number }
  | { readonly kind: 'rejected' | 'aborted' | 'closed' | 'silent' };

export class RawSender {
  #received = Buffer.alloc(0);
  #isEnded = false;
  #wake: () => void = () => undefined;

  private constructor(readonly socket: Socket) {
    socket.on('data', (bytes: Buffer) => {
      this.#received = Buffer.concat([this.#received, bytes]);
      this.#wake();
    });
    const end = (): void => {
      this.#isEnded = true;
      this.#wake();
    };
    socket.on('error', end);
    socket.on('close', end);
  }

  static async connect(port: number): Promise<RawSender> {
    const socket = connect({ host: HOST, port, noDelay: true });
    await once(socket, 'connect');
    return new RawSender(socket);
  }
  /** Connects and offers the contexts; the sender and what the other side said. */
  static async open(
    peer: RawPeer,
    contexts: readonly RawContext[],
  ): Promise<{ sender: RawSender; opening: RawOpening }> {
    const sender = await RawSender.connect(peer.port);
    await sender.write(rawAssociateRequest(peer, contexts));
    const answer = await sender.nextPdu();
    if (typeof answer === 'string') return { sender, opening: { kind: answer } };
    if (answer[0] === PDU.accept) return { sender, opening: readAccept(answer) };
    return { sender, opening: { kind: answer[0] === PDU.reject ? 'rejected' : 'aborted' } };
  }

  /** Sends bytes and waits while the connection cannot take more. */
  async write(bytes: Buffer): Promise<void> {
    if (this.#isEnded || this.socket.write(bytes)) return;
    await new Promise<void>((resolve) => {
      this.#wake = () => this.#isEnded && resolve();
      this.socket.once('drain', resolve);
    });
  }
  /** The next response, whatever it answers. */
  async answer(): Promise<RawAnswer> {
    const pdu = await this.nextPdu();
    if (typeof pdu === 'string') return { kind: pdu };
    if (pdu[0] !== PDU.data) return { kind: 'aborted' };
    return { kind: 'status', ...readResponse(pdu) };
  }
  /** Releases the association, politely when it can be, and frees the socket. */
  async close(): Promise<void> {
    await this.write(rawRelease());
    await this.nextPdu();
    this.socket.destroy();
  }

  async nextPdu(): Promise<Buffer | 'closed' | 'silent'> {
    const deadline = AbortSignal.timeout(DEADLINE_MS);
    for (;;) {
      const held = this.#received;
      const end = held.length < 6 ? Infinity : 6 + held.readUInt32BE(2);
      if (end <= held.length) {
        this.#received = held.subarray(end);
        return held.subarray(0, end);
      }
      if (this.#isEnded) return 'closed';
      if (deadline.aborted) return 'silent';
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        deadline.addEventListener('abort', () => resolve(), { once: true });
      });
    }
  }
}

function readAccept(pdu: Buffer): RawOpening {
  const results: number[] = [];
  let pduBytes = 0;
  for (let at = 74; at < pdu.length; at += 4 + pdu.readUInt16BE(at + 2)) {
    if (pdu[at] === 0x21) results.push(pdu[at + 6]!);
    if (pdu[at] === 0x50 && pdu[at + 4] === 0x51) pduBytes = pdu.readUInt32BE(at + 8);
  }
  return { kind: 'accepted', results, pduBytes };
}

/** Status and message id of a response that fits one PDV, as they all do. */
function readResponse(pdu: Buffer): { status: number; messageId: number } {
  let [status, messageId] = [-1, -1];
  for (let at = 12; at + 8 <= pdu.length; at += 8 + pdu.readUInt32LE(at + 4)) {
    const number = pdu.readUInt16LE(at + 2);
    if (number === 0x0900) status = pdu.readUInt16LE(at + 8);
    if (number === 0x0120) messageId = pdu.readUInt16LE(at + 8);
  }
  return { status, messageId };
}
