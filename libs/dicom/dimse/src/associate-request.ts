/**
 * A-ASSOCIATE-RQ: strict decoding of what a peer proposes, and its canonical form for the library.
 * Decides which requests are well-formed; what is taken of them is decided elsewhere. Invariants:
 * pure, one pass without recursion, every item inside its PDU, nothing is guessed or repaired
 * except padding of names and UIDs.
 * Source: PS3.8 7.1.1, 9.3.2 and annexes D, F; PS3.7 D.3.3; reliability specification F3.
 */
import { unpadded } from '@aifi/dicom-core';
import { type AifiError, LIMITS } from '@aifi/shared-kernel';
import { ABORT_REASON, encodePdu, PDU_HEADER_BYTES, PDU_TYPE, tooLong, violation } from './pdu.js';

export const APPLICATION_CONTEXT = '1.2.840.10008.3.1.1.1';
/** Protocol version, reserved bytes and both AE titles, PS3.8 9.3.2. */
const FIXED_BYTES = 68;
/** Odd ids from 1 to 255 (PS3.8 9.3.2.2). */
const CONTEXTS_MAX = 128;
/** PS3.5 9.1: the longest UID. */
const UID_BYTES_MAX = 64;
/** The standard has about 60 transfer syntaxes; vendors add a few. */
const SYNTAXES_MAX = 128;
/** PS3.7 D.3.3.2.3. */
const VERSION_NAME_BYTES_MAX = 16;

const ITEM = {
  applicationContext: 0x10,
  presentationContext: 0x20,
  abstractSyntax: 0x30,
  transferSyntax: 0x40,
  userInformation: 0x50,
  maximumLength: 0x51,
  implementationClass: 0x52,
  roleSelection: 0x54,
  implementationVersion: 0x55,
} as const;

export interface ProposedPresentationContext {
  readonly id: number;
  readonly abstractSyntaxUid: string;
  readonly transferSyntaxUids: readonly string[];
}
/** SCP/SCU role selection of one SOP class, PS3.7 D.3.3.4: the roles the requestor proposes. */
export interface RoleSelection {
  readonly sopClassUid: string;
  readonly isScu: boolean;
  readonly isScp: boolean;
}
export interface AssociateRequest {
  readonly calledAeTitle: string;
  readonly callingAeTitle: string;
  readonly applicationContext: string;
  /** By ascending id. */
  readonly contexts: readonly ProposedPresentationContext[];
  /** Longest P-DATA-TF body that the peer takes; 0: no limit. @unit bytes */
  readonly maximumLength: number;
  readonly implementationClassUid: string;
  readonly roles: readonly RoleSelection[];
}

interface Item {
  readonly type: number;
  readonly body: Buffer;
}

function invalid(what: string): AifiError {
  return violation(what, ABORT_REASON.invalidParameterValue);
}

/** Items of `bytes`, which they fill exactly. */
function itemsOf(bytes: Buffer): Item[] {
  const items: Item[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = at + 4 <= bytes.length ? at + 4 + bytes.readUInt16BE(at + 2) : Infinity;
    if (end > bytes.length) throw invalid('association item runs past its end');
    items.push({ type: bytes[at]!, body: bytes.subarray(at + 4, end) });
    at = end;
  }
  return items;
}
/** The one item of a type. */
function only(items: readonly Item[], type: number): Buffer {
  const found = items.filter((item) => item.type === type);
  if (found.length !== 1) throw invalid('association item is missing or repeated');
  return found[0]!.body;
}

/** Text without its padding; some peers pad with NUL where the standard says space. */
function textOf(bytes: Buffer): string {
  return unpadded(bytes.toString('latin1'));
}
/** Digits and dots, at most 64. Zeros that lead a component are against PS3.5 9.1, but in use. */
export function isWireUid(uid: string): boolean {
  return uid.length <= UID_BYTES_MAX && /^\d+(\.\d+)*$/.test(uid);
}
function uidOf(bytes: Buffer): string {
  const uid = textOf(bytes);
  if (!isWireUid(uid)) throw invalid('not a UID');
  return uid;
}
/** 1 to 16 printable characters of the default repertoire, no backslash (PS3.5 6.2, VR AE). */
function aeTitleOf(bytes: Buffer): string {
  const aeTitle = textOf(bytes).replace(/^ +/, '');
  if (!/^[\x20-\x5b\x5d-\x7e]{1,16}$/.test(aeTitle)) throw invalid('not an AE title');
  return aeTitle;
}

function contextOf(body: Buffer): ProposedPresentationContext {
  if (body.length < 4) throw invalid('presentation context without its id');
  const id = body[0]!;
  if (id % 2 === 0) throw invalid('presentation context id is even');
  const items = itemsOf(body.subarray(4));
  const syntaxes = items.filter(({ type }) => type === ITEM.transferSyntax);
  if (syntaxes.length === 0) throw invalid('presentation context without transfer syntax');
  if (syntaxes.length > SYNTAXES_MAX) {
    throw tooLong('too many transfer syntaxes');
  }
  return {
    id,
    abstractSyntaxUid: uidOf(only(items, ITEM.abstractSyntax)),
    transferSyntaxUids: syntaxes.map((syntax) => uidOf(syntax.body)),
  };
}
function contextsOf(items: readonly Item[]): ProposedPresentationContext[] {
  const proposed = items.filter(({ type }) => type === ITEM.presentationContext);
  if (proposed.length === 0) throw invalid('no presentation context');
  if (proposed.length > CONTEXTS_MAX) {
    throw tooLong('too many presentation contexts');
  }
  const contexts = proposed.map(({ body }) => contextOf(body)).sort((a, b) => a.id - b.id);
  if (new Set(contexts.map(({ id }) => id)).size < contexts.length) {
    throw invalid('presentation context id occurs twice');
  }
  return contexts;
}

function roleOf(body: Buffer): RoleSelection {
  const end = body.length >= 2 ? 2 + body.readUInt16BE(0) : Infinity;
  if (end + 2 !== body.length) throw invalid('role selection of a wrong length');
  const [scu, scp] = [body[end]!, body[end + 1]!];
  if (scu > 1 || scp > 1) throw invalid('role selection is neither 0 nor 1');
  return { sopClassUid: uidOf(body.subarray(2, end)), isScu: scu === 1, isScp: scp === 1 };
}
function rolesOf(items: readonly Item[]): RoleSelection[] {
  const found = items.filter(({ type }) => type === ITEM.roleSelection);
  if (found.length > CONTEXTS_MAX) throw tooLong('too many roles');
  const roles = found.map(({ body }) => roleOf(body));
  if (new Set(roles.map(({ sopClassUid }) => sopClassUid)).size < roles.length) {
    throw invalid('role selection of a SOP class occurs twice');
  }
  return roles;
}
type UserInformation = Pick<AssociateRequest, 'maximumLength' | 'implementationClassUid' | 'roles'>;
/** Sub-items that are not known here are passed over (PS3.8 9.3.1). */
function userInformationOf(body: Buffer): UserInformation {
  const items = itemsOf(body);
  const maximum = only(items, ITEM.maximumLength);
  if (maximum.length !== 4) throw invalid('maximum length item of a wrong length');
  const versions = items.filter(({ type }) => type === ITEM.implementationVersion);
  if (versions.length > 1 || versions.some((item) => item.body.length > VERSION_NAME_BYTES_MAX)) {
    throw invalid('not an implementation version name');
  }
  return {
    maximumLength: maximum.readUInt32BE(0),
    implementationClassUid: uidOf(only(items, ITEM.implementationClass)),
    roles: rolesOf(items),
  };
}

/** PS3.8 9.3.2: bit 0 alone stands for version 1; how a request without it looks is not known. */
export function isOtherProtocolVersion(pdu: Buffer): boolean {
  const isFixedPartThere = pdu.length >= PDU_HEADER_BYTES + FIXED_BYTES;
  return isFixedPartThere && (pdu.readUInt16BE(PDU_HEADER_BYTES) & 1) === 0;
}

/** A whole A-ASSOCIATE-RQ, its header included; throws INVALID_ARGUMENT or LIMIT_EXCEEDED. */
export function decodeAssociateRequest(pdu: Buffer): AssociateRequest {
  if (pdu.length > PDU_HEADER_BYTES + LIMITS.associateRequestBytesMax) {
    throw tooLong('A-ASSOCIATE-RQ is too long');
  }
  const isWhole =
    pdu.length >= PDU_HEADER_BYTES + FIXED_BYTES &&
    pdu[0] === PDU_TYPE.associateRequest &&
    pdu.readUInt32BE(2) === pdu.length - PDU_HEADER_BYTES;
  if (!isWhole) throw invalid('A-ASSOCIATE-RQ without its fixed fields');
  if (isOtherProtocolVersion(pdu)) throw invalid('protocol version');
  const items = itemsOf(pdu.subarray(PDU_HEADER_BYTES + FIXED_BYTES));
  return {
    calledAeTitle: aeTitleOf(pdu.subarray(10, 26)),
    callingAeTitle: aeTitleOf(pdu.subarray(26, 42)),
    applicationContext: uidOf(only(items, ITEM.applicationContext)),
    contexts: contextsOf(items),
    ...userInformationOf(only(items, ITEM.userInformation)),
  };
}

function item(type: number, ...parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  const header = Buffer.from([type, 0, 0, 0]);
  header.writeUInt16BE(body.length, 2);
  return Buffer.concat([header, body]);
}
const text = (value: string): Buffer => Buffer.from(value, 'latin1');
const uint = (value: number, bytes: 2 | 4): Buffer => {
  const buffer = Buffer.alloc(bytes);
  buffer.writeUIntBE(value, 0, bytes);
  return buffer;
};

/** The request in the one form that the library sees: contexts in order, only items it needs. */
export function encodeCanonicalRequest(request: AssociateRequest): Buffer {
  const contexts = request.contexts.map(({ id, abstractSyntaxUid, transferSyntaxUids }) =>
    item(
      ITEM.presentationContext,
      Buffer.from([id, 0, 0, 0]),
      item(ITEM.abstractSyntax, text(abstractSyntaxUid)),
      ...transferSyntaxUids.map((uid) => item(ITEM.transferSyntax, text(uid))),
    ),
  );
  const userInformation = item(
    ITEM.userInformation,
    item(ITEM.maximumLength, uint(request.maximumLength, 4)),
    item(ITEM.implementationClass, text(request.implementationClassUid)),
  );
  const aeTitles = text(request.calledAeTitle.padEnd(16) + request.callingAeTitle.padEnd(16));
  return encodePdu(
    PDU_TYPE.associateRequest,
    Buffer.concat([
      Buffer.from([0, 1, 0, 0]),
      aeTitles,
      Buffer.alloc(32),
      item(ITEM.applicationContext, text(request.applicationContext)),
      ...contexts,
      userInformation,
    ]),
  );
}
