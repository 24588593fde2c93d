/**
 * What was on the wire: C-STORE datasets put together again from the recorded bytes.
 * Decides nothing about content. A small parser of its own: it shares no code with the listener
 * under test, so that both can be wrong only in different ways.
 * Invariant: a byte that is not part of a whole PDU is a fault of the record, never dropped.
 * Source: PS3.8 9.3 and annex E; PS3.7 annex E.
 */
const PDU = { accept: 2, data: 4 } as const;
const STORE_REQUEST = 0x0001;
const STORE_RESPONSE = 0x8001;
const HEADER_BYTES = 6;

export interface StoreOnWire {
  readonly sopClassUid: string;
  readonly sopInstanceUid: string;
  readonly contextId: number;
  readonly dataset: Buffer;
  /** Status of its answer; undefined: there was none. */
  readonly status: number | undefined;
  /** How the dataset was cut, for the proof that a suite sent what it meant to. */
  readonly pdvCount: number;
  readonly pdvsPerPduMax: number;
  readonly pduBytesMax: number;
}
export interface AssociationOnWire {
  readonly stores: readonly StoreOnWire[];
  /** Accepted transfer syntax by presentation context id. */
  readonly syntaxes: ReadonlyMap<number, string>;
}

interface Message {
  readonly contextId: number;
  readonly command: Buffer[];
  readonly dataset: Buffer[];
  pdvsPerPduMax: number;
  pduBytesMax: number;
}

function* pdus(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length;) {
    const end = at + HEADER_BYTES + bytes.readUInt32BE(at + 2);
    if (end > bytes.length) throw new Error('the record ends inside a PDU');
    yield bytes.subarray(at, end);
    at = end;
  }
}

/** Messages of one direction: command set and, where one follows, dataset. */
function messages(bytes: Buffer): Message[] {
  const done: Message[] = [];
  let open: Message | undefined;
  for (const pdu of pdus(bytes)) {
    if (pdu[0] !== PDU.data) continue;
    let ofOpen = 0;
    for (let at = HEADER_BYTES; at < pdu.length;) {
      const end = at + 4 + pdu.readUInt32BE(at);
      const [contextId, control] = [pdu[at + 4]!, pdu[at + 5]!];
      const value = pdu.subarray(at + 6, end);
      open ??= { contextId, command: [], dataset: [], pdvsPerPduMax: 0, pduBytesMax: 0 };
      const isCommand = (control & 1) !== 0;
      (isCommand ? open.command : open.dataset).push(value);
      ofOpen = isCommand ? 0 : ofOpen + 1;
      open.pdvsPerPduMax = Math.max(open.pdvsPerPduMax, ofOpen);
      open.pduBytesMax = Math.max(open.pduBytesMax, pdu.length - HEADER_BYTES);
      const isLast = (control & 2) !== 0;
      if (isLast && (!isCommand || !hasDataset(fields(open.command)))) {
        done.push(open);
        open = undefined;
        ofOpen = 0;
      }
      at = end;
    }
  }
  return done;
}

/** Values of group 0000 by element number. */
function fields(parts: readonly Buffer[]): Map<number, Buffer> {
  const bytes = Buffer.concat(parts);
  const values = new Map<number, Buffer>();
  for (let at = 0; at < bytes.length;) {
    const length = bytes.readUInt32LE(at + 4);
    values.set(bytes.readUInt16LE(at + 2), bytes.subarray(at + 8, at + 8 + length));
    at += 8 + length;
  }
  return values;
}
const short = (values: Map<number, Buffer>, number: number): number =>
  values.get(number)?.readUInt16LE() ?? -1;
const hasDataset = (values: Map<number, Buffer>): boolean => short(values, 0x0800) !== 0x0101;
const uidOf = (values: Map<number, Buffer>, number: number): string =>
  (values.get(number) ?? Buffer.alloc(0)).toString('latin1').replace(/\0+$/, '');

function storeOf(message: Message, status: number | undefined): StoreOnWire {
  const values = fields(message.command);
  return {
    sopClassUid: uidOf(values, 0x0002),
    sopInstanceUid: uidOf(values, 0x1000),
    contextId: message.contextId,
    dataset: Buffer.concat(message.dataset),
    status,
    pdvCount: message.dataset.length,
    pdvsPerPduMax: message.pdvsPerPduMax,
    pduBytesMax: message.pduBytesMax,
  };
}

/** Accepted transfer syntaxes of an A-ASSOCIATE-AC. */
function acceptedSyntaxes(bytes: Buffer): Map<number, string> {
  const syntaxes = new Map<number, string>();
  for (const pdu of pdus(bytes)) {
    if (pdu[0] !== PDU.accept) continue;
    for (let at = 74; at < pdu.length; at += 4 + pdu.readUInt16BE(at + 2)) {
      if (pdu[at] !== 0x21 || pdu[at + 6] !== 0) continue;
      const length = pdu.readUInt16BE(at + 10);
      const uid = pdu.toString('latin1', at + 12, at + 12 + length).replace(/\0+$/, '');
      syntaxes.set(pdu[at + 4]!, uid);
    }
  }
  return syntaxes;
}

/** The C-STOREs of one recorded connection. */
export function readWire(fromClient: Buffer, fromServer: Buffer): AssociationOnWire {
  const isOf = (field: number) => (message: Message) =>
    short(fields(message.command), 0x0100) === field;
  // In order: some peers give all their requests the same message id.
  const statuses = messages(fromServer)
    .filter(isOf(STORE_RESPONSE))
    .map(({ command }) => short(fields(command), 0x0900));
  const sent = messages(fromClient).filter(isOf(STORE_REQUEST));
  return {
    stores: sent.map((message, index) => storeOf(message, statuses[index])),
    syntaxes: acceptedSyntaxes(fromServer),
  };
}
