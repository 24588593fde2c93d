/**
 * RetrieveScu: what we fetch from a PACS: C-MOVE to our own listener, or C-GET on one association.
 * Decides that each request is one association, how long a PACS may be silent in it, and that its
 * end is a status and never a guess. Invariants: a request can be cancelled at any time; objects of
 * a C-GET are answered only after their sink said that they are durable.
 * Source: PS3.4 C.4.2, C.4.3, C.6.2; reliability specification F6, H15.
 */
import { EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN } from '@aifi/dicom-core';
import type { Clock } from '@aifi/shared-kernel';
import {
  awaitMove,
  cancellable,
  GetExchange,
  sendRetrieve,
  type RetrieveOutcome,
  type RetrieveTarget,
} from './retrieve-exchange.js';
import { ScuAssociation, type ScuPeer } from './scu-association.js';
import { storageContexts } from './storage-contexts.js';
import type { StoreHandler } from './store-exchange.js';

export const STUDY_ROOT_MOVE_SOP_CLASS = '1.2.840.10008.5.1.4.1.2.2.2';
export const STUDY_ROOT_GET_SOP_CLASS = '1.2.840.10008.5.1.4.1.2.2.3';
const UNCOMPRESSED = [EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN];
/** Some PACS say nothing of a C-MOVE until it is over. @unit ms */
const IDLE_MS = 300_000;
/** @unit ms */
const TOTAL_MS = 3_600_000;
/** @unit ms */
const CANCEL_GRACE_MS = 10_000;

export interface RetrieveScuOptions extends ScuPeer {
  readonly clock: Clock;
  /** Longest silence of the PACS. @unit ms @default 300000 */
  readonly idleMs?: number | undefined;
  /** Longest request in all. @unit ms @default 3600000 */
  readonly totalMs?: number | undefined;
  /** Time to end after a cancel. @unit ms @default 10000 */
  readonly cancelGraceMs?: number | undefined;
}
export interface RetrieveOrder extends RetrieveTarget {
  /** Objects that there can be at most; more is a breach of the protocol. */
  readonly objectsMax: number;
  /** Aborts with a C-CANCEL. */
  readonly signal: AbortSignal;
}
export interface GetOrder extends RetrieveOrder {
  /** Takes the objects. */
  readonly handler: StoreHandler;
  /** SOP classes of the study, as far as the PACS tells. */
  readonly sopClassUids: readonly string[];
}

export class RetrieveScu {
  constructor(private readonly options: RetrieveScuOptions) {}

  /** Has the PACS send the objects to `destination`, an AE title that it knows. */
  move(order: RetrieveOrder, destination: string): Promise<RetrieveOutcome> {
    const abstractSyntaxUid = STUDY_ROOT_MOVE_SOP_CLASS;
    const context = { abstractSyntaxUid, transferSyntaxUids: UNCOMPRESSED };
    return ScuAssociation.run(this.options, context, this.#timing(), async (to) => {
      const request = { sopClassUid: abstractSyntaxUid, moveDestination: destination };
      await sendRetrieve(to, order, request);
      return cancellable(to, awaitMove(to, order.objectsMax), this.#cancel(order));
    });
  }

  /** Has the PACS send the objects on this association. */
  get(order: GetOrder): Promise<RetrieveOutcome> {
    const { handler, objectsMax } = order;
    const abstractSyntaxUid = STUDY_ROOT_GET_SOP_CLASS;
    const context = { abstractSyntaxUid, transferSyntaxUids: UNCOMPRESSED };
    const storage = storageContexts(order.sopClassUids);
    const { calledAeTitle: callingAeTitle, host: peerAddress } = this.options;
    const peer = { callingAeTitle, peerAddress };
    const timing = { ...this.#timing(), storage };
    return ScuAssociation.run(this.options, context, timing, async (to) => {
      const exchange = new GetExchange(to, { storage, handler, peer, objectsMax });
      await sendRetrieve(to, order, { sopClassUid: abstractSyntaxUid });
      return cancellable(to, exchange.run(), this.#cancel(order));
    });
  }

  #timing(): { clock: Clock; limits: { idleMs: number; totalMs: number } } {
    const { clock, idleMs = IDLE_MS, totalMs = TOTAL_MS } = this.options;
    return { clock, limits: { idleMs, totalMs } };
  }
  #cancel({ signal }: RetrieveOrder): { clock: Clock; signal: AbortSignal; graceMs: number } {
    const { clock, cancelGraceMs: graceMs = CANCEL_GRACE_MS } = this.options;
    return { clock, signal, graceMs };
  }
}
