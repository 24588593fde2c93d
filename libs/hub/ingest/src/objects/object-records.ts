/**
 * ObjectRecords: what the hub's database says of objects, as far as taking them needs it.
 * Decides the border between the intake and PostgreSQL, so that one intake serves a simulator, too.
 * Invariants: an object is listed only by a job of the site that asks; a row says that the bytes
 * are durable already. Source: reliability specification P2 (file first, row second), C1, C3.
 */
import type { JobId, Sha256, SiteId } from '@aifi/shared-kernel';

export interface ListedObject {
  readonly jobId: JobId;
  readonly sha256: Sha256;
  /** @unit bytes */
  readonly sizeBytes: number;
  readonly lane: 'acute' | 'routine';
}
export interface ObjectName {
  readonly jobId: string;
  readonly sha256: string;
}
export interface DurableObject {
  readonly siteId: SiteId;
  readonly sha256: Sha256;
  /** @unit bytes */
  readonly sizeBytes: number;
}

/** Objects that are looked up at once: a gateway sends them in the order of the manifest. */
export const LISTED_MAX = 256;

export interface ObjectRecords {
  /** The object, then those that the job lists after it; none when the job does not list it. */
  listed(siteId: SiteId, name: ObjectName): Promise<readonly ListedObject[]>;
  /** Rows for objects of one site, all or none; those that are there stay. */
  stored(siteId: SiteId, objects: readonly DurableObject[], atMs: number): Promise<void>;
}
