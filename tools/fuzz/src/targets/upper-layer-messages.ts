/**
 * Messages of the upper layer as a peer writes them, for seeds and for generated streams.
 * Decides their bytes independently of the encoders under test. Source: PS3.8 9.3 and annex E.
 */
const text = (value: string): Buffer => Buffer.from(value, 'latin1');
const PDU_HEADER_BYTES = 6;
const SOP_CLASSES = ['1.2.840.10008.5.1.4.1.1.2', '1.2.840.10008.1.1', '1.2.840.10008.1.20.1'];
const SYNTAXES = ['1.2.840.10008.1.2.1', '1.2.840.10008.1.2'];

export function pdu(type: number, ...parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  const header = Buffer.alloc(PDU_HEADER_BYTES);
  header[0] = type;
  header.writeUInt32BE(body.length, 2);
  return Buffer.concat([header, body]);
}
/** The PDU with the length that it has. */
export function withPduLength(input: Uint8Array): Uint8Array {
  if (input.length < PDU_HEADER_BYTES) return input;
  const out = Buffer.from(input);
  out.writeUInt32BE(out.length - PDU_HEADER_BYTES, 2);
  return out;
}
function item(type: number, ...parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  const header = Buffer.from([type, 0, 0, 0]);
  header.writeUInt16BE(body.length, 2);
  return Buffer.concat([header, body]);
}
/** Items of the PDU that hold items, and where in their body these begin. */
const NESTED: Readonly<Record<number, number>> = { 0x20: 4, 0x50: 0 };
/** Whether items fill these bytes exactly, and those inside them: a plain reading of 9.3.2. */
export function isFilledWithItems(bytes: Buffer, nested = NESTED): boolean {
  let at = 0;
  while (at + 4 <= bytes.length) {
    const end = at + 4 + bytes.readUInt16BE(at + 2);
    const inner = nested[bytes[at]!];
    if (end > bytes.length) return false;
    const body = bytes.subarray(at + 4 + (inner ?? 0), end);
    if (inner !== undefined && !isFilledWithItems(body, {})) return false;
    at = end;
  }
  return at === bytes.length;
}
/** One PDV: a fragment of a command or dataset. */
export function pdv(contextId: number, control: number, value: Uint8Array): Buffer {
  const header = Buffer.alloc(6);
  header.writeUInt32BE(value.length + 2, 0);
  header[4] = contextId;
  header[5] = control;
  return Buffer.concat([header, value]);
}

export interface RequestShape {
  readonly contexts: number;
  /** With SCP/SCU role selection. */
  readonly roles?: boolean;
  /** With asynchronous operations window, extended negotiation and user identity. */
  readonly extended?: boolean;
}
function userInformation({ roles, extended }: RequestShape): Buffer {
  const length = Buffer.from([0, 2, 0, 0]);
  const parts = [item(0x51, length), item(0x52, text('2.25.7'))];
  if (extended) parts.push(item(0x53, Buffer.from([0, 1, 0, 1])));
  if (roles) {
    const uid = text(SOP_CLASSES[2]!);
    const head = Buffer.from([0, uid.length]);
    parts.push(item(0x54, head, uid, Buffer.from([0, 1])));
  }
  parts.push(item(0x55, text('FUZZ_1')));
  if (extended) {
    parts.push(item(0x56, Buffer.from([0, 17]), text('1.2.840.10008.1.1'), Buffer.from([1, 1])));
    parts.push(item(0x58, Buffer.from([1, 0, 0, 4]), text('user'), Buffer.from([0, 0])));
  }
  return item(0x50, ...parts);
}
export function associateRequestPdu(shape: RequestShape): Buffer {
  const contexts = Array.from({ length: shape.contexts }, (_, index) =>
    item(
      0x20,
      Buffer.from([index * 2 + 1, 0, 0, 0]),
      item(0x30, text(SOP_CLASSES[index % SOP_CLASSES.length]!)),
      ...SYNTAXES.map((uid) => item(0x40, text(uid))),
    ),
  );
  return pdu(
    0x01,
    Buffer.from([0, 1, 0, 0]),
    text('AIFI'.padEnd(16) + 'FUZZ'.padEnd(16)),
    Buffer.alloc(32),
    item(0x10, text('1.2.840.10008.3.1.1.1')),
    ...contexts,
    userInformation(shape),
  );
}
export function associateAcceptPdu(results: readonly number[], maximumLength: number): Buffer {
  const contexts = results.map((result, index) =>
    item(0x21, Buffer.from([index * 2 + 1, 0, result, 0]), item(0x40, text(SYNTAXES[0]!))),
  );
  const maximum = Buffer.alloc(4);
  maximum.writeUInt32BE(maximumLength);
  return pdu(
    0x02,
    Buffer.from([0, 1, 0, 0]),
    text('AIFI'.padEnd(16) + 'FUZZ'.padEnd(16)),
    Buffer.alloc(32),
    item(0x10, text('1.2.840.10008.3.1.1.1')),
    ...contexts,
    item(0x50, item(0x51, maximum), item(0x52, text('2.25.7'))),
  );
}
