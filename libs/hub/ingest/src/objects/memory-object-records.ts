/**
 * ObjectRecords in memory: the twin of the PostgreSQL ones, for tests and the simulator.
 * Decides nothing of its own; the contract test holds both to the same rules.
 */
import type { SiteId } from '@aifi/shared-kernel';
import {
  LISTED_MAX,
  type DurableObject,
  type ListedObject,
  type ObjectName,
  type ObjectRecords,
} from './object-records.js';

export class MemoryObjectRecords implements ObjectRecords {
  readonly #jobs = new Map<string, readonly ListedObject[]>();
  readonly #stored = new Map<string, DurableObject & { readonly storedAtMs: number }>();

  /** A job of this site lists these objects, in this order. */
  open(siteId: SiteId, jobId: string, objects: readonly ListedObject[]): void {
    this.#jobs.set(`${siteId}/${jobId}`, objects);
  }
  holds(siteId: SiteId, sha256: string): boolean {
    return this.#stored.has(`${siteId}/${sha256}`);
  }
  digestsOf(siteId: SiteId): readonly string[] {
    return [...this.#stored.values()].filter((one) => one.siteId === siteId).map((o) => o.sha256);
  }

  listed(siteId: SiteId, { jobId, sha256 }: ObjectName): Promise<readonly ListedObject[]> {
    const objects = this.#jobs.get(`${siteId}/${jobId}`) ?? [];
    const at = objects.findIndex((object) => object.sha256 === sha256);
    return Promise.resolve(at < 0 ? [] : objects.slice(at, at + LISTED_MAX));
  }

  stored(siteId: SiteId, objects: readonly DurableObject[], atMs: number): Promise<void> {
    for (const object of objects) {
      const key = `${siteId}/${object.sha256}`;
      if (!this.#stored.has(key)) this.#stored.set(key, { ...object, storedAtMs: atMs });
    }
    return Promise.resolve();
  }
}
