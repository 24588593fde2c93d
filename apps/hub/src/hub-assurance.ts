/**
 * Hub assurance: each night the objects of open jobs are compared with their digests, each hour
 * the invariants of every site are asserted.
 * Decides the pace, where a pass goes on after a restart, and that what is found is told: a count
 * in the log and in the metrics, a job that cannot go on ends with its code.
 * Invariants: site by site under the site's own role; bounded memory; nothing is repaired silently.
 * Source: reliability specification 2 (digest re-check, invariants asserted at run time).
 */
import { createHash, type KeyObject } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { z } from 'zod';
import {
  advanceDigestPass,
  beginDigestPass,
  checkSite,
  endDamaged,
  finishDigestPass,
  HUB_RULES,
  isDigestOwed,
  nextDigests,
  readDigestPass,
  siteIdsOf,
  type HubDatabase,
  type HubRule,
  type StoredDigest,
} from '@aifi/hub-database';
import type { FolderObjectStore } from '@aifi/hub-object-store';
import {
  crashPoint,
  pollingStage,
  Wake,
  type Clock,
  type SiteId,
  type Stage,
} from '@aifi/shared-kernel';
import type { Logger } from '@aifi/shared-observability';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const CHUNK_BYTES = 1024 * 1024;
/** Events are looked at a little further back than a day, so that none falls between. @unit ms */
const EVENTS_MS = 25 * HOUR_MS;

export const digestsConfigSchema = z.strictObject({
  startHourUtc: z.int().min(0).max(23).default(2).describe('hour of the day the check begins'),
  megabytesPerSecond: z.number().positive().max(10_000).default(50).describe('read at most'),
});

export interface HubAssuranceDependencies {
  readonly database: HubDatabase;
  readonly store: Pick<FolderObjectStore, 'path'>;
  readonly config: z.output<typeof digestsConfigSchema>;
  readonly signingKey: KeyObject;
  readonly clock: Clock;
  readonly logger: Logger;
}
export interface AssuranceState {
  /** Over all sites, of the last look. */
  readonly violations: Readonly<Record<HubRule, number>>;
  /** Objects found damaged since the process began, and in the pass that it went on with. */
  readonly damaged: number;
}

export class HubAssurance {
  #violations = noViolations();
  #damaged = 0;
  /** Sites whose pass this process began or has gone on with. */
  readonly #taken = new Set<string>();

  constructor(private readonly dependencies: HubAssuranceDependencies) {}

  /** `onConcluded`: rung when a job ended because of damage. */
  stages(onConcluded: () => void): readonly Stage[] {
    const { clock, logger } = this.dependencies;
    const shared = { clock, wake: new Wake() };
    return [
      pollingStage({
        ...{ ...shared, name: 'digest-check', intervalMs: 60_000 },
        onFault: (error) => logger.fault('digests could not be checked', error),
        runOnce: async (signal) => {
          if ((await this.checkDigests(signal)) > 0) onConcluded();
          return 0;
        },
      }),
      pollingStage({
        ...{ ...shared, wake: new Wake(), name: 'invariants', intervalMs: HOUR_MS },
        onFault: (error) => logger.fault('invariants could not be checked', error),
        runOnce: async () => {
          await this.checkInvariants();
          return 0;
        },
      }),
    ];
  }

  readonly state = (): AssuranceState => ({
    violations: this.#violations,
    damaged: this.#damaged,
  });

  async checkInvariants(): Promise<void> {
    const { database, clock, logger } = this.dependencies;
    const since = new Date(clock.nowMs() - EVENTS_MS);
    const sum = noViolations();
    for (const siteId of await siteIdsOf(database)) {
      const { violations } = await database.withSite(siteId, (sql) => checkSite(sql, since));
      for (const rule of HUB_RULES) {
        const count = violations[rule];
        sum[rule] += count;
        if (count > 0) logger.error('an invariant is broken', { siteId, status: rule, count });
      }
    }
    this.#violations = sum;
  }

  /** Goes on with the passes that are open and begins those that are due; damage found. */
  async checkDigests(signal: AbortSignal): Promise<number> {
    const { database, clock, config } = this.dependencies;
    const dayOf = (at: Date): number =>
      Math.floor((at.getTime() - config.startHourUtc * HOUR_MS) / DAY_MS);
    const before = this.#damaged;
    for (const siteId of await siteIdsOf(database)) {
      if (signal.aborted) break;
      const now = new Date(clock.nowMs());
      const pass = await database.withSite(siteId, readDigestPass);
      const isOpen = pass !== undefined && pass.finishedAt === null;
      if (pass && !isOpen && dayOf(now) <= dayOf(pass.startedAt)) continue;
      if (isOpen) this.#takeOver(siteId, pass.damaged);
      else await database.withSite(siteId, (sql) => beginDigestPass(sql, siteId, now));
      this.#taken.add(siteId);
      await this.#pass(siteId, isOpen ? pass.position : '', signal);
    }
    return this.#damaged - before;
  }

  /** A process that died after the commit has perhaps told nobody: it is told once more. */
  #takeOver(siteId: SiteId, count: number): void {
    if (this.#taken.has(siteId) || count === 0) return;
    this.#damaged += count;
    const about = { siteId, status: 'found before the restart', count };
    this.dependencies.logger.error('an object changed on disk', about);
  }

  async #pass(siteId: SiteId, position: string, signal: AbortSignal): Promise<void> {
    const { database, clock } = this.dependencies;
    for (let after = position; ;) {
      const objects = await database.withSite(siteId, (sql) => nextDigests(sql, after));
      if (objects.length === 0) break;
      for (const object of objects) {
        const isWhole = await this.#isWhole(siteId, object, signal);
        if (signal.aborted) return;
        after = object.sha256;
        if (!isWhole && (await this.#damage(siteId, object))) continue;
        const step = { position: after, isDamaged: false };
        crashPoint('hub.digests.before-position');
        await database.withSite(siteId, (sql) => advanceDigestPass(sql, step));
      }
    }
    const at = new Date(clock.nowMs());
    await database.withSite(siteId, (sql) => finishDigestPass(sql, at));
  }

  async #isWhole(siteId: SiteId, { sha256 }: StoredDigest, signal: AbortSignal): Promise<boolean> {
    const { store, clock, config } = this.dependencies;
    const hash = createHash('sha256');
    const startMs = clock.monotonicMs();
    let bytes = 0;
    try {
      const options = { highWaterMark: CHUNK_BYTES };
      for await (const chunk of createReadStream(store.path(siteId, sha256), options)) {
        hash.update(chunk as Buffer);
        bytes += (chunk as Buffer).length;
        const dueMs = startMs + bytes / (config.megabytesPerSecond * 1_000);
        const waitMs = dueMs - clock.monotonicMs();
        if (waitMs >= 1) await clock.sleep(waitMs, signal);
        if (signal.aborted) return false;
      }
    } catch {
      return false;
    }
    return hash.digest('hex') === sha256;
  }

  /**
   * True when the object was still needed. Its jobs end in one transaction with the step of the
   * pass, which nobody would count later: pixels without their row are not looked at again. The
   * file stays: an upload writes over it, retention takes what no row knows, and a signed result
   * keeps its place for whoever looks into the disk.
   */
  async #damage(siteId: SiteId, { sha256, kind }: StoredDigest): Promise<boolean> {
    const { database, clock, logger, signingKey } = this.dependencies;
    const at = new Date(clock.nowMs());
    crashPoint('hub.digests.before-damage');
    const jobs = await database.withSite(siteId, async (sql) => {
      if (!(await isDigestOwed(sql, sha256))) return undefined;
      const ended = await endDamaged(sql, siteId, { sha256, at, signingKey });
      await advanceDigestPass(sql, { position: sha256, isDamaged: true });
      return ended;
    });
    crashPoint('hub.digests.after-damage');
    if (!jobs) return false;
    this.#damaged += 1;
    logger.error('an object changed on disk', { siteId, status: kind, count: jobs.length });
    return true;
  }
}

function noViolations(): Record<HubRule, number> {
  return Object.fromEntries(HUB_RULES.map((rule) => [rule, 0])) as Record<HubRule, number>;
}
