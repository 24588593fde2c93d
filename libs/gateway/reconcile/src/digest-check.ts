/**
 * DigestCheck: each night every file that is still owed is read and compared with its digest.
 * Decides the pace (bytes a second), where it goes on after a restart, and that a file which is
 * not what its row says stops the jobs that need it and is told of.
 * Invariants: bounded memory; a file that went meanwhile because nobody is owed it is no damage;
 * what was read once in a pass is not read again in it.
 * Source: reliability specification 2 (nightly digest re-check of all spool files).
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import {
  crashPoint,
  invariant,
  pollingStage,
  Wake,
  type Clock,
  type Stage,
} from '@aifi/shared-kernel';
import type { GatewayDatabase } from '@aifi/gateway-database';
import type { Logger } from '@aifi/shared-observability';
import { isOwed, KINDS, nextFiles, recordDamage, type OwedFile } from './owed-files.js';
import type { ReconcileConfig } from './reconcile.config.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const CHUNK_BYTES = 1024 * 1024;
/** Damage of long ago is no news; its jobs have ended. @unit ms */
const DAMAGE_KEPT_MS = 90 * DAY_MS;

/** What is known of the last pass; null: none yet. */
export interface DigestState {
  readonly startedMs: number | null;
  /** Null: it goes on, or there was none. */
  readonly finishedMs: number | null;
  readonly files: number;
  /** Files found damaged that are still on record. */
  readonly damaged: number;
}
export interface DigestCheckDependencies {
  readonly database: GatewayDatabase;
  readonly config: ReconcileConfig['digests'];
  readonly clock: Clock;
  readonly logger: Logger;
  /** Told when a job was stopped. */
  readonly onDamage?: (() => void) | undefined;
}
interface Pass {
  readonly started_ms: number;
  readonly finished_ms: number | null;
  readonly kind: string;
  readonly position: number;
  readonly files: number;
  readonly size_bytes: number;
}

export function createDigestStage(
  check: DigestCheck,
  dependencies: DigestCheckDependencies,
): Stage {
  const { clock, logger } = dependencies;
  return pollingStage({
    name: 'digest-check',
    ...{ clock, wake: new Wake(), intervalMs: MINUTE_MS },
    onFault: (error) => logger.fault('the check of digests failed', error),
    runOnce: async (signal) => {
      if (check.isDue()) await check.run(signal);
      return 0;
    },
  });
}

export class DigestCheck {
  constructor(private readonly dependencies: DigestCheckDependencies) {}

  readonly state = (): DigestState => {
    const pass = this.#pass();
    const damaged = this.dependencies.database.read(
      (sql) => sql.get<{ n: number }>('SELECT COUNT(*) AS n FROM damaged_file')!.n,
    );
    return {
      ...{ startedMs: pass?.started_ms ?? null, finishedMs: pass?.finished_ms ?? null },
      ...{ files: pass?.files ?? 0, damaged },
    };
  };

  /** One that was begun goes on; else one begins at its hour, once a day. */
  isDue(): boolean {
    const { clock, config } = this.dependencies;
    const pass = this.#pass();
    if (!pass) return true;
    if (pass.finished_ms === null) return true;
    const dayOf = (atMs: number): number =>
      Math.floor((atMs - config.startHourUtc * HOUR_MS) / DAY_MS);
    return dayOf(clock.nowMs()) > dayOf(pass.started_ms);
  }

  /** Goes on with the pass, or begins one; returns at its end or when the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { database, clock, logger } = this.dependencies;
    let pass = this.#pass();
    if (!pass || pass.finished_ms !== null) pass = await this.#begin();
    const pace = new Pace(clock, this.dependencies.config.megabytesPerSecond, signal);
    const first = KINDS.findIndex(({ name }) => name === pass.kind);
    for (const kind of KINDS.slice(Math.max(0, first))) {
      let after = kind.name === pass.kind ? pass.position : 0;
      for (;;) {
        const files = nextFiles(database, kind, after);
        if (files.length === 0) break;
        for (const file of files) {
          const sizeBytes = await this.#check(kind, file, pace);
          if (signal.aborted) return;
          await this.#advance(kind.name, file.position, sizeBytes);
          after = file.position;
        }
      }
    }
    await database.write((sql) => sql.run('UPDATE digest_pass SET finished_ms = ?', clock.nowMs()));
    const { files, damaged } = this.state();
    logger.info('digests of all files checked', { count: files });
    if (damaged > 0) logger.error('files on the disk are damaged', { count: damaged });
  }

  #pass(): Pass | undefined {
    return this.dependencies.database.read((sql) => sql.get<Pass>('SELECT * FROM digest_pass'));
  }

  async #begin(): Promise<Pass> {
    const { database, clock } = this.dependencies;
    const atMs = clock.nowMs();
    await database.write((sql) => {
      sql.run('DELETE FROM damaged_file WHERE found_ms < ?', atMs - DAMAGE_KEPT_MS);
      sql.run(
        'INSERT OR REPLACE INTO digest_pass VALUES (1, ?, NULL, ?, 0, 0, 0)',
        ...[atMs, KINDS[0]!.name],
      );
    });
    const pass = this.#pass();
    invariant(pass !== undefined, 'a pass that was begun is on record');
    return pass;
  }

  async #advance(kind: string, position: number, sizeBytes: number): Promise<void> {
    crashPoint('gateway.reconcile.before-digest-position');
    await this.dependencies.database.write((sql) =>
      sql.run(
        `UPDATE digest_pass SET kind = ?, position = ?, files = files + 1,
           size_bytes = size_bytes + ?`,
        ...[kind, position, sizeBytes],
      ),
    );
    crashPoint('gateway.reconcile.after-digest-position');
  }

  /** Bytes that were read. */
  async #check(kind: (typeof KINDS)[number], file: OwedFile, pace: Pace): Promise<number> {
    const { database, clock, logger, onDamage } = this.dependencies;
    const read = await digestOf(file.path, pace);
    if (read === undefined || read.sha256 === file.sha256) return read?.sizeBytes ?? 0;
    crashPoint('gateway.reconcile.before-damage');
    const jobs = await database.write((sql) =>
      isOwed(sql, kind, file) ? recordDamage(sql, kind, { file, atMs: clock.nowMs() }) : undefined,
    );
    crashPoint('gateway.reconcile.after-damage');
    if (jobs) {
      logger.error('a file changed on disk', { status: kind.name, count: jobs.length });
      onDamage?.();
    }
    return read.sizeBytes;
  }
}

/** An empty digest for what cannot be read or is gone; undefined when the check was stopped. */
async function digestOf(
  path: string,
  pace: Pace,
): Promise<{ readonly sha256: string; readonly sizeBytes: number } | undefined> {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: CHUNK_BYTES })) {
      hash.update(chunk as Buffer);
      sizeBytes += (chunk as Buffer).length;
      if (!(await pace.after((chunk as Buffer).length))) return undefined;
    }
  } catch {
    return { sha256: '', sizeBytes };
  }
  return { sha256: hash.digest('hex'), sizeBytes };
}

/** Bytes per time, over the whole pass. */
class Pace {
  readonly #startMs: number;
  #bytes = 0;

  constructor(
    private readonly clock: Clock,
    private readonly megabytesPerSecond: number,
    private readonly signal: AbortSignal,
  ) {
    this.#startMs = clock.monotonicMs();
  }

  /** Waits until so many more bytes are within the rate; false when it was stopped. */
  async after(bytes: number): Promise<boolean> {
    this.#bytes += bytes;
    const dueMs = this.#startMs + this.#bytes / (this.megabytesPerSecond * 1_000);
    const waitMs = dueMs - this.clock.monotonicMs();
    if (waitMs >= 1) await this.clock.sleep(waitMs, this.signal);
    return !this.signal.aborted;
  }
}
