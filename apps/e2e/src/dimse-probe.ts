/**
 * DimseProbe: a sender of our own that says exactly what it is told to, right or wrong.
 * Decides nothing: one association with one presentation context, one C-STORE, and what came back.
 * Other senders refuse to send what is damaged; this one is for tests of the listener only.
 * Source: PS3.8 9.3.2 to 9.3.8 and annex E; PS3.7 9.3.1.
 */
import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { DicomDataset, ElementWalker, encodeDataset } from '@aifi/dicom-core';

const HOST = '127.0.0.1';
const APPLICATION_CONTEXT = '1.2.840.10008.3.1.1.1';
const CONTEXT_ID = 1;
const IMPLICIT = { explicitVr: false, littleEndian: true };
const PDU = { request: 1, accept: 2, data: 4, release: 5, abort: 7 } as const;
const ITEM = { application: 0x10, offered: 0x20, answered: 0x21, abstract: 0x30, transfer: 0x40 };
const USER_INFORMATION = 0x50;
const MAXIMUM_LENGTH = 0x51;
const IMPLEMENTATION_CLASS = 0x52;
const STATUS = 0x00000900;
/** Well below what the listener offers to receive. @unit bytes */
const FRAGMENT_BYTES = 16_000;

export interface ProbePeer {
  readonly port: number;
  readonly callingAeTitle: string;
  readonly calledAeTitle: string;
}
export interface ProbeObject {
  readonly sopClassUid: string;
  readonly sopInstanceUid: string;
  readonly transferSyntaxUid: string;
  /** Everything after the file meta information, in whatever shape. */
  readonly dataset: Uint8Array;
}
export interface ProbeAnswer {
  /** PS3.8 9.3.3.2: 0 accepted, 3 abstract syntax not supported, 4 transfer syntaxes not. */
  readonly contextResult: number | undefined;
  /** Status of the C-STORE; undefined when it was not sent or not answered. */
  readonly status: number | undefined;
}

/** Offers the object's class in its syntax and stores it when that is accepted. */
export async function probeStore(peer: ProbePeer, object: ProbeObject): Promise<ProbeAnswer> {
  const socket = connect(peer.port, HOST);
  const pdus = readPdus(socket);
  try {
    await once(socket, 'connect');
    socket.write(associateRequest(peer, object));
    const accept = await nextPdu(pdus);
    const contextResult = accept?.[0] === PDU.accept ? resultOf(accept) : undefined;
    if (contextResult !== 0) return { contextResult, status: undefined };
    socket.write(pdv(storeCommand(object), { isCommand: true, isLast: true }));
    for (let at = 0; at < object.dataset.length; at += FRAGMENT_BYTES) {
      const value = object.dataset.subarray(at, at + FRAGMENT_BYTES);
      const isLast = at + FRAGMENT_BYTES >= object.dataset.length;
      socket.write(pdv(value, { isCommand: false, isLast }));
    }
    const answer = await nextPdu(pdus);
    const status = answer?.[0] === PDU.data ? statusOf(answer) : undefined;
    socket.write(pdu(PDU.release, Buffer.alloc(4)));
    await nextPdu(pdus);
    return { contextResult, status };
  } finally {
    socket.destroy();
  }
}

/** Sends bytes as they are; what came back until the other side closed. */
export async function probeBytes(port: number, bytes: Uint8Array): Promise<Buffer> {
  const socket = connect(port, HOST);
  await once(socket, 'connect');
  socket.write(bytes);
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

async function nextPdu(pdus: AsyncGenerator<Buffer>): Promise<Buffer | undefined> {
  const { value, done } = await pdus.next();
  return done ? undefined : (value as Buffer);
}

async function* readPdus(socket: Socket): AsyncGenerator<Buffer> {
  let rest = Buffer.alloc(0);
  for await (const chunk of socket) {
    rest = Buffer.concat([rest, chunk as Buffer]);
    for (let end = endOf(rest); end <= rest.length; end = endOf(rest)) {
      yield rest.subarray(0, end);
      rest = rest.subarray(end);
    }
  }
}
const endOf = (bytes: Buffer): number => (bytes.length < 6 ? Infinity : 6 + bytes.readUInt32BE(2));

function pdu(type: number, body: Uint8Array): Buffer {
  const head = Buffer.from([type, 0, 0, 0, 0, 0]);
  head.writeUInt32BE(body.length, 2);
  return Buffer.concat([head, body]);
}
function item(type: number, body: Uint8Array): Buffer {
  const head = Buffer.from([type, 0, 0, 0]);
  head.writeUInt16BE(body.length, 2);
  return Buffer.concat([head, body]);
}
function pdv(value: Uint8Array, is: { isCommand: boolean; isLast: boolean }): Buffer {
  const head = Buffer.alloc(6);
  head.writeUInt32BE(value.length + 2);
  head[4] = CONTEXT_ID;
  head[5] = (is.isCommand ? 1 : 0) | (is.isLast ? 2 : 0);
  return pdu(PDU.data, Buffer.concat([head, value]));
}

function associateRequest(peer: ProbePeer, object: ProbeObject): Buffer {
  const context = Buffer.concat([
    Buffer.from([CONTEXT_ID, 0, 0, 0]),
    item(ITEM.abstract, Buffer.from(object.sopClassUid)),
    item(ITEM.transfer, Buffer.from(object.transferSyntaxUid)),
  ]);
  const maximumLength = Buffer.alloc(4);
  maximumLength.writeUInt32BE(FRAGMENT_BYTES * 2);
  const title = (text: string): Buffer => Buffer.from(text.padEnd(16));
  return pdu(
    PDU.request,
    Buffer.concat([
      Buffer.from([0, 1, 0, 0]),
      title(peer.calledAeTitle),
      title(peer.callingAeTitle),
      Buffer.alloc(32),
      item(ITEM.application, Buffer.from(APPLICATION_CONTEXT)),
      item(ITEM.offered, context),
      item(
        USER_INFORMATION,
        Buffer.concat([
          item(MAXIMUM_LENGTH, maximumLength),
          item(IMPLEMENTATION_CLASS, Buffer.from('1.2.3.4')),
        ]),
      ),
    ]),
  );
}

/** Result of the one presentation context of an A-ASSOCIATE-AC. */
function resultOf(accept: Buffer): number | undefined {
  for (let at = 74; at + 4 <= accept.length; at += 4 + accept.readUInt16BE(at + 2)) {
    if (accept[at] === ITEM.answered) return accept[at + 6];
  }
  return undefined;
}

function storeCommand({ sopClassUid, sopInstanceUid }: ProbeObject): Buffer {
  const command = new DicomDataset()
    .setString(0x00000002, sopClassUid, 'UI')
    .setNumbers(0x00000100, [1], 'US')
    .setNumbers(0x00000110, [1], 'US')
    .setNumbers(0x00000700, [0], 'US')
    .setNumbers(0x00000800, [1], 'US')
    .setString(0x00001000, sopInstanceUid, 'UI');
  const body = encodeDataset(command, IMPLICIT);
  const length = new DicomDataset().setNumbers(0x00000000, [body.length], 'UL');
  return Buffer.concat([encodeDataset(length, IMPLICIT), body]);
}

/** Of a C-STORE-RSP that fits one PDV, as they all do. */
function statusOf(data: Buffer): number | undefined {
  const walker = new ElementWalker(IMPLICIT);
  walker.push(data.subarray(12));
  return Buffer.from(walker.end().dataset.bytes(STATUS) ?? [0, 0]).readUInt16LE();
}
