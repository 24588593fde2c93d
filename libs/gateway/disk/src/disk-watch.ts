/**
 * DiskWatch: how full the gateway's disk is, and what follows from it.
 * Decides the level that callers are refused by, when the reserve is given back and made again, and
 * how soon to look again. Invariants: a look that fails keeps the last level; a disk that is full
 * is `refuse-all` at once; the reserve is made again only after new input was let in again.
 * Source: reliability specification 2 ("Disk").
 */
import { statfs as statfsOfNode } from 'node:fs/promises';
import { join } from 'node:path';
import { Wake, type Clock, type Stage } from '@aifi/shared-kernel';
import type { Logger } from '@aifi/shared-observability';
import { markAbove, nextLevel, type DiskLevel } from './disk-level.js';
import type { DiskConfig } from './disk.config.js';
import { usageOf, type DiskUsage, type FileSystemFacts } from './disk-usage.js';
import { ReserveFile } from './reserve-file.js';

/**
 * Nothing fills the disk faster: a 10 GbE link brings 1.2 GB/s, and the listener, which checks and
 * hashes, a quarter of that. @unit bytes per ms
 */
const FILL_BYTES_PER_MS = 1024 ** 2;
/**
 * Between two looks near a mark: what comes in it is a quarter of the reserve at that speed. A
 * reserve of 1 GiB gives four looks a second; a small disk is asked more often. @unit ms
 */
const LOOK_MS_MIN = { most: 250, least: 10 };
/** @unit ms */
const LOOK_MS_MAX = 10_000;
/**
 * After a write has found no space, whatever the numbers say: a quota is not in them. @unit ms
 */
const FULL_HOLD_MS = 30_000;
/** Free space under this part of the reserve gives the reserve back. */
const FLOOR_SHARE = 1 / 4;
/** Between two looks whether the reserve can be made, and after a refusal. @unit ms */
const RESERVE_LOOK_MS = 10_000;
const RESERVE_RETRY_MS = 60_000;

export type StatFs = (folder: string) => Promise<FileSystemFacts>;
export interface DiskWatchDependencies {
  /** The gateway's data folder; the reserve lies in it. */
  readonly folder: string;
  readonly config: DiskConfig;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly statfs?: StatFs;
}
export interface DiskState extends Omit<DiskUsage, 'reserveBytes'> {
  readonly level: DiskLevel;
  /** Since when the level is what it is. */
  readonly sinceMs: number;
  readonly reserve: { readonly wantedBytes: number; readonly heldBytes: number };
}
export interface DiskWatch {
  /** Looks for the first time: to be awaited before anything listens. */
  start(): Promise<void>;
  readonly stage: Stage;
  level(): DiskLevel;
  /** Undefined until the first look has succeeded. */
  state(): DiskState | undefined;
  /** Calls the listener after each change; returns the way to end that. */
  onChange(listener: (level: DiskLevel) => void): () => void;
  /** A write has found no space: refuse everything now and give the reserve back. */
  reportFull(): void;
}

export function createDiskWatch(dependencies: DiskWatchDependencies): DiskWatch {
  const watch = new Watch(dependencies);
  return {
    start: () => watch.start(),
    stage: { name: 'disk', run: (signal) => watch.run(signal) },
    level: () => watch.level,
    state: () => watch.state(),
    onChange: (listener) => watch.onChange(listener),
    reportFull: () => watch.reportFull(),
  };
}

class Watch {
  level: DiskLevel = 'normal';
  readonly #reserve: ReserveFile;
  readonly #logger: Logger;
  readonly #wake = new Wake();
  readonly #listeners = new Set<(level: DiskLevel) => void>();
  #usage: DiskUsage | undefined;
  #sinceMs: number;
  /** On the monotonic clock. */
  #fullUntilMs = -Infinity;
  #isReleaseDue = false;
  #isBlind = false;

  constructor(private readonly dependencies: DiskWatchDependencies) {
    this.#logger = dependencies.logger.child({ stage: 'disk' });
    this.#reserve = new ReserveFile(join(dependencies.folder, 'reserve'));
    this.#sinceMs = dependencies.clock.nowMs();
  }

  async start(): Promise<void> {
    await this.#reserve.find();
    await this.#look();
  }

  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#watch(signal), this.#keepReserve(signal)]);
  }

  state(): DiskState | undefined {
    if (!this.#usage) return undefined;
    const { reserveBytes: wantedBytes, ...usage } = this.#usage;
    const reserve = { wantedBytes, heldBytes: this.#reserve.heldBytes };
    return { ...usage, level: this.level, sinceMs: this.#sinceMs, reserve };
  }

  onChange(listener: (level: DiskLevel) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  reportFull(): void {
    this.#fullUntilMs = this.dependencies.clock.monotonicMs() + FULL_HOLD_MS;
    this.#isReleaseDue = true;
    this.#enter('refuse-all');
    this.#wake.notify();
  }

  async #watch(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const waitMs = await this.#look();
      await this.#wake.wait(this.dependencies.clock, waitMs, signal);
    }
  }

  /** Says how long the next look may wait. @unit ms */
  async #look(): Promise<number> {
    await this.#releaseWhenDue();
    const usage = await this.#read();
    if (!usage) return LOOK_MS_MIN.most;
    this.#usage = usage;
    const { config, clock } = this.dependencies;
    const { freeBytes, usedPercent, totalBytes } = usage;
    const floorBytes = usage.reserveBytes * FLOOR_SHARE;
    const isUnderFloor = freeBytes < floorBytes;
    const isFull = isUnderFloor || clock.monotonicMs() < this.#fullUntilMs;
    this.#enter(isFull ? 'refuse-all' : nextLevel(this.level, usedPercent, config));
    if (isUnderFloor && this.#reserve.heldBytes > 0) {
      this.#isReleaseDue = true;
      await this.#releaseWhenDue();
    }
    const toMark = ((markAbove(usedPercent, config) - usedPercent) / 100) * totalBytes;
    const room = isUnderFloor ? toMark : Math.min(toMark, freeBytes - floorBytes);
    const { most, least } = LOOK_MS_MIN;
    const leastMs = Math.min(most, Math.max(least, floorBytes / FILL_BYTES_PER_MS));
    return Math.min(LOOK_MS_MAX, Math.max(leastMs, room / FILL_BYTES_PER_MS));
  }

  async #read(): Promise<DiskUsage | undefined> {
    const { folder, config, statfs = statfsOfNode } = this.dependencies;
    try {
      const facts = await statfs(folder);
      const { heldBytes } = this.#reserve;
      this.#isBlind = false;
      return usageOf(facts, { wantedBytes: config.reserveBytes, heldBytes });
    } catch (error) {
      if (!this.#isBlind) this.#logger.fault('use of the disk is not known now', error);
      this.#isBlind = true;
      return undefined;
    }
  }

  #enter(level: DiskLevel): void {
    if (level === this.level) return;
    const fields = {
      ...{ state: level, status: this.level },
      ...(this.#usage && { sizeBytes: this.#usage.freeBytes }),
    };
    if (level === 'refuse-all') this.#logger.error('disk full: all new input is refused', fields);
    else if (level === 'refuse-routine') this.#logger.error('disk: routine is refused', fields);
    else if (level === 'warning') this.#logger.warn('disk: getting full', fields);
    else this.#logger.info('disk: room again', fields);
    this.level = level;
    this.#sinceMs = this.dependencies.clock.nowMs();
    for (const listener of this.#listeners) listener(level);
  }

  async #releaseWhenDue(): Promise<void> {
    if (!this.#isReleaseDue) return;
    try {
      const sizeBytes = await this.#reserve.release();
      this.#isReleaseDue = false;
      if (sizeBytes > 0) this.#logger.error('reserve given to results and audit', { sizeBytes });
    } catch (error) {
      this.#logger.fault('reserve could not be given back', error);
    }
  }

  async #keepReserve(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const isRefused = this.#hasRoomForReserve() && !(await this.#makeReserve(signal));
      const waitMs = isRefused ? RESERVE_RETRY_MS : RESERVE_LOOK_MS;
      await this.dependencies.clock.sleep(waitMs, signal);
    }
  }

  /** Left below 90 %, the reserve counted: what it takes is free, and a tenth beside it. */
  #hasRoomForReserve(): boolean {
    if (!this.#usage || this.level === 'refuse-all' || this.#isReleaseDue) return false;
    const { reserveBytes, freeBytes } = this.#usage;
    const missing = reserveBytes - this.#reserve.heldBytes;
    return missing > 0 && freeBytes - missing > reserveBytes * FLOOR_SHARE * 2;
  }

  /** False when the disk refuses it. */
  async #makeReserve(signal: AbortSignal): Promise<boolean> {
    const { reserveBytes: sizeBytes } = this.#usage!;
    // A stop does not wait for it: what is written so far stays and is found again.
    const stop = (): void => this.#reserve.pause();
    signal.addEventListener('abort', stop, { once: true });
    try {
      await this.#reserve.grow(sizeBytes);
      if (this.#reserve.heldBytes >= sizeBytes) {
        this.#logger.info('reserve for results and audit is there', { sizeBytes });
      }
      return true;
    } catch (error) {
      this.#logger.fault('reserve could not be made', error);
      // Whatever refused it must not be refused to the results.
      this.#isReleaseDue = true;
      this.#wake.notify();
      return false;
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }
}
