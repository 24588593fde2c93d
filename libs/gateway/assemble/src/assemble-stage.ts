/**
 * Assemble: instances to study revisions.
 * Decides when a study is complete enough to look at: a quiet timer since its last instance.
 * Invariants: an instance belongs to the first revision closed after it arrived; revisions rise by
 * one; a late instance makes the next revision, never changes a closed one.
 * Source: architecture 2 (assemble), hazard H7.
 */
import { crashPoint, pollingStage, type Clock, type Stage, type Wake } from '@aifi/shared-kernel';
import { recordJournal, type GatewayDatabase } from '@aifi/gateway-database';
import type { Logger } from '@aifi/shared-observability';

export interface AssembleDependencies {
  readonly database: GatewayDatabase;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly wake: Wake;
  /** Silence after the last instance that closes a revision. @unit ms */
  readonly quietMs: number;
  /** Rings for the next stage. */
  readonly onDone: () => void;
}

interface QuietStudy {
  readonly study_id: number;
  readonly revision: number;
}

/** The stage: closes every study that has been quiet for `quietMs`. */
export function createAssembleStage(dependencies: AssembleDependencies): Stage {
  const { database, clock, logger, wake, quietMs, onDone } = dependencies;
  return pollingStage({
    name: 'assemble',
    clock,
    wake,
    // Half the timer: a study closes at most 1.5 timers after its last instance.
    intervalMs: Math.max(50, quietMs / 2),
    onFault: (error) => logger.fault('assemble failed', error, { stage: 'assemble' }),
    runOnce: async () => {
      const quiet = database.read((sql) =>
        sql.all<QuietStudy>(
          `SELECT study_id, revision FROM study WHERE last_received_ms <= ? AND study_id IN
             (SELECT study_id FROM instance WHERE revision IS NULL)`,
          clock.nowMs() - quietMs,
        ),
      );
      for (const study of quiet) {
        crashPoint('gateway.assemble.before-close');
        await closeRevision(dependencies, study);
        crashPoint('gateway.assemble.after-close');
        onDone();
      }
      // Studies that are not quiet yet must be looked at again without a bell.
      return 0;
    },
  });
}

async function closeRevision(
  { database, clock, logger }: AssembleDependencies,
  study: QuietStudy,
): Promise<void> {
  const revision = study.revision + 1;
  const count = await database.write((sql) => {
    const taken = sql.run(
      'UPDATE instance SET revision = ? WHERE study_id = ? AND revision IS NULL',
      revision,
      study.study_id,
    );
    sql.run('UPDATE study SET revision = ? WHERE study_id = ?', revision, study.study_id);
    sql.run(
      `INSERT INTO study_revision (study_id, revision, closed_ms, state)
       VALUES (?, ?, ?, 'ASSEMBLED')`,
      study.study_id,
      revision,
      clock.nowMs(),
    );
    recordJournal(sql, {
      studyId: study.study_id,
      stage: 'assemble',
      event: 'closed',
      atMs: clock.nowMs(),
      detail: { revision, instances: taken },
    });
    return taken;
  });
  logger.info('study revision closed', { stage: 'assemble', revision, count });
}
