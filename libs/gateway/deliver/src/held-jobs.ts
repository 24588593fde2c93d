/**
 * HeldJobs: results that wait because nothing explained the patient whom the PACS showed.
 * Decides that such a job is looked at again as soon as the hospital has said more about the
 * patient of its study since: a person decides only about what nothing explains.
 * Invariants: the last look decides again, nothing is sent by this; each way back is on record; a
 * study about which nothing new was said is left alone.
 * Source: reliability specification C5, C7.
 */
import { resumeHeldJob, type GatewayDatabase } from '@aifi/gateway-database';
import { AifiError, type Clock } from '@aifi/shared-kernel';
import type { Logger } from '@aifi/shared-observability';
import type { IdentityExplainer } from './last-look.js';

/** Held jobs of one round: each asks for the history of its study. */
const ROWS_MAX = 200;

interface HeldRow {
  readonly job_id: string;
  readonly study_uid: string;
  readonly held_ms: number;
}
export interface HeldJobsDependencies {
  readonly database: GatewayDatabase;
  readonly explainer: IdentityExplainer;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Takes up what may be explained by now; says how many jobs. */
export async function resumeExplained(dependencies: HeldJobsDependencies): Promise<number> {
  const { explainer } = dependencies;
  let resumed = 0;
  for (const row of heldRows(dependencies.database)) {
    const hasChanged = await explainer.hasChangedSince?.(row.study_uid, row.held_ms);
    if (hasChanged && (await resume(dependencies, row))) resumed += 1;
  }
  return resumed;
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

/** With the time of the look that held them. */
function heldRows(database: GatewayDatabase): HeldRow[] {
  return database.read((sql) =>
    sql.all<HeldRow & object>(
      `SELECT job_id, study_uid, held_ms
         FROM job JOIN study USING (study_id) JOIN (
           SELECT job_id, MAX(at_ms) AS held_ms FROM journal
            WHERE stage = 'deliver' AND event = 'held' GROUP BY job_id) USING (job_id)
        WHERE job.state = 'HELD' AND code = 'IDENTITY_UNEXPLAINED'
        ORDER BY held_ms DESC LIMIT ?`,
      ROWS_MAX,
    ),
  );
}
