/**
 * HeldJobs: results that wait because nothing explained the patient whom the PACS showed.
 * Decides that such a job is looked at again as soon as the hospital has said more about the
 * patient of its study since: a person decides only about what nothing explains.
 * Invariants: the last look decides again, nothing is sent by this; each way back is on record; a
 * study about which nothing new was said is left alone.
 * Source: reliability specification C5, C7.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { resumeHeldJob, type GatewayDatabase } from '@aifi/gateway-database';
import { AifiError, type Clock } from '@aifi/shared-kernel';
import type { Logger } from '@aifi/shared-observability';
import type { IdentityExplainer } from './last-look.js';

/** Held jobs of one look; a round takes as many looks as there are. */
const ROWS_MAX = 200;

interface HeldRow {
  readonly position: number;
  readonly job_id: string;
  readonly study_uid: string;
  /** Null: it was no look of ours that held it. */
  readonly identity_version: number | null;
}
export interface HeldJobsDependencies {
  readonly database: GatewayDatabase;
  readonly explainer: IdentityExplainer;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Takes up what may be explained by now; says how many jobs. What stays held keeps no other. */
export async function resumeExplained(dependencies: HeldJobsDependencies): Promise<number> {
  const { explainer } = dependencies;
  let resumed = 0;
  if (!explainer.identityVersion) return 0;
  let after = 0;
  for (;;) {
    const rows = heldRows(dependencies.database, after);
    for (const row of rows) {
      const { identity_version: held } = row;
      if (held === null || explainer.identityVersion(row.study_uid) === held) continue;
      if (await resume(dependencies, row)) resumed += 1;
    }
    if (rows.length < ROWS_MAX) return resumed;
    after = rows.at(-1)!.position;
    await nextTurn();
  }
}

async function resume(
  { database, clock, logger }: HeldJobsDependencies,
  { job_id: jobId }: HeldRow,
): Promise<boolean> {
  try {
    await database.write((sql) => resumeHeldJob(sql, { jobId, atMs: clock.nowMs() }));
  } catch (error) {
    // It ended meanwhile, or a newer revision has gone past it.
    if (AifiError.from(error).code !== 'STATE_CONFLICT') throw error;
    return false;
  }
  logger.info('more was said of a patient, held job is looked at again', { jobId });
  return true;
}

/** With what was known of the patient at the look that held them; -1: that is not on record. */
function heldRows(database: GatewayDatabase, after: number): HeldRow[] {
  return database.read((sql) =>
    sql.all<HeldRow & object>(
      `SELECT job.rowid AS position, job_id, study_uid,
         (SELECT COALESCE(journal.detail ->> '$.identityVersion', -1) FROM journal
           WHERE journal.job_id = job.job_id
             AND journal.stage = 'deliver' AND journal.event = 'held'
           ORDER BY journal.rowid DESC LIMIT 1) AS identity_version
         FROM job JOIN study USING (study_id)
        WHERE job.state = 'HELD' AND code = 'IDENTITY_UNEXPLAINED' AND job.rowid > ?
        ORDER BY job.rowid LIMIT ${ROWS_MAX}`,
      after,
    ),
  );
}
