/**
 * The UID map of a job: which original each pseudonymous UID stands for.
 * Decides its packed form (a sealed row for all UIDs of a study, not one for each) and how much of
 * it is kept opened in memory. Invariants: unpacked(packed(map)) equals map, also for UIDs that a
 * modality wrote against the rules; memory is bounded by UIDs.
 * Source: reliability specification P1; RFC 1951 (deflate).
 */
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import {
  AifiError,
  invariant,
  type JobId,
  type OriginalUid,
  type PseudonymousUid,
} from '@aifi/shared-kernel';

export type UidMap = ReadonlyMap<PseudonymousUid, OriginalUid>;

/** Fast deflate: UIDs of one study share most of their digits. */
export function packUids(uids: UidMap): Buffer {
  for (const [, original] of uids) invariant(typeof original === 'string', 'a UID is missing');
  return deflateRawSync(JSON.stringify([...uids]), { level: 1 });
}

export function unpackUids(packed: Uint8Array): Map<PseudonymousUid, OriginalUid> {
  // Sealed by ourselves: nobody else chose what comes out.
  const text = inflateRawSync(packed).toString('utf8');
  return new Map(JSON.parse(text) as [PseudonymousUid, OriginalUid][]);
}

/** UIDs that stay opened: a study or two of the largest size, hundreds of usual ones. */
const CACHED_UIDS_MAX = 100_000;

/** Maps opened lately; the one unused for longest goes first. */
export class UidMapCache {
  readonly #maps = new Map<JobId, UidMap>();
  #uids = 0;

  get(jobId: JobId): UidMap | undefined {
    const map = this.#maps.get(jobId);
    if (map) {
      this.#maps.delete(jobId);
      this.#maps.set(jobId, map);
    }
    return map;
  }
  put(jobId: JobId, map: UidMap): void {
    this.delete(jobId);
    this.#maps.set(jobId, map);
    this.#uids += map.size;
    for (const oldest of this.#maps.keys()) {
      if (this.#uids <= CACHED_UIDS_MAX || oldest === jobId) break;
      this.delete(oldest);
    }
  }
  delete(jobId: JobId): void {
    this.#uids -= this.#maps.get(jobId)?.size ?? 0;
    this.#maps.delete(jobId);
  }
  clear(): void {
    this.#maps.clear();
    this.#uids = 0;
  }
}

/** `added` without what `known` has; INTERNAL when a pseudonym stands for another UID there. */
export function newUids(known: UidMap, added: UidMap): UidMap {
  return new Map(
    [...added].filter(([pseudonym, original]) => {
      const there = known.get(pseudonym);
      if (there !== undefined && there !== original) {
        throw new AifiError('INTERNAL', 'a pseudonym stands for another UID');
      }
      return there === undefined;
    }),
  );
}
