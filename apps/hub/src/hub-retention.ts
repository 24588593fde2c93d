/**
 * Hub retention: pixels, results and what models gave leave the hub when their time is over.
 * Decides when it looks, site by site under the site's own role, and how a file goes: set aside,
 * asked once more whether somebody needs it, then gone or put back.
 * Invariants: a row goes an hour before its file; a crash at any point is healed at the next look;
 * bounded batches. Source: reliability specification 2 ("Deletion rules"), C3.
 */
import { link, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import {
  dueRemovals,
  endRemoval,
  isNeeded,
  lockRemoval,
  markOrphan,
  markPixels,
  markResults,
  REMOVALS_MAX,
  type HubDatabase,
  siteIdsOf,
  type ObjectRemoval,
  type RetentionTimes,
  type Sql,
} from '@aifi/hub-database';
import type { FolderObjectStore } from '@aifi/hub-object-store';
import {
  crashPoint,
  pollingStage,
  sha256 as asSha256,
  syncFolder,
  Wake,
  type Clock,
  type Sha256,
  type SiteId,
  type Stage,
} from '@aifi/shared-kernel';
import type { Logger } from '@aifi/shared-observability';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** Files stay for a day, so minutes do not matter. @unit ms */
const LOOK_MS = 5 * MINUTE_MS;
/** Folders of a site: one for each first byte of a digest. */
const PREFIXES = 256;
const ASIDE = '.removed';

export const retentionConfigSchema = z.strictObject({
  pixelHours: z
    .number()
    .positive()
    .default(24)
    .describe('how long pixels stay after the last job that needs them has ended'),
  resultDays: z
    .number()
    .positive()
    .default(30)
    .describe('how long results stay after the gateway has acknowledged them'),
  abandonedDays: z
    .number()
    .min(1)
    .default(7)
    .describe('an upload that was begun so long ago and never ended is given up'),
});
/** Between the two steps: far longer than any upload or transaction. @unit ms */
const BETWEEN_STEPS_MS = HOUR_MS;

export interface HubRetentionDependencies {
  readonly database: HubDatabase;
  readonly store: Pick<FolderObjectStore, 'path'>;
  readonly config: z.output<typeof retentionConfigSchema>;
  readonly clock: Clock;
  readonly logger: Logger;
}
type Step = (sql: Sql) => Promise<number>;
/** Locked: another process has it in hand, and it stays on record here. */
type Removed = 'removed' | 'kept' | 'locked';

export function createHubRetention(dependencies: HubRetentionDependencies): Stage {
  const { clock } = dependencies;
  const logger = dependencies.logger.child({ stage: 'retention' });
  const retention = new HubRetention({ ...dependencies, logger });
  return pollingStage({
    name: 'retention',
    ...{ clock, wake: new Wake(), intervalMs: LOOK_MS },
    onFault: (error) => logger.fault('retention failed', error),
    runOnce: async (signal) => {
      await retention.runOnce(signal);
      return 0;
    },
  });
}

export class HubRetention {
  constructor(private readonly dependencies: HubRetentionDependencies) {}

  /** Removes what is due of every site; says how many files that was. */
  async runOnce(signal?: AbortSignal): Promise<number> {
    const { database, logger } = this.dependencies;
    let count = 0;
    for (const siteId of await siteIdsOf(database)) {
      try {
        count += await this.#site(siteId, signal);
      } catch (error) {
        // One site must not hold up the others.
        logger.fault('retention failed', error, { siteId });
      }
    }
    if (count > 0) logger.info('objects removed', { count });
    return count;
  }

  async #site(siteId: SiteId, signal?: AbortSignal): Promise<number> {
    const { clock, config, database } = this.dependencies;
    const nowMs = clock.nowMs();
    const at = new Date(nowMs);
    const times = {
      pixelsUntil: new Date(nowMs - config.pixelHours * HOUR_MS),
      resultsUntil: new Date(nowMs - config.resultDays * DAY_MS),
      abandonedUntil: new Date(nowMs - config.abandonedDays * DAY_MS),
    };
    await this.#markAll(siteId, (sql) => markPixels(sql, times, at), signal);
    await this.#markAll(siteId, (sql) => markResults(sql, times, at), signal);
    await this.#markOrphans(siteId, times, at);
    const until = new Date(nowMs - BETWEEN_STEPS_MS);
    let count = 0;
    for (;;) {
      const due = await database.withSite(siteId, (sql) => dueRemovals(sql, until));
      let ended = 0;
      for (const removal of due) {
        if (signal?.aborted) return count;
        const end = await this.#remove(siteId, removal, times);
        if (end !== 'locked') ended += 1;
        if (end === 'removed') count += 1;
      }
      // What another process has in hand comes again: without an end of ours there is no more.
      if (due.length < REMOVALS_MAX || ended === 0) return count;
    }
  }

  async #markAll(siteId: SiteId, step: Step, signal?: AbortSignal): Promise<void> {
    while (!signal?.aborted) {
      crashPoint('hub.retention.before-mark');
      const marked = await this.dependencies.database.withSite(siteId, step);
      crashPoint('hub.retention.after-mark');
      if (marked === 0) return;
    }
  }

  /** One folder each hour, so that every file is looked at once in eleven days. */
  async #markOrphans(siteId: SiteId, times: RetentionTimes, at: Date): Promise<void> {
    const { database, store } = this.dependencies;
    const prefix = Math.floor(at.getTime() / HOUR_MS) % PREFIXES;
    const folder = dirname(store.path(siteId, sampleOf(prefix)));
    const oldMs = Math.min(times.pixelsUntil.getTime(), at.getTime() - DAY_MS);
    for (const name of await readdir(folder).catch(() => [])) {
      if (!/^[0-9a-f]{64}$/.test(name)) continue;
      const file = await stat(join(folder, name)).catch(() => undefined);
      if (!file || file.mtimeMs > oldMs) continue;
      const orphan = { sha256: asSha256(name), sizeBytes: file.size, at, ...times };
      await database.withSite(siteId, (sql) => markOrphan(sql, siteId, orphan));
    }
  }

  #remove(siteId: SiteId, removal: ObjectRemoval, times: RetentionTimes): Promise<Removed> {
    const { database, store, clock } = this.dependencies;
    const path = store.path(siteId, removal.sha256);
    const about = { ...removal, ...times, at: new Date(clock.nowMs()) };
    return database.withSite(siteId, async (sql) => {
      if (!(await lockRemoval(sql, removal.sha256))) return 'locked';
      if (!(await isNeeded(sql, removal.sha256, times))) {
        await renameIfThere(path, path + ASIDE);
        crashPoint('hub.retention.set-aside');
        // Asked again: who came in between has written a file anew, or finds this one back.
        if (!(await isNeeded(sql, removal.sha256, times))) {
          await rm(path + ASIDE, { force: true });
          crashPoint('hub.retention.file-gone');
          // A power cut must not bring back what is no longer on record.
          await syncFolder(dirname(path)).catch(isGone);
          await endRemoval(sql, siteId, { ...about, isKept: false });
          crashPoint('hub.retention.before-commit');
          return 'removed';
        }
      }
      const isKept = await putBack(path, removal.sizeBytes);
      crashPoint('hub.retention.put-back');
      await endRemoval(sql, siteId, { ...about, isKept });
      return 'kept';
    });
  }
}

/** A digest that lies in that folder. */
const sampleOf = (prefix: number): Sha256 =>
  asSha256(prefix.toString(16).padStart(2, '0') + '0'.repeat(62));

async function renameIfThere(from: string, to: string): Promise<void> {
  await rename(from, to).catch(isGone);
}

/** The file is where it was, unless a newer one is there; true when there is a whole one. */
async function putBack(path: string, sizeBytes: number): Promise<boolean> {
  await link(path + ASIDE, path).catch((error: unknown) => {
    // A newer file is the same bytes; without one set aside there is nothing to put back.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') isGone(error);
  });
  await rm(path + ASIDE, { force: true });
  await syncFolder(dirname(path)).catch(isGone);
  const file = await stat(path).catch(() => undefined);
  return file?.size === sizeBytes;
}

function isGone(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
}
