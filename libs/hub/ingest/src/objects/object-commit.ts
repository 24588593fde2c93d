/**
 * ObjectCommit: gives finished objects their names and rows, as many together as there are.
 * Decides the group: what was finished while the group before was on its way. One sync of a folder
 * and one transaction of a site then serve many objects, and nobody waits for a timer.
 * Invariants: names are durable before rows; an object is promised to nobody before its row is
 * committed; a fault of one site's files or rows is no fault of another's.
 * Source: reliability specification 2 (file first, row second), P2;
 * docs/adr/0020-bulk-transport.md.
 */
import { AifiError, crashPoint, type Clock, type SiteId } from '@aifi/shared-kernel';
import type { FinishedObject, FolderObjectStore } from '@aifi/hub-object-store';
import type { ObjectRecords } from './object-records.js';

/** Objects of one group: more make the first of them wait for the last. */
const GROUP_MAX = 128;
/** Sites at a time: the pool of the hub serves others as well. */
const SITES_MAX = 4;

export interface CommitDependencies {
  readonly store: Pick<FolderObjectStore, 'place'>;
  readonly records: ObjectRecords;
  readonly clock: Clock;
}
interface Waiting extends FinishedObject {
  readonly done: PromiseWithResolvers<void>;
}

export class ObjectCommit {
  #waiting: Waiting[] = [];
  #isRunning = false;

  constructor(private readonly dependencies: CommitDependencies) {}

  /** Resolves when the object has its name and its row, durably. */
  add(siteId: SiteId, object: FinishedObject['object']): Promise<void> {
    const done = Promise.withResolvers<void>();
    this.#waiting.push({ siteId, object, done });
    if (!this.#isRunning) void this.#run();
    return done.promise;
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    while (this.#waiting.length > 0) await this.#commit(this.#waiting.splice(0, GROUP_MAX));
    this.#isRunning = false;
  }

  async #commit(group: readonly Waiting[]): Promise<void> {
    const sites = [...Map.groupBy(group, ({ siteId }) => siteId)];
    const work = async (): Promise<void> => {
      for (let next = sites.shift(); next; next = sites.shift()) await this.#commitSite(...next);
    };
    await Promise.all(Array.from({ length: SITES_MAX }, work));
  }

  async #commitSite(siteId: SiteId, group: readonly Waiting[]): Promise<void> {
    try {
      await this.dependencies.store.place(group);
    } catch (error) {
      // Sent again, they begin anew: nothing would come back for these files.
      await Promise.allSettled(group.map(({ object }) => object.discard()));
      for (const { done } of group) done.reject(AifiError.from(error));
      return;
    }
    crashPoint('hub.ingest.object-durable');
    await this.#record(siteId, group);
  }

  async #record(siteId: SiteId, group: readonly Waiting[]): Promise<void> {
    const objects = group.map(({ object: { expected } }) => ({ siteId, ...expected }));
    try {
      await this.dependencies.records.stored(siteId, objects, this.dependencies.clock.nowMs());
    } catch (error) {
      // The files stay: under their digest they are right, and sent again they are the same.
      for (const { done } of group) done.reject(AifiError.from(error));
      return;
    }
    crashPoint('hub.ingest.object-committed');
    for (const { done } of group) done.resolve();
  }
}
