/**
 * PduNormaliser: what stands between an accepted socket and dcmjs-dimse.
 * Decides what the library may see: whole, capped PDUs with one PDV each, commands that are offered
 * here, and never a byte of a C-STORE dataset. Invariants: dataset bytes come out in order, once
 * and unchanged, however they were cut; a peer that breaks the protocol is a fault.
 * Source: PS3.8 9.2 and annex E, PS3.7 9.3; reliability specification F1, F3.
 */
import { AifiError, LIMITS } from '@aifi/shared-kernel';
import { COMMAND_BYTES_MAX, COMMAND_FIELD, decodeCommand } from './command-set.js';
import { encodePdvPdu, PDU_TYPE, PduReader, pdvsOf, type Pdu, type Pdv } from './pdu.js';

export interface AcceptedContext {
  readonly abstractSyntaxUid: string;
  readonly transferSyntaxUid: string;
}
export interface StoreRequestEvent extends AcceptedContext {
  readonly kind: 'store-request';
  readonly affectedSopClassUid: string;
  readonly affectedSopInstanceUid: string;
  /** The command, for the library. */
  readonly pdu: Buffer;
}
/** What happened, in the order of the wire. `pdu` is what the library gets to see of it. */
export type UpperLayerEvent =
  | { readonly kind: 'associate-request'; readonly pdu: Buffer }
  | { readonly kind: 'forward'; readonly pdu: Buffer }
  | StoreRequestEvent
  | { readonly kind: 'store-data'; readonly bytes: Buffer }
  | { readonly kind: 'store-end'; readonly pdu: Buffer }
  | { readonly kind: 'release-request'; readonly pdu: Buffer }
  | { readonly kind: 'abort' };

interface OpenMessage {
  readonly contextId: number;
  readonly kind: 'command' | 'store' | 'identifier';
  bytes: number;
  readonly parts: Buffer[];
}

function violation(what: string): AifiError {
  return new AifiError('INVALID_ARGUMENT', what);
}

export class PduNormaliser {
  readonly #reader = new PduReader();
  #phase: 'idle' | 'requested' | 'accepted' | 'released' = 'idle';
  #contexts: ReadonlyMap<number, AcceptedContext> = new Map();
  #open: OpenMessage | undefined;

  constructor(private readonly offersFind: boolean) {}

  /** The association is accepted with these presentation contexts, by id. */
  accept(contexts: ReadonlyMap<number, AcceptedContext>): void {
    this.#contexts = contexts;
    this.#phase = 'accepted';
  }

  /** Takes bytes of the peer; throws INVALID_ARGUMENT, LIMIT_EXCEEDED or DICOM_MALFORMED. */
  *push(chunk: Uint8Array): Generator<UpperLayerEvent> {
    for (const pdu of this.#reader.push(chunk)) yield* this.#pdu(pdu);
  }

  *#pdu({ type, bytes }: Pdu): Generator<UpperLayerEvent> {
    if (type === PDU_TYPE.abort) {
      yield { kind: 'abort' };
    } else if (type === PDU_TYPE.associateRequest && this.#phase === 'idle') {
      this.#phase = 'requested';
      yield { kind: 'associate-request', pdu: bytes };
    } else if (type === PDU_TYPE.releaseRequest && this.#phase === 'accepted' && !this.#open) {
      this.#phase = 'released';
      yield { kind: 'release-request', pdu: bytes };
    } else if (type === PDU_TYPE.data && this.#phase === 'accepted') {
      for (const pdv of pdvsOf(bytes)) yield* this.#pdv(pdv);
    } else {
      throw violation('PDU out of place');
    }
  }

  *#pdv(pdv: Pdv): Generator<UpperLayerEvent> {
    const context = this.#contexts.get(pdv.contextId);
    if (!context) throw violation('presentation context was not accepted');
    this.#open ??= { contextId: pdv.contextId, kind: 'command', bytes: 0, parts: [] };
    const open = this.#open;
    if (pdv.contextId !== open.contextId || pdv.isCommand !== (open.kind === 'command')) {
      throw violation('PDV out of place');
    }
    if (pdv.isLast) this.#open = undefined;
    if (open.kind === 'store') {
      yield* this.#storeData(pdv);
      return;
    }
    open.bytes += pdv.value.length;
    const max = open.kind === 'command' ? COMMAND_BYTES_MAX : LIMITS.headerValueBytesMax;
    if (open.bytes > max) throw new AifiError('LIMIT_EXCEEDED', 'message is too long');
    if (open.kind === 'identifier') {
      yield { kind: 'forward', pdu: encodePdvPdu(pdv) };
      return;
    }
    open.parts.push(pdv.value);
    if (pdv.isLast) yield this.#command(pdv.contextId, Buffer.concat(open.parts), context);
  }

  *#storeData(pdv: Pdv): Generator<UpperLayerEvent> {
    if (pdv.value.length > 0) yield { kind: 'store-data', bytes: pdv.value };
    if (pdv.isLast) {
      yield { kind: 'store-end', pdu: encodePdvPdu({ ...pdv, value: Buffer.alloc(0) }) };
    }
  }

  #command(contextId: number, bytes: Buffer, context: AcceptedContext): UpperLayerEvent {
    const command = decodeCommand(bytes);
    const pdu = encodePdvPdu({ contextId, isCommand: true, isLast: true, value: bytes });
    const { field, hasDataset, affectedSopClassUid, affectedSopInstanceUid } = command;
    if (field === COMMAND_FIELD.storeRequest && hasDataset) {
      this.#open = { contextId, kind: 'store', bytes: 0, parts: [] };
      const uids = { affectedSopClassUid, affectedSopInstanceUid };
      return { kind: 'store-request', ...context, ...uids, pdu };
    }
    if (field === COMMAND_FIELD.findRequest && hasDataset && this.offersFind) {
      this.#open = { contextId, kind: 'identifier', bytes: 0, parts: [] };
      return { kind: 'forward', pdu };
    }
    const isWithoutData =
      field === COMMAND_FIELD.echoRequest || field === COMMAND_FIELD.cancelRequest;
    if (!isWithoutData || hasDataset) throw violation('operation is not offered here');
    return { kind: 'forward', pdu };
  }
}
