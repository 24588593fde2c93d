/**
 * RawStoreSender: C-STORE of objects that no memory holds, in bytes made here.
 * Decides nothing about content: an object is its header and a recipe for the rest, so that a
 * sender of 4 GB costs no more than its chunk. Invariants: one object after the other; it waits for
 * the socket (`drain`) and for each answer. Source: PS3.8 9.3 (PDUs), PS3.7 9.3.1 (C-STORE).
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { AifiError } from '@aifi/shared-kernel';

const APPLICATION_CONTEXT = '1.2.840.10008.3.1.1.1';
const EXPLICIT_LITTLE_ENDIAN = '1.2.840.10008.1.2.1';
const IMPLEMENTATION_CLASS = '2.25.199318120349214356841235487209';
const CONTEXT_ID = 1;
/** P-DATA-TF that we send, when the peer takes as much. @unit bytes */
const PDU_BYTES_MAX = 128 * 1024;
/** PDU header (6), PDV length (4), context and flags (2). @unit bytes */
const PDV_HEADER_BYTES = 12;
/** Longer than the longest write of one object. @unit ms */
const ANSWER_MS_MAX = 600_000;

export interface SenderOptions {
  readonly host: string;
  readonly port: number;
  readonly calledAeTitle: string;
  readonly callingAeTitle: string;
  readonly sopClassUid: string;
}
export interface SentObject {
  readonly sopInstanceUid: string;
  /** Dataset in explicit VR little endian, in order; a chunk may be used again by its maker. */
  readonly chunks: () => Iterable<Uint8Array>;
}

export class RawStoreSender {
  #received: Buffer = Buffer.alloc(0);
  #messageId = 0;

  private constructor(
    private readonly socket: Socket,
    private readonly sopClassUid: string,
    private fragmentBytesMax: number,
  ) {
    socket.on('data', (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
    });
  }

  static async open(options: SenderOptions): Promise<RawStoreSender> {
    const socket = connect({ host: options.host, port: options.port, noDelay: true });
    await once(socket, 'connect');
    socket.setTimeout(ANSWER_MS_MAX, () => socket.destroy(new Error('the peer is silent')));
    const sender = new RawStoreSender(socket, options.sopClassUid, 0);
    socket.write(associateRequest(options));
    const answer = await sender.#pdu();
    if (answer[0] !== 2) throw new AifiError('PEER_REFUSED', 'the association was not accepted');
    const peerMax = maximumLengthOf(answer) || PDU_BYTES_MAX;
    sender.fragmentBytesMax = Math.min(peerMax, PDU_BYTES_MAX) - (PDV_HEADER_BYTES - 6);
    return sender;
  }

  /** The status of the answer. */
  async store(object: SentObject): Promise<number> {
    this.#messageId = (this.#messageId % 0xffff) + 1;
    const command = storeRequest(this.sopClassUid, object.sopInstanceUid, this.#messageId);
    await this.#write(pData(command, 0x03));
    let held: Uint8Array | undefined;
    for (const chunk of object.chunks()) {
      for (let from = 0; from < chunk.length; from += this.fragmentBytesMax) {
        if (held) await this.#write(pData(held, 0x00));
        held = Uint8Array.from(chunk.subarray(from, from + this.fragmentBytesMax));
      }
    }
    await this.#write(pData(held ?? new Uint8Array(0), 0x02));
    return statusOf(await this.#pdu());
  }

  async close(): Promise<void> {
    this.socket.write(Buffer.from([5, 0, 0, 0, 0, 4, 0, 0, 0, 0]));
    await this.#pdu();
    this.socket.end();
  }

  async #write(bytes: Buffer): Promise<void> {
    if (!this.socket.write(bytes)) await once(this.socket, 'drain');
  }

  async #pdu(): Promise<Buffer> {
    for (;;) {
      const length = this.#received.length >= 6 ? 6 + this.#received.readUInt32BE(2) : Infinity;
      if (this.#received.length >= length) {
        const pdu = this.#received.subarray(0, length);
        this.#received = this.#received.subarray(length);
        if (pdu[0] === 7) throw new AifiError('PEER_UNAVAILABLE', 'the peer aborted');
        return pdu;
      }
      await once(this.socket, 'data');
    }
  }
}

function item(type: number, body: Uint8Array): Buffer {
  const header = Buffer.from([type, 0, 0, 0]);
  header.writeUInt16BE(body.length, 2);
  return Buffer.concat([header, body]);
}

function associateRequest(options: SenderOptions): Buffer {
  const title = (text: string): Buffer => Buffer.from(text.padEnd(16));
  const maximum = Buffer.alloc(4);
  maximum.writeUInt32BE(PDU_BYTES_MAX);
  const body = Buffer.concat([
    Buffer.from([0, 1, 0, 0]),
    title(options.calledAeTitle),
    title(options.callingAeTitle),
    Buffer.alloc(32),
    item(0x10, Buffer.from(APPLICATION_CONTEXT)),
    item(
      0x20,
      Buffer.concat([
        Buffer.from([CONTEXT_ID, 0, 0, 0]),
        item(0x30, Buffer.from(options.sopClassUid)),
        item(0x40, Buffer.from(EXPLICIT_LITTLE_ENDIAN)),
      ]),
    ),
    item(0x50, Buffer.concat([item(0x51, maximum), item(0x52, Buffer.from(IMPLEMENTATION_CLASS))])),
  ]);
  const header = Buffer.from([1, 0, 0, 0, 0, 0]);
  header.writeUInt32BE(body.length, 2);
  return Buffer.concat([header, body]);
}

/** Maximum Length Received of the user information of an A-ASSOCIATE-AC; 0: no limit or none. */
function maximumLengthOf(pdu: Buffer): number {
  for (let at = 74; at + 4 <= pdu.length; at += 4 + pdu.readUInt16BE(at + 2)) {
    if (pdu[at] !== 0x50) continue;
    const end = at + 4 + pdu.readUInt16BE(at + 2);
    for (let sub = at + 4; sub + 4 <= end; sub += 4 + pdu.readUInt16BE(sub + 2)) {
      if (pdu[sub] === 0x51) return pdu.readUInt32BE(sub + 4);
    }
  }
  return 0;
}

/** Implicit VR little endian element of a command set. */
function element(tag: number, value: Buffer): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt16LE(tag, 2);
  header.writeUInt32LE(value.length, 4);
  return Buffer.concat([header, value]);
}
const uid = (text: string): Buffer => Buffer.from(text.length % 2 ? `${text}\0` : text);
function word(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return bytes;
}

function storeRequest(sopClassUid: string, sopInstanceUid: string, messageId: number): Buffer {
  const elements = Buffer.concat([
    element(0x0002, uid(sopClassUid)),
    element(0x0100, word(0x0001)),
    element(0x0110, word(messageId)),
    element(0x0700, word(0)),
    element(0x0800, word(0x0001)),
    element(0x1000, uid(sopInstanceUid)),
  ]);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(elements.length);
  return Buffer.concat([element(0x0000, length), elements]);
}

function pData(fragment: Uint8Array, flags: number): Buffer {
  const pdu = Buffer.alloc(PDV_HEADER_BYTES + fragment.length);
  pdu[0] = 4;
  pdu.writeUInt32BE(fragment.length + 6, 2);
  pdu.writeUInt32BE(fragment.length + 2, 6);
  pdu[10] = CONTEXT_ID;
  pdu[11] = flags;
  pdu.set(fragment, PDV_HEADER_BYTES);
  return pdu;
}

/** (0000,0900) of a C-STORE-RSP in one PDV. */
function statusOf(pdu: Buffer): number {
  const end = pdu.length;
  for (let at = PDV_HEADER_BYTES; at + 8 <= end; at += 8 + pdu.readUInt32LE(at + 4)) {
    if (pdu.readUInt16LE(at) === 0 && pdu.readUInt16LE(at + 2) === 0x0900) {
      return pdu.readUInt16LE(at + 8);
    }
  }
  throw new AifiError('PEER_UNAVAILABLE', 'the answer has no status');
}
