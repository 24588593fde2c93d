/**
 * PDUs of the DICOM upper layer: cutting a byte stream into whole PDUs, and PDUs into PDVs.
 * Decides how long a PDU may be before a byte of it is kept. Invariants: never more than one PDU is
 * in memory; a length that does not fit is a fault, never a guess.
 * Source: PS3.8 9.3 and annex E; reliability specification F3.
 */
import { AifiError, LIMITS } from '@aifi/shared-kernel';

/** PDU types, PS3.8 9.3.1. */
export const PDU_TYPE = {
  associateRequest: 0x01,
  associateAccept: 0x02,
  associateReject: 0x03,
  data: 0x04,
  releaseRequest: 0x05,
  releaseResponse: 0x06,
  abort: 0x07,
} as const;

/** Why a service provider aborts, PS3.8 9.3.8. */
export const ABORT_REASON = {
  notSpecified: 0,
  unrecognisedPdu: 1,
  unexpectedPdu: 2,
  invalidParameterValue: 6,
} as const;
/** Result, source and reason of an A-ASSOCIATE-RJ, PS3.8 9.3.4. */
export interface AssociateRejection {
  readonly result: 1 | 2;
  readonly source: 1 | 2 | 3;
  readonly reason: number;
}
export const ASSOCIATE_REJECTION = {
  applicationContextNotSupported: { result: 1, source: 1, reason: 2 },
  callingAeNotRecognised: { result: 1, source: 1, reason: 3 },
  calledAeNotRecognised: { result: 1, source: 1, reason: 7 },
  protocolVersionNotSupported: { result: 1, source: 2, reason: 2 },
  localLimitExceeded: { result: 2, source: 3, reason: 2 },
} as const satisfies Record<string, AssociateRejection>;

export interface Pdu {
  readonly type: number;
  /** The whole PDU, its six bytes of header included. */
  readonly bytes: Buffer;
}
/** Presentation data value: a fragment of one command set or one dataset, PS3.8 annex E. */
export interface Pdv {
  readonly contextId: number;
  readonly isCommand: boolean;
  readonly isLast: boolean;
  readonly value: Buffer;
}

/** Type, reserved byte and 32-bit length. */
export const PDU_HEADER_BYTES = 6;
/** PDV length field, presentation context id and message control header. */
export const PDV_HEADER_BYTES = 6;
/** Some peers count the headers as data; more than that over the negotiated length is a fault. */
const PDU_SLACK_BYTES = 64;

/** A breach of the protocol; the reason of the A-ABORT that answers it travels as its cause. */
export function violation(what: string, reason: number = ABORT_REASON.unexpectedPdu): AifiError {
  return new AifiError('INVALID_ARGUMENT', what, { cause: reason });
}
/** A limit that a peer broke. */
export function tooLong(what: string): AifiError {
  return new AifiError('LIMIT_EXCEEDED', what, { cause: ABORT_REASON.invalidParameterValue });
}
export function abortReasonOf({ cause }: AifiError): number {
  return typeof cause === 'number' ? cause : ABORT_REASON.notSpecified;
}

/** Longest body of a PDU of this type. */
export function bodyBytesMax(type: number): number {
  if (type === PDU_TYPE.associateRequest || type === PDU_TYPE.associateAccept) {
    return LIMITS.associateRequestBytesMax;
  }
  return type === PDU_TYPE.data ? LIMITS.pduReceiveBytesMax + PDU_SLACK_BYTES : 4;
}

/** Cuts what arrives into PDUs, whatever the chunks look like. */
export class PduReader {
  readonly #header = Buffer.alloc(PDU_HEADER_BYTES);
  #pdu: Buffer | undefined;
  #filled = 0;

  /** Takes bytes, yields the PDUs that they complete; LIMIT_EXCEEDED or INVALID_ARGUMENT. */
  *push(chunk: Uint8Array): Generator<Pdu> {
    for (let rest = chunk; rest.length > 0;) {
      const target = this.#pdu ?? this.#header;
      const taken = rest.subarray(0, target.length - this.#filled);
      target.set(taken, this.#filled);
      this.#filled += taken.length;
      rest = rest.subarray(taken.length);
      if (this.#filled === this.#header.length && !this.#pdu) this.#begin();
      if (this.#pdu && this.#filled === this.#pdu.length) {
        const bytes = this.#pdu;
        this.#pdu = undefined;
        this.#filled = 0;
        yield { type: bytes[0]!, bytes };
      }
    }
  }

  #begin(): void {
    const type = this.#header[0]!;
    const length = this.#header.readUInt32BE(2);
    if (type < PDU_TYPE.associateRequest || type > PDU_TYPE.abort) {
      throw new AifiError('INVALID_ARGUMENT', 'unknown PDU type');
    }
    if (length > bodyBytesMax(type)) throw new AifiError('LIMIT_EXCEEDED', 'PDU is too long');
    this.#pdu = Buffer.allocUnsafe(PDU_HEADER_BYTES + length);
    this.#header.copy(this.#pdu);
  }
}

/** The PDVs of a P-DATA-TF PDU, in order; INVALID_ARGUMENT when lengths do not add up. */
export function pdvsOf(pdu: Buffer): Pdv[] {
  const pdvs: Pdv[] = [];
  for (let at = PDU_HEADER_BYTES; at < pdu.length;) {
    const isWhole = pdu.length - at >= PDV_HEADER_BYTES;
    const length = isWhole ? pdu.readUInt32BE(at) : 0;
    const end = at + 4 + length;
    if (length < 2 || end > pdu.length) throw new AifiError('INVALID_ARGUMENT', 'bad PDV length');
    const control = pdu[at + 5]!;
    pdvs.push({
      contextId: pdu[at + 4]!,
      isCommand: (control & 1) !== 0,
      isLast: (control & 2) !== 0,
      value: pdu.subarray(at + PDV_HEADER_BYTES, end),
    });
    at = end;
  }
  return pdvs;
}

/** A PDU of `type` around `body`. */
export function encodePdu(type: number, body: Uint8Array): Buffer {
  const header = Buffer.alloc(PDU_HEADER_BYTES);
  header[0] = type;
  header.writeUInt32BE(body.length, 2);
  return Buffer.concat([header, body]);
}

/** A P-DATA-TF PDU that holds exactly one PDV. */
export function encodePdvPdu({ contextId, isCommand, isLast, value }: Pdv): Buffer {
  const head = Buffer.alloc(PDV_HEADER_BYTES);
  head.writeUInt32BE(value.length + 2, 0);
  head[4] = contextId;
  head[5] = (isCommand ? 1 : 0) | (isLast ? 2 : 0);
  return encodePdu(PDU_TYPE.data, Buffer.concat([head, value]));
}

/** A-ABORT of the service provider (PS3.8 9.3.8). */
export function encodeAbort(reason: number = ABORT_REASON.notSpecified): Buffer {
  return encodePdu(PDU_TYPE.abort, Buffer.from([0, 0, 2, reason]));
}
export function encodeAssociateReject({ result, source, reason }: AssociateRejection): Buffer {
  return encodePdu(PDU_TYPE.associateReject, Buffer.from([0, result, source, reason]));
}
export function encodeReleaseRequest(): Buffer {
  return encodePdu(PDU_TYPE.releaseRequest, Buffer.alloc(4));
}
