/**
 * Assemble: instances to study revisions.
 * Decides when a study is whole (see completeness) and closes a revision of it then; before that, a
 * revision of what is whole already for the products that cannot wait.
 * Invariants: an instance belongs to the first revision closed after it arrived; revisions rise by
 * one; a late instance makes the next revision, never changes a closed one; after an early revision
 * a complete one follows. Source: architecture 2 (assemble), hazard H7; docs/adr/0026-revisions.md.
 */
import {
  crashPoint,
  pollingStage,
  type Clock,
  type FileSystem,
  type OriginalUid,
  type Stage,
  type Wake,
} from '@aifi/shared-kernel';
import type { GatewayDatabase } from '@aifi/gateway-database';
import type { Logger } from '@aifi/shared-observability';
import { arrivedSeries, arrivingStudies, type StudyRow } from './arriving-studies.js';
import { assembleConfigSchema, type AssembleConfig } from './assemble.config.js';
import { closeRevision } from './close-revision.js';
import { isComplete, type Announcement } from './completeness.js';
import { EarlyStarts, type EarlyProducts } from './early-start.js';
import { hasUnreadNote, RejectionNotes } from './rejection-notes.js';

/** Longest wait where a study can be whole without silence. @unit ms */
const QUICK_LOOK_MS = 1_000;

export interface AssembleDependencies {
  readonly database: GatewayDatabase;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly wake: Wake;
  /** Silence after the last instance that closes a revision, where no rule says else. @unit ms */
  readonly quietMs: number;
  /** @default no rules */
  readonly config?: AssembleConfig | undefined;
  /** What another system has said of a study. @default nothing */
  readonly announced?: ((studyUid: OriginalUid) => Announcement | undefined) | undefined;
  /** @default none: every product waits for the whole study */
  readonly earlyProducts?: EarlyProducts | undefined;
  /** @default the disk of this machine */
  readonly files?: FileSystem | undefined;
  /** Rings for the next stage. */
  readonly onDone: () => void;
}

export function createAssembleStage(dependencies: AssembleDependencies): Stage {
  const { clock, logger, wake } = dependencies;
  const assembly = new Assembly(dependencies);
  return pollingStage({
    name: 'assemble',
    clock,
    wake,
    intervalMs: assembly.intervalMs,
    onFault: (error) => logger.fault('assemble failed', error, { stage: 'assemble' }),
    runOnce: async () => {
      await assembly.look();
      // Studies that are not whole yet must be looked at again without a bell.
      return 0;
    },
  });
}

class Assembly {
  readonly #config: AssembleConfig;
  readonly #notes: RejectionNotes;
  readonly #early: EarlyStarts | undefined;
  /** Silence alone does not decide. */
  readonly #looksAtSeries: boolean;

  constructor(private readonly dependencies: AssembleDependencies) {
    const { earlyProducts: products, announced } = dependencies;
    this.#config = dependencies.config ?? assembleConfigSchema.parse({});
    this.#notes = new RejectionNotes(dependencies);
    const { earlyQuietMs } = this.#config;
    this.#early = products && new EarlyStarts({ ...dependencies, products, earlyQuietMs });
    this.#looksAtSeries = (products ?? announced) !== undefined || this.#config.rules.length > 0;
  }

  /** Half the shortest timer: a study closes at most 1.5 timers after its last instance. */
  get intervalMs(): number {
    const { rules, earlyQuietMs } = this.#config;
    const timers = rules.flatMap(({ quietMs }) => quietMs ?? []);
    if (this.#early) timers.push(earlyQuietMs);
    const wanted = Math.min(this.dependencies.quietMs, ...timers) / 2;
    return Math.max(50, this.#looksAtSeries ? Math.min(wanted, QUICK_LOOK_MS) : wanted);
  }

  async look(): Promise<void> {
    const { database } = this.dependencies;
    await this.#notes.readAll();
    for (const study of database.read(arrivingStudies)) await this.#lookAt(study);
  }

  async #lookAt(study: StudyRow): Promise<void> {
    const { database, clock, quietMs, announced } = this.dependencies;
    const series = this.#looksAtSeries
      ? database.read((sql) => arrivedSeries(sql, study.studyId))
      : [];
    const arriving = {
      ...{ series, lastReceivedMs: study.lastReceivedMs, wasComplete: study.wasComplete === 1 },
      announced: announced?.(study.studyUid),
    };
    if (isComplete(arriving, this.#config, { nowMs: clock.nowMs(), quietMs })) {
      return this.#close(study);
    }
    const revision = await this.#early?.tryStart(study, series);
    if (revision === undefined) return;
    this.dependencies.logger.info('revision started early', { stage: 'assemble', revision });
    this.dependencies.onDone();
  }

  async #close({ studyId, revision: last }: StudyRow): Promise<void> {
    const { database, clock, logger, onDone } = this.dependencies;
    const revision = last + 1;
    crashPoint('gateway.assemble.before-close');
    const closed = await database.write((sql) =>
      // One that came just now: it is read at the next look.
      hasUnreadNote(sql, studyId)
        ? undefined
        : closeRevision(sql, { studyId, revision, atMs: clock.nowMs() }),
    );
    crashPoint('gateway.assemble.after-close');
    if (!closed) return;
    this.#early?.forget(studyId);
    logger.info('study revision closed', { stage: 'assemble', revision, count: closed.taken });
    onDone();
  }
}
