/**
 * Association negotiation of our SCU: writes A-ASSOCIATE-RQ, reads A-ASSOCIATE-AC.
 * Decides that exactly the contexts that are needed are proposed, so that the peer can pick no
 * transfer syntax that the bytes do not have. Invariant: reading never leaves the PDU.
 * Source: PS3.8 9.3.2, 9.3.3 and annex D.
 */
import { IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME, unpadded } from '@aifi/dicom-core';
import { AifiError, LIMITS } from '@aifi/shared-kernel';
import { encodePdu, PDU_HEADER_BYTES, PDU_TYPE } from './pdu.js';

/** Protocol version, reserved bytes and both AE titles, PS3.8 9.3.2. */
const FIXED_BYTES = 68;
const APPLICATION_CONTEXT = '1.2.840.10008.3.1.1.1';

export interface ProposedContext {
  readonly abstractSyntaxUid: string;
  readonly transferSyntaxUids: readonly string[];
}
export interface AssociationTerms {
  /** Accepted transfer syntax by presentation context id. */
  readonly transferSyntaxes: ReadonlyMap<number, string>;
  /** Longest P-DATA-TF body that the peer takes. @unit bytes */
  readonly pduBytesMax: number;
}

/** Id of the n-th proposed context: odd numbers from 1 (PS3.8 9.3.2.2). */
export function contextIdOf(index: number): number {
  return index * 2 + 1;
}

function item(type: number, body: Uint8Array): Buffer {
  const header = Buffer.from([type, 0, 0, 0]);
  header.writeUInt16BE(body.length, 2);
  return Buffer.concat([header, body]);
}
const text = (value: string): Buffer => Buffer.from(value, 'latin1');

/** SCP/SCU role selection (PS3.7 D.3.3.4.1): not the role of SCU, that of SCP. */
function scpRole(sopClassUid: string): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(sopClassUid.length);
  return item(0x54, Buffer.concat([length, text(sopClassUid), Buffer.from([0, 1])]));
}

export function encodeAssociateRequest(
  calledAeTitle: string,
  callingAeTitle: string,
  contexts: readonly ProposedContext[],
  /** SOP classes of which we are to be the SCP on this association, as C-GET needs. */
  asScp: ReadonlySet<string> = new Set(),
): Buffer {
  const maximum = Buffer.alloc(4);
  maximum.writeUInt32BE(LIMITS.pduReceiveBytesMax);
  const proposals = contexts.map(({ abstractSyntaxUid, transferSyntaxUids }, index) => {
    const syntaxes = transferSyntaxUids.map((uid) => item(0x40, text(uid)));
    const head = Buffer.from([contextIdOf(index), 0, 0, 0]);
    return item(0x20, Buffer.concat([head, item(0x30, text(abstractSyntaxUid)), ...syntaxes]));
  });
  const userInformation = Buffer.concat([
    item(0x51, maximum),
    item(0x52, text(IMPLEMENTATION_CLASS_UID)),
    ...[...asScp].map(scpRole),
    item(0x55, text(IMPLEMENTATION_VERSION_NAME)),
  ]);
  const aeTitles = text(calledAeTitle.padEnd(16) + callingAeTitle.padEnd(16));
  return encodePdu(
    PDU_TYPE.associateRequest,
    Buffer.concat([
      Buffer.from([0, 1, 0, 0]),
      aeTitles,
      Buffer.alloc(32),
      item(0x10, text(APPLICATION_CONTEXT)),
      ...proposals,
      item(0x50, userInformation),
    ]),
  );
}

/** Items of a sequence of items; INVALID_ARGUMENT when one does not fit. */
function* items(bytes: Buffer): Generator<{ type: number; body: Buffer }> {
  for (let at = 0; at < bytes.length;) {
    const end = at + 4 <= bytes.length ? at + 4 + bytes.readUInt16BE(at + 2) : Infinity;
    if (end > bytes.length) throw new AifiError('INVALID_ARGUMENT', 'association item is cut');
    yield { type: bytes[at]!, body: bytes.subarray(at + 4, end) };
    at = end;
  }
}

export function decodeAssociateAccept(pdu: Buffer): AssociationTerms {
  const transferSyntaxes = new Map<number, string>();
  let pduBytesMax = 0;
  for (const { type, body } of items(pdu.subarray(PDU_HEADER_BYTES + FIXED_BYTES))) {
    if (type === 0x21 && body.length >= 4 && body[2] === 0) {
      for (const syntax of items(body.subarray(4))) {
        const uid = unpadded(syntax.body.toString('latin1'));
        if (syntax.type === 0x40) transferSyntaxes.set(body[0]!, uid);
      }
    } else if (type === 0x50) {
      for (const user of items(body)) {
        if (user.type === 0x51 && user.body.length === 4) pduBytesMax = user.body.readUInt32BE();
      }
    }
  }
  // 0 means no limit (PS3.8 D.1); ours bounds what is queued for the socket.
  const isLimited = pduBytesMax > 0 && pduBytesMax < LIMITS.pduSendBytesMax;
  return { transferSyntaxes, pduBytesMax: isLimited ? pduBytesMax : LIMITS.pduSendBytesMax };
}

/** What the peer says of each context, by id: its Result/Reason, and the syntax that it names. */
export function decodeContextResults(
  pdu: Buffer,
): ReadonlyMap<number, { readonly result: number; readonly syntax: string | undefined }> {
  const results = new Map<number, { result: number; syntax: string | undefined }>();
  for (const { type, body } of items(pdu.subarray(PDU_HEADER_BYTES + FIXED_BYTES))) {
    if (type !== 0x21 || body.length < 4) continue;
    const result = body[2]!;
    // Of a refused context the syntax is not significant, and may not read (PS3.8 9.3.3.2).
    const [syntax] = result === 0 ? [...items(body.subarray(4))] : [];
    const uid = syntax?.type === 0x40 ? unpadded(syntax.body.toString('latin1')) : undefined;
    results.set(body[0]!, { result, syntax: uid });
  }
  return results;
}
