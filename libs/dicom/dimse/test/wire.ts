/**
 * Bytes of a DICOM peer, sound or broken on purpose, for the suites of the SCP.
 * Decides nothing: each builder writes what it is told, out of range too.
 * Source: PS3.8 9.3 and annex E; PS3.7 9.3 and annex E.
 */
import { encodeRequest, type DimseCommand } from '../src/command-set.js';
import { encodePdu, encodePdvPdu, PDU_TYPE } from '../src/pdu.js';

export const CT = '1.2.840.10008.5.1.4.1.1.2';
export const MR = '1.2.840.10008.5.1.4.1.1.4';
export const VERIFICATION = '1.2.840.10008.1.1';
export const COMMITMENT = '1.2.840.10008.1.20.1';
export const EXPLICIT = '1.2.840.10008.1.2.1';
export const IMPLICIT = '1.2.840.10008.1.2';
export const APPLICATION_CONTEXT = '1.2.840.10008.3.1.1.1';

export const ascii = (value: string): Buffer => Buffer.from(value, 'latin1');

export function item(type: number, ...parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  const header = Buffer.from([type, 0, 0, 0]);
  header.writeUInt16BE(body.length, 2);
  return Buffer.concat([header, body]);
}
export function context(id: number, abstractSyntax = CT, transferSyntaxes = [EXPLICIT]): Buffer {
  const syntaxes = transferSyntaxes.map((uid) => item(0x40, ascii(uid)));
  return item(0x20, Buffer.from([id, 0, 0, 0]), item(0x30, ascii(abstractSyntax)), ...syntaxes);
}
/** SCP/SCU role selection, PS3.7 D.3.3.4. */
export function role(sopClassUid: string, scu: number, scp: number): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(sopClassUid.length);
  return item(0x54, length, ascii(sopClassUid), Buffer.from([scu, scp]));
}
export const MAXIMUM_LENGTH = item(0x51, Buffer.from([0, 0, 0x40, 0]));
export const IMPLEMENTATION = item(0x52, ascii('1.2.3.4'));
export function userInformation(...items: readonly Uint8Array[]): Buffer {
  return item(0x50, MAXIMUM_LENGTH, IMPLEMENTATION, ...items);
}

export interface AssociateParts {
  readonly version?: number;
  /** Sixteen bytes when sound. */
  readonly called?: string;
  readonly calling?: string;
  readonly applicationContext?: Buffer;
  readonly contexts?: readonly Buffer[];
  readonly userInformation?: Buffer;
  readonly more?: readonly Buffer[];
}
/** The two contexts of most cases: C-STORE of CT on 1, C-ECHO on 3. */
export const CONTEXTS = [context(1), context(3, VERIFICATION, [IMPLICIT])];

export function associate(parts: AssociateParts = {}): Buffer {
  const { version = 1, called = 'SUT', calling = 'PEER', more = [] } = parts;
  const { applicationContext = item(0x10, ascii(APPLICATION_CONTEXT)) } = parts;
  const { contexts = CONTEXTS, userInformation: user = userInformation() } = parts;
  const fixed = Buffer.alloc(4);
  fixed.writeUInt16BE(version);
  const titles = ascii(called.padEnd(16) + calling.padEnd(16));
  return encodePdu(
    PDU_TYPE.associateRequest,
    Buffer.concat([
      fixed,
      titles,
      Buffer.alloc(32),
      applicationContext,
      ...contexts,
      user,
      ...more,
    ]),
  );
}

/** A PDU that says it is `length` long, and what follows of it. */
export function pduHeader(type: number, length: number, body = Buffer.alloc(0)): Buffer {
  const header = Buffer.from([type, 0, 0, 0, 0, 0]);
  header.writeUInt32BE(length, 2);
  return Buffer.concat([header, body]);
}

/** A PDV without its PDU. */
export function pdv(
  contextId: number,
  kind: 'command' | 'data',
  value: Buffer,
  last = true,
): Buffer {
  const isCommand = kind === 'command';
  return encodePdvPdu({ contextId, isCommand, isLast: last, value }).subarray(6);
}
export const pData = (...pdvs: readonly Buffer[]): Buffer =>
  encodePdu(PDU_TYPE.data, Buffer.concat(pdvs));

type RequestParts = Partial<Pick<DimseCommand, 'hasDataset' | 'messageId'>> & {
  readonly field?: number;
  readonly sopClassUid?: string;
  readonly sopInstanceUid?: string;
};
/** The command set of a C-STORE-RQ, or of what is asked for. */
export function commandSet(parts: RequestParts = {}): Buffer {
  const { field = 0x0001, hasDataset = true, messageId = 1 } = parts;
  const { sopClassUid = CT, sopInstanceUid = '1.2.3.4' } = parts;
  return encodeRequest({
    field,
    messageId,
    hasDataset,
    affectedSopClassUid: sopClassUid,
    affectedSopInstanceUid: sopInstanceUid,
  });
}
export const storeCommand = (messageId = 1): Buffer => pdv(1, 'command', commandSet({ messageId }));
/** An element of group 0000 in Implicit VR. */
export function element(number: number, value: Buffer): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt16LE(number, 2);
  header.writeUInt32LE(value.length, 4);
  return Buffer.concat([header, value]);
}
export const uint16 = (value: number): Buffer => Buffer.from([value & 0xff, value >> 8]);

/** A dataset that says which instance it is. */
export function dataset(sopInstanceUid = '1.2.3.4'): Buffer {
  const value = sopInstanceUid.length % 2 === 0 ? sopInstanceUid : `${sopInstanceUid}\0`;
  const header = Buffer.from([0x08, 0x00, 0x18, 0x00, 0x55, 0x49, 0, 0]);
  header.writeUInt16LE(value.length, 6);
  return Buffer.concat([header, ascii(value)]);
}
/** A whole C-STORE in two PDUs. */
export function store(messageId = 1, bytes = dataset()): Buffer {
  return Buffer.concat([pData(storeCommand(messageId)), pData(pdv(1, 'data', bytes))]);
}
export function echo(messageId = 1, contextId = 3): Buffer {
  const parts = { field: 0x0030, hasDataset: false, sopClassUid: VERIFICATION, messageId };
  return pData(pdv(contextId, 'command', commandSet(parts)));
}
export const RELEASE = encodePdu(PDU_TYPE.releaseRequest, Buffer.alloc(4));
export const RELEASE_RESPONSE = encodePdu(PDU_TYPE.releaseResponse, Buffer.alloc(4));
export const ABORT = encodePdu(PDU_TYPE.abort, Buffer.alloc(4));
