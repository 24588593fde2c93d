/**
 * IngestStore: the rows behind the answers of ingest.
 * Decides the border between what the hub says to a gateway and where that is kept, so that the
 * same service runs on PostgreSQL and in the memory of a simulator.
 * Invariants: each call is one transaction, seen whole or not at all; everything is inside one
 * site. One shared suite checks every implementation (ingest-store.contract.ts).
 * Source: reliability specification P2, C1, C3.
 */
import type { Sha256, SiteId } from '@aifi/shared-kernel';
import type { StudyManifest } from '@aifi/contracts-manifests';
import type { LinkPeer } from '@aifi/hub-identity';

export interface StudyOpening {
  readonly peer: LinkPeer;
  readonly manifest: StudyManifest;
  /** As sent: its digest is what is signed and acknowledged. */
  readonly manifestBytes: Uint8Array;
  readonly envelope: Uint8Array;
  readonly atMs: number;
}
export interface StudyProgress {
  /** The hub has the whole study already. */
  readonly isStored: boolean;
  readonly held: readonly Sha256[];
}
export interface StudyClosing {
  readonly siteId: SiteId;
  readonly jobId: string;
  readonly revision: number;
  readonly manifestSha256: string;
  readonly atMs: number;
}
export interface IngestStore {
  /**
   * Announces a job, or finds it announced with the same bytes. FORBIDDEN: the site is not
   * enrolled; STATE_CONFLICT: the job has other bytes; RULES_OUTDATED: a new job whose rules are
   * not among the newest of the site; LIMIT_EXCEEDED: a new job, and the site has too many open.
   */
  open(opening: StudyOpening): Promise<StudyProgress>;
  /**
   * Commits the study with its event, once. NOT_FOUND: no such job; STATE_CONFLICT: objects of it
   * are missing. Resolves with false when it was committed before.
   */
  close(closing: StudyClosing): Promise<boolean>;
}

/**
 * A study may have been selected by the newest rules of its site or by one of the two before: an
 * outage of hours must not stop what was selected before it, and what is older is selected anew.
 */
export const RULE_SETS_TAKEN = 3;

/** Studies that a site has announced and not finished; a gateway has four under way at a time. */
export const OPEN_JOBS_MAX = 2_000;
/** Announced before that, it counts no more: a job that the gateway gave up stays open. @unit ms */
export const OPEN_JOBS_SPAN_MS = 7 * 24 * 3_600_000;
