/**
 * OutcomeStore: where the outcomes of the sites wait, as the stream to a gateway needs it.
 * Decides the port only: whose outcomes a gateway gets, in which order, and what an acknowledgement
 * does are promises of every implementation, checked by one contract (outcome-store.contract.ts).
 * Invariants: `next` gives an outcome only after it is marked as released, durably; never one of
 * another site, of a gateway without a right to it, of a stopped product, or an older revision or
 * issue after a newer one. Source: reliability specification P5, C1, C2.
 */
import type { JobId } from '@aifi/shared-kernel';
import type { OutcomeLease, SignedOutcome } from '@aifi/hub-database';
import type { LinkPeer } from '@aifi/hub-identity';

export type { OutcomeLease, OutcomeObject, SignedOutcome } from '@aifi/hub-database';

/** What a gateway says it has as it opens its stream. */
export interface OutcomeCursor {
  readonly afterSequence: number;
  /** Nothing after that number is durable there. */
  readonly isExact: boolean;
}
export interface AcknowledgedOutcome {
  readonly jobId: JobId;
  readonly revision: number;
  readonly issue: number;
}

export interface OutcomeStore {
  /**
   * The stream that this opens is the only one of the gateway that is served from now on. What the
   * gateway had acknowledged and says it has not (it was restored) is owed again, durably.
   */
  open(peer: LinkPeer, cursor: OutcomeCursor): Promise<OutcomeLease>;
  /**
   * The oldest outcome after `afterSequence` that this gateway is owed; undefined: none now.
   * STATE_CONFLICT when the gateway has opened a newer stream.
   */
  next(
    peer: LinkPeer,
    lease: OutcomeLease,
    afterSequence: number,
  ): Promise<SignedOutcome | undefined>;
  /** It is durable at the gateway; again is nothing. NOT_FOUND for what it was never owed. */
  acknowledge(peer: LinkPeer, outcome: AcknowledgedOutcome): Promise<void>;
}
