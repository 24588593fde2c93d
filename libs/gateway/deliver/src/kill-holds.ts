/**
 * KillHolds: results that wait because of a kill switch, asked about and taken up again.
 * Decides that each result is asked about right before it is sent, and that a held one goes on by
 * itself as soon as the gate opens. Invariants: every way into and out of a hold is on record; the
 * deadline of a lane ends a hold as it ends everything else.
 * Source: governance specification 1 (in-flight results are held and marked); hazard H5.
 */
import { STOP_CODES } from '@aifi/contracts-manifests';
import { resumeHeldJob, type GatewayDatabase } from '@aifi/gateway-database';
import { AifiError, crashPoint, type Clock } from '@aifi/shared-kernel';
import type { Logger } from '@aifi/shared-observability';
import { decideDelivery, type KillVerdict, type KnowKill } from './kill-gate.js';

/** Held jobs of one round. */
const ROWS_MAX = 200;

export interface KillHoldDependencies {
  readonly database: GatewayDatabase;
  /** Absent: there are no kill switches. */
  readonly knowKill?: KnowKill | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}
interface ResultRow {
  readonly job_id: string;
  readonly product: string;
  readonly version: string;
  readonly completed_ms: number | null;
}

const RESULT = `
SELECT job_id, product, product_version AS version,
  (SELECT MAX(received_ms) FROM inbound WHERE inbound.job_id = job.job_id) AS completed_ms
FROM job`;

/** What the kill switches say of this job's result now. */
export function gateOf(dependencies: KillHoldDependencies, jobId: string): KillVerdict {
  const { database, knowKill } = dependencies;
  if (!knowKill) return { kind: 'deliver' };
  const row = database.read((sql) =>
    sql.get<ResultRow & object>(`${RESULT} WHERE job_id = ?`, jobId),
  );
  return row ? verdictOn(row, knowKill) : { kind: 'deliver' };
}

function verdictOn(row: ResultRow, knowKill: KnowKill): KillVerdict {
  // A result without a time of its own came from nowhere that a cut could explain: it is new.
  const { completed_ms: completedAtMs, ...result } = row;
  return decideDelivery({ ...result, completedAtMs: completedAtMs ?? Infinity }, knowKill());
}

/** Takes up the held jobs whose gate is open; says how many. */
export async function resumeUngated(dependencies: KillHoldDependencies): Promise<number> {
  const { database, knowKill, clock, logger } = dependencies;
  if (!knowKill) return 0;
  const held = database.read((sql) =>
    sql.all<ResultRow & object>(
      `${RESULT} WHERE state = 'HELD' AND code IN (SELECT value FROM json_each(?))
       ORDER BY lane, created_ms LIMIT ?`,
      JSON.stringify(STOP_CODES),
      ROWS_MAX,
    ),
  );
  let resumed = 0;
  for (const row of held) {
    if (verdictOn(row, knowKill).kind !== 'deliver') continue;
    const order = { jobId: row.job_id, atMs: clock.nowMs(), codes: STOP_CODES };
    try {
      crashPoint('gateway.kill-hold.before-resume');
      await database.write((sql) => resumeHeldJob(sql, order));
      crashPoint('gateway.kill-hold.after-resume');
    } catch (error) {
      // It ended meanwhile, or a newer revision has gone past it.
      if (AifiError.from(error).code !== 'STATE_CONFLICT') throw error;
      continue;
    }
    logger.info('held result may go on', { jobId: row.job_id });
    resumed += 1;
  }
  return resumed;
}
