/**
 * Admission: how many uploads of whom the hub takes at once.
 * Decides the border between ingest and the policy of fairness. Invariants: what is refused is
 * refused before a byte is stored, with a time to come again; a slot is given back exactly once.
 * Source: reliability specification H14 (quotas, fair scheduling, acute reserve of 20 %), F7.
 */
import type { SiteId } from '@aifi/shared-kernel';

export interface AdmissionAsk {
  readonly siteId: SiteId;
  readonly lane: 'acute' | 'routine';
  /** @unit bytes */
  readonly sizeBytes: number;
  readonly signal: AbortSignal;
}
export interface Admission {
  /**
   * Resolves when there is room for one more object, in a fair order of sites; call the answer when
   * the object has ended, either way. LIMIT_EXCEEDED when the site waits for too much already.
   */
  enter(ask: AdmissionAsk): Promise<() => void>;
}
