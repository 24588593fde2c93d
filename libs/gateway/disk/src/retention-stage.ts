/**
 * Retention: files of studies that are finished leave the gateway's disk.
 * Decides when it looks (results of finished studies go sooner when the disk is full, so that those
 * that wait still come) and in which order a removal is made safe: marked and on record, removed,
 * folders synced, then off the record. It also tells people of dead letters that wait too long.
 * Invariants: bounded batches; nothing outside the data folder is ever removed; what a crash left
 * is removed before anything new is marked.
 * Source: reliability specification 2 ("Deletion rules").
 */
import { rm } from 'node:fs/promises';
import { dirname, resolve, sep } from 'node:path';
import type { GatewayDatabase } from '@aifi/gateway-database';
import {
  crashPoint,
  pollingStage,
  syncFolder,
  Wake,
  type Clock,
  type Stage,
} from '@aifi/shared-kernel';
import type { Logger } from '@aifi/shared-observability';
import type { DiskConfig } from './disk.config.js';
import { RetentionStore, type Marking, type Removal } from './retention.store.js';

/** Files stay for a day, so minutes do not matter. @unit ms */
const LOOK_MS = 300_000;
/** Unless the disk is full and results wait for room. @unit ms */
const FULL_LOOK_MS = 10_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

export interface RetentionDependencies {
  readonly database: GatewayDatabase;
  readonly dataFolder: string;
  readonly config: Pick<DiskConfig, 'keepHours' | 'deadLetterAlarmDays'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Nothing more fits: results that wait need the room of those that have arrived. */
  readonly isFull: () => boolean;
}

export function createRetentionStage(dependencies: RetentionDependencies): Stage {
  const { clock, isFull } = dependencies;
  const logger = dependencies.logger.child({ stage: 'retention' });
  const retention = new Retention({ ...dependencies, logger });
  let lookedMs = -Infinity;
  return pollingStage({
    name: 'retention',
    clock,
    wake: new Wake(),
    intervalMs: FULL_LOOK_MS,
    onFault: (error) => logger.fault('retention failed', error),
    runOnce: (signal) => {
      const nowMs = clock.monotonicMs();
      if (nowMs - lookedMs < LOOK_MS && !isFull()) return Promise.resolve(0);
      lookedMs = nowMs;
      return retention.runOnce(signal);
    },
  });
}

export class Retention {
  readonly #store: RetentionStore;
  /** On the monotonic clock. */
  #toldMs = -Infinity;

  constructor(private readonly dependencies: RetentionDependencies) {
    this.#store = new RetentionStore(dependencies.database);
  }

  /** Removes what is due; says how many files that was. */
  async runOnce(signal?: AbortSignal): Promise<number> {
    const { clock, config, logger, isFull } = this.dependencies;
    this.#tellOfDeadLetters();
    const left = this.#store.open();
    if (left) await this.#remove(left);
    const nowMs = clock.nowMs();
    const untilMs = nowMs - config.keepHours * HOUR_MS;
    let count = await this.#removeSettled({ untilMs, what: 'all' }, signal);
    // The PACS has them all, and everybody was told; what was received stays its time.
    if (isFull()) count += await this.#removeSettled({ untilMs: nowMs, what: 'results' }, signal);
    if (count > 0) logger.info('files of finished studies removed', { count });
    return count;
  }

  async #removeSettled(
    marking: Omit<Marking, 'atMs'>,
    signal: AbortSignal | undefined,
  ): Promise<number> {
    let count = 0;
    for (const studyId of this.#store.settled(marking)) {
      if (signal?.aborted) break;
      count += await this.#removeStudy(studyId, marking);
    }
    return count;
  }

  async #removeStudy(studyId: number, marking: Omit<Marking, 'atMs'>): Promise<number> {
    const { clock } = this.dependencies;
    let count = 0;
    for (;;) {
      crashPoint('gateway.disk.before-mark');
      const removal = await this.#store.mark(studyId, { ...marking, atMs: clock.nowMs() });
      crashPoint('gateway.disk.after-mark');
      if (!removal) return count;
      await this.#remove(removal);
      count += removal.files.length;
    }
  }

  async #remove({ files, folders }: Removal): Promise<void> {
    const parents = new Set<string>();
    for (const path of [...files, ...folders].filter((one) => this.#isOurs(one))) {
      await rm(path, { recursive: true, force: true });
      crashPoint('gateway.disk.after-file');
      parents.add(dirname(path));
    }
    // A power cut must not bring back what is no longer on record.
    for (const parent of parents) await syncFolder(parent).catch(isGone);
    crashPoint('gateway.disk.before-done');
    await this.#store.done();
  }

  #isOurs(path: string): boolean {
    const isOurs = resolve(path).startsWith(resolve(this.dependencies.dataFolder) + sep);
    if (!isOurs) this.dependencies.logger.error('a file outside the data folder is left alone');
    return isOurs;
  }

  /** Once a day, and at start: a person must replay them or say that they are not wanted. */
  #tellOfDeadLetters(): void {
    const { clock, config, logger } = this.dependencies;
    if (clock.monotonicMs() - this.#toldMs < DAY_MS) return;
    const sinceMs = clock.nowMs() - config.deadLetterAlarmDays * DAY_MS;
    const count = this.#store.deadLetters(sinceMs);
    if (count === 0) return;
    logger.error('dead letters wait for a person', { count });
    this.#toldMs = clock.monotonicMs();
  }
}

/** A folder that went itself has nothing to be synced; its own parent is on the list. */
function isGone(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
}
