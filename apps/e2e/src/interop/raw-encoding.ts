/**
 * Encoders of the upper layer and of C-STORE commands, written for the interoperability suites.
 * Decides how a PDU, a PDV and a command set look on the wire, without a line of the code under
 * test: a mistake shared by both sides would hide itself.
 * Source: PS3.8 9.3.2 to 9.3.8 and annex D; PS3.7 6.3.1, 9.3.1 and annex E.
 */
const APPLICATION_CONTEXT = '1.2.840.10008.3.1.1.1';
const IMPLEMENTATION_CLASS = '2.25.190000000000000000000000000000000001';
const PDU = { request: 1, data: 4, release: 5 } as const;
/** Command Data Set Type: anything but 0101H says that a dataset follows. */
const DATASET_FOLLOWS = 0x0001;
const NO_DATASET = 0x0101;

export interface RawTitles {
  readonly calledAeTitle: string;
  readonly callingAeTitle: string;
}
export interface RawContext {
  readonly abstractSyntaxUid: string;
  readonly transferSyntaxUids: readonly string[];
}
export interface RawObject {
  readonly sopClassUid: string;
  readonly sopInstanceUid: string;
  readonly transferSyntaxUid: string;
  /** Everything after the file meta information, in whatever shape. */
  readonly dataset: Buffer;
}

function numbered(width: 2 | 4, value: number): Buffer {
  const bytes = Buffer.alloc(width);
  bytes.writeUIntLE(value, 0, width);
  return bytes;
}
function lengthBe(width: 2 | 4, value: number): Buffer {
  const bytes = Buffer.alloc(width);
  bytes.writeUIntBE(value, 0, width);
  return bytes;
}
function item(type: number, body: Buffer): Buffer {
  return Buffer.concat([Buffer.from([type, 0]), lengthBe(2, body.length), body]);
}
const ascii = (text: string): Buffer => Buffer.from(text, 'latin1');

/** A PDU of that type around its body. */
export function rawPdu(type: number, body: Buffer): Buffer {
  return Buffer.concat([Buffer.from([type, 0]), lengthBe(4, body.length), body]);
}
/** P-DATA-TF around whole PDVs. */
export function rawDataPdu(...pdvs: readonly Buffer[]): Buffer {
  return rawPdu(PDU.data, Buffer.concat(pdvs));
}
export function rawRelease(): Buffer {
  return rawPdu(PDU.release, Buffer.alloc(4));
}

/** A presentation data value, its length field included. */
export function rawPdv(
  contextId: number,
  value: Buffer,
  is: { readonly command: boolean; readonly last: boolean },
): Buffer {
  const control = (is.command ? 1 : 0) | (is.last ? 2 : 0);
  return Buffer.concat([lengthBe(4, value.length + 2), Buffer.from([contextId, control]), value]);
}

/** A-ASSOCIATE-RQ; contexts get the ids 1, 3, 5, ... */
export function rawAssociateRequest(
  titles: RawTitles,
  contexts: readonly RawContext[],
  pduBytesMax = 16_384,
): Buffer {
  const offered = contexts.map(({ abstractSyntaxUid, transferSyntaxUids }, index) =>
    item(
      0x20,
      Buffer.concat([
        Buffer.from([2 * index + 1, 0, 0, 0]),
        item(0x30, ascii(abstractSyntaxUid)),
        ...transferSyntaxUids.map((uid) => item(0x40, ascii(uid))),
      ]),
    ),
  );
  const user = [item(0x51, lengthBe(4, pduBytesMax)), item(0x52, ascii(IMPLEMENTATION_CLASS))];
  const { calledAeTitle, callingAeTitle } = titles;
  return rawPdu(
    PDU.request,
    Buffer.concat([
      Buffer.from([0, 1, 0, 0]),
      ascii(calledAeTitle.padEnd(16)),
      ascii(callingAeTitle.padEnd(16)),
      Buffer.alloc(32),
      item(0x10, ascii(APPLICATION_CONTEXT)),
      ...offered,
      item(0x50, Buffer.concat(user)),
    ]),
  );
}

/** One element of a command set: group 0000 in Implicit VR Little Endian. */
function element(number: number, value: Buffer): Buffer {
  return Buffer.concat([numbered(2, 0), numbered(2, number), numbered(4, value.length), value]);
}
function uid(value: string): Buffer {
  return ascii(value.length % 2 === 0 ? value : `${value}\0`);
}
/** A command set of the elements given, in that order, with its group length. */
export function rawCommand(elements: readonly (readonly [number, Buffer])[]): Buffer {
  const body = Buffer.concat(elements.map(([number, value]) => element(number, value)));
  return Buffer.concat([element(0x0000, numbered(4, body.length)), body]);
}
export function rawStoreCommand(object: RawObject, messageId: number): Buffer {
  return rawCommand([
    [0x0002, uid(object.sopClassUid)],
    [0x0100, numbered(2, 0x0001)],
    [0x0110, numbered(2, messageId)],
    [0x0700, numbered(2, 0)],
    [0x0800, numbered(2, DATASET_FOLLOWS)],
    [0x1000, uid(object.sopInstanceUid)],
  ]);
}
/** N-ACTION-RQ of the Storage Commitment Push Model, without its dataset (PS3.4 J.3.2). */
export function rawCommitmentCommand(sopClassUid: string, sopInstanceUid: string): Buffer {
  return rawCommand([
    [0x0003, uid(sopClassUid)],
    [0x0100, numbered(2, 0x0130)],
    [0x0110, numbered(2, 1)],
    [0x0800, numbered(2, NO_DATASET)],
    [0x1001, uid(sopInstanceUid)],
    [0x1008, numbered(2, 1)],
  ]);
}
