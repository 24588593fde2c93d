/**
 * PduNormaliser: what stands between an accepted socket and everything that reads messages.
 * Decides what is a sound message here: whole, capped association PDUs and commands, operations
 * that are offered, and datasets of C-STORE as views of the bytes that arrived. Invariants: dataset
 * bytes come out in order, once and unchanged, however they were cut, and are never gathered; a
 * peer that breaks the protocol is a fault, found at the first byte that proves it.
 * Source: PS3.8 9.2, 9.3 and annex E, PS3.7 9.3 and 10.3; reliability specification F1, F3.
 */
import { type AifiError, LIMITS } from '@aifi/shared-kernel';
import {
  COMMAND_BYTES_MAX,
  COMMAND_FIELD,
  decodeCommand,
  type DimseCommand,
} from './command-set.js';
import { MessageBuffer } from './message-buffer.js';
import {
  ABORT_REASON,
  bodyBytesMax,
  encodePdvPdu,
  PDU_HEADER_BYTES,
  PDU_TYPE,
  PDV_HEADER_BYTES,
  tooLong,
  violation,
} from './pdu.js';
import { STORAGE_COMMITMENT_SOP_CLASS } from './storage-commitment.js';

export interface AcceptedContext {
  readonly abstractSyntaxUid: string;
  readonly transferSyntaxUid: string;
}
/** A request and the presentation context that it came on. */
export interface RequestOnContext extends AcceptedContext {
  readonly contextId: number;
  readonly command: DimseCommand;
}
export interface StoreRequestEvent extends RequestOnContext {
  readonly kind: 'store-request';
}
/** N-EVENT-REPORT of storage commitment, with its whole dataset. */
export interface EventReportEvent extends RequestOnContext {
  readonly kind: 'event-report';
  readonly dataset: Buffer;
}
/** What happened, in the order of the wire. `forward` is for the library, which answers it. */
export type UpperLayerEvent =
  | { readonly kind: 'associate-request'; readonly pdu: Buffer }
  | { readonly kind: 'forward'; readonly pdu: Buffer }
  | StoreRequestEvent
  | { readonly kind: 'store-data'; readonly bytes: Buffer }
  | { readonly kind: 'store-end' }
  | EventReportEvent
  | { readonly kind: 'release-request'; readonly pdu: Buffer }
  | { readonly kind: 'abort' };

/** A message whose last fragment has not come yet. `parts` is absent for a C-STORE dataset. */
interface OpenMessage {
  readonly contextId: number;
  readonly isCommand: boolean;
  readonly parts: MessageBuffer | undefined;
  /** What the last fragment of a dataset completes. */
  readonly complete?: (dataset: Buffer) => UpperLayerEvent;
}

/** A-RELEASE and A-ABORT have this body exactly, PS3.8 9.3.6 to 9.3.8. */
const SHORT_BODY_BYTES = 4;

export class PduNormaliser {
  #phase: 'idle' | 'requested' | 'accepted' | 'released' = 'idle';
  #contexts: ReadonlyMap<number, AcceptedContext> = new Map();
  /** Header of a PDU or of a PDV; both have six bytes. */
  readonly #header = Buffer.alloc(PDU_HEADER_BYTES);
  #headerFilled = 0;
  /** A PDU other than P-DATA-TF, header included. */
  #pdu: Buffer | undefined;
  #pduFilled = 0;
  /** Bytes of the P-DATA-TF that belong to later PDVs. */
  #dataLeft = 0;
  /** Bytes of the PDV that have not come yet. */
  #valueLeft = 0;
  #isLast = false;
  #open: OpenMessage | undefined;

  constructor(private readonly offersFind: boolean) {}

  /** The association is accepted with these presentation contexts, by id. */
  accept(contexts: ReadonlyMap<number, AcceptedContext>): void {
    this.#contexts = contexts;
    this.#phase = 'accepted';
  }

  /**
   * Takes bytes of the peer; throws INVALID_ARGUMENT, LIMIT_EXCEEDED or DICOM_MALFORMED. Data in
   * the events are views of `chunk`.
   */
  *push(chunk: Uint8Array): Generator<UpperLayerEvent> {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    for (let at = 0; at < bytes.length;) {
      let event: UpperLayerEvent | undefined;
      if (this.#valueLeft > 0) {
        const part = bytes.subarray(at, at + this.#valueLeft);
        at += part.length;
        this.#valueLeft -= part.length;
        const { parts } = this.#open!;
        if (parts) parts.append(part);
        else yield { kind: 'store-data', bytes: part };
        if (this.#valueLeft === 0) event = this.#endFragment();
      } else if (this.#pdu) {
        const part = bytes.subarray(at, at + this.#pdu.length - this.#pduFilled);
        at += part.length;
        this.#pdu.set(part, this.#pduFilled);
        this.#pduFilled += part.length;
        if (this.#pduFilled === this.#pdu.length) event = this.#endPdu(this.#pdu);
      } else {
        const part = bytes.subarray(at, at + this.#header.length - this.#headerFilled);
        at += part.length;
        this.#header.set(part, this.#headerFilled);
        this.#headerFilled += part.length;
        if (this.#headerFilled === this.#header.length) event = this.#endHeader();
      }
      if (event) yield event;
    }
  }

  #endHeader(): UpperLayerEvent | undefined {
    this.#headerFilled = 0;
    if (this.#dataLeft > 0) return this.#beginFragment();
    this.#beginPdu(this.#header[0]!, this.#header.readUInt32BE(2));
    return undefined;
  }

  #beginPdu(type: number, length: number): void {
    if (type < PDU_TYPE.associateRequest || type > PDU_TYPE.abort) {
      throw violation('unknown PDU type', ABORT_REASON.unrecognisedPdu);
    }
    if (length > bodyBytesMax(type)) throw tooLong('PDU is too long');
    if (!this.#isInPlace(type)) throw violation('PDU out of place');
    if (type === PDU_TYPE.data) {
      this.#dataLeft = length;
      this.#checkDataLeft();
      if (length === 0) throw badLength();
      return;
    }
    const isShort = type !== PDU_TYPE.associateRequest;
    if (isShort ? length !== SHORT_BODY_BYTES : length === 0) throw badLength();
    this.#pdu = Buffer.allocUnsafe(PDU_HEADER_BYTES + length);
    this.#header.copy(this.#pdu);
    this.#pduFilled = PDU_HEADER_BYTES;
  }

  #isInPlace(type: number): boolean {
    if (type === PDU_TYPE.abort) return true;
    if (type === PDU_TYPE.associateRequest) return this.#phase === 'idle';
    if (type === PDU_TYPE.data) return this.#phase === 'accepted';
    return type === PDU_TYPE.releaseRequest && this.#phase === 'accepted' && !this.#open;
  }

  #endPdu(pdu: Buffer): UpperLayerEvent {
    this.#pdu = undefined;
    if (pdu[0] === PDU_TYPE.abort) return { kind: 'abort' };
    if (pdu[0] === PDU_TYPE.associateRequest) {
      this.#phase = 'requested';
      return { kind: 'associate-request', pdu };
    }
    this.#phase = 'released';
    return { kind: 'release-request', pdu };
  }

  /** What is left of a P-DATA-TF is nothing or at least one more PDV. */
  #checkDataLeft(): void {
    if (this.#dataLeft > 0 && this.#dataLeft < PDV_HEADER_BYTES) throw badLength();
  }

  /** One PDV: a fragment of one message on one presentation context. */
  #beginFragment(): UpperLayerEvent | undefined {
    const length = this.#header.readUInt32BE(0);
    if (length < 2 || length > this.#dataLeft - 4) throw badLength();
    this.#dataLeft -= 4 + length;
    this.#checkDataLeft();
    const [contextId, control] = [this.#header[4]!, this.#header[5]!];
    const isCommand = (control & 1) !== 0;
    if (!this.#contexts.has(contextId)) {
      throw violation('context was not accepted', ABORT_REASON.invalidParameterValue);
    }
    this.#open ??= {
      contextId,
      isCommand: true,
      parts: new MessageBuffer(COMMAND_BYTES_MAX),
    };
    if (contextId !== this.#open.contextId || isCommand !== this.#open.isCommand) {
      throw violation('PDV out of place');
    }
    this.#isLast = (control & 2) !== 0;
    this.#valueLeft = length - 2;
    this.#open.parts?.expect(this.#valueLeft);
    return this.#valueLeft === 0 ? this.#endFragment() : undefined;
  }

  #endFragment(): UpperLayerEvent | undefined {
    if (!this.#isLast) return undefined;
    const { contextId, isCommand, parts, complete } = this.#open!;
    this.#open = undefined;
    if (isCommand) return this.#command(contextId, parts!.take());
    return complete ? complete(parts!.take()) : { kind: 'store-end' };
  }

  #command(contextId: number, bytes: Buffer): UpperLayerEvent | undefined {
    const command = decodeCommand(bytes);
    const request = { ...this.#contexts.get(contextId)!, contextId, command };
    const pdu = (): Buffer =>
      encodePdvPdu({ contextId, isCommand: true, isLast: true, value: bytes });
    const { field, hasDataset } = command;
    if (!hasDataset) {
      if (field === COMMAND_FIELD.echoRequest) return { kind: 'forward', pdu: pdu() };
      // All matches of a C-FIND leave at once, so there is nothing left to cancel.
      if (field === COMMAND_FIELD.cancelRequest) return undefined;
    } else if (field === COMMAND_FIELD.storeRequest) {
      this.#open = { contextId, isCommand: false, parts: undefined };
      return { kind: 'store-request', ...request };
    } else if (field === COMMAND_FIELD.findRequest && this.offersFind) {
      this.#gather(contextId, LIMITS.headerValueBytesMax, (value) => {
        const identifier = encodePdvPdu({ contextId, isCommand: false, isLast: true, value });
        return { kind: 'forward', pdu: Buffer.concat([pdu(), identifier]) };
      });
      return undefined;
    } else if (
      field === COMMAND_FIELD.eventReportRequest &&
      request.abstractSyntaxUid === STORAGE_COMMITMENT_SOP_CLASS
    ) {
      this.#gather(contextId, LIMITS.headerBytesMax, (dataset) => {
        return { kind: 'event-report', ...request, dataset };
      });
      return undefined;
    }
    throw violation('operation is not offered here');
  }

  #gather(contextId: number, maxBytes: number, complete: OpenMessage['complete'] & object): void {
    const parts = new MessageBuffer(maxBytes);
    this.#open = { contextId, isCommand: false, parts, complete };
  }
}

function badLength(): AifiError {
  return violation('lengths of PDU and PDV do not add up', ABORT_REASON.invalidParameterValue);
}
