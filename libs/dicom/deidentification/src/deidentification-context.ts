/**
 * DeidentificationContext: everything that the pure engine needs besides the dataset.
 * Decides that pseudonyms depend on keys of one hospital only, never on time or chance, so that the
 * same input gives the same bytes again (retry, dedup).
 * Invariant: the keys stay at the gateway. Source: pseudonymisation specification 1.2 (9), 1.3.
 */
import type { OriginalUid, PseudonymousUid } from '@aifi/shared-kernel';

export interface DeidentificationContext {
  /** Prefix of patient pseudonyms: upper-case letters, digits and hyphens, at most 32. */
  readonly siteCode: string;
  /** 256-bit keys of this hospital, one per purpose. */
  readonly keys: {
    readonly uid: Uint8Array;
    readonly pid: Uint8Array;
    readonly date: Uint8Array;
  };
}

/** Every UID that was remapped: what the vault needs for the way back. */
export type UidMap = ReadonlyMap<PseudonymousUid, OriginalUid>;
