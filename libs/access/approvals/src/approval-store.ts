/**
 * ApprovalStore: where requests for a second person are kept, at the hub and at a gateway.
 * Decides what a store must do inside the caller's transaction. Invariant: `find` locks the row for
 * the rest of the transaction, so that two decisions cannot both succeed.
 */
import type { ApprovalState, ApprovalView } from '@aifi/contracts-rest';

/** A request as kept: states EXPIRED and the end of a grant are derived from the times. */
export interface Approval extends ApprovalView {
  /** What was decided last; the view's state adds what time has done since. */
  readonly state: ApprovalState;
}
export interface ApprovalQuery {
  /** Undefined: all sites. */
  readonly siteIds: readonly string[] | undefined;
  readonly state?: ApprovalState | undefined;
  /** As of this time: past expiresAtMs a request is EXPIRED, past its end a grant ENDED. */
  readonly nowMs: number;
  readonly cursor?: string | undefined;
  readonly limit: number;
}
export interface GrantQuery {
  readonly act: string;
  readonly siteId: string;
  readonly objectId: string;
  /** Who asked: a grant is for that person only. */
  readonly userId: string;
  readonly nowMs: number;
}
export interface ApprovalStore<Tx> {
  insert(tx: Tx, approval: Approval): Promise<void>;
  /** Row with its lock; undefined: there is none. */
  find(tx: Tx, id: string): Promise<Approval | undefined>;
  update(tx: Tx, approval: Approval): Promise<void>;
  /** Newest first. */
  list(query: ApprovalQuery): Promise<{ items: Approval[]; nextCursor: string | null }>;
  /** The grant in force: APPROVED, not ended, grantedUntilMs after nowMs. */
  findGrant(query: GrantQuery): Promise<Approval | undefined>;
}
