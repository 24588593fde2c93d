/**
 * Storage Commitment Push Model: what we ask a PACS to vouch for, and what it says.
 * Decides what a report means for each object that was asked about.
 * Invariant: we are the SCU of this class only; as SCP it is never offered (hazard H10).
 * Source: PS3.4 annex J.3.
 */
export const STORAGE_COMMITMENT_SOP_CLASS = '1.2.840.10008.1.20.1';
/** Well-known SOP Instance of the class, PS3.4 J.3.5. */
export const STORAGE_COMMITMENT_SOP_INSTANCE = '1.2.840.10008.1.20.1.1';

export interface ObjectReference {
  readonly sopClassUid: string;
  readonly sopInstanceUid: string;
}
export interface CommitmentRequest {
  readonly transactionUid: string;
  readonly objects: readonly ObjectReference[];
}
export interface CommitmentReport {
  readonly transactionUid: string;
  readonly committed: readonly ObjectReference[];
  /** `reason`: Failure Reason (0008,1197), PS3.4 J.3.3. */
  readonly failed: readonly (ObjectReference & { readonly reason: number })[];
}
