/**
 * KillHolds: results that wait because of a kill switch, asked about and taken up again.
 * Decides that each result is asked about right before it is sent, and that a held one goes on by
 * itself as soon as the gate opens. Invariants: every way into and out of a hold is on record; the
 * deadline of a lane ends a hold as it ends everything else.
 * Source: governance specification 1 (in-flight results are held and marked); hazard H5.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { STOP_CODES } from '@aifi/contracts-manifests';
import { resumeHeldJob, type GatewayDatabase } from '@aifi/gateway-database';
import { AifiError, crashPoint, type Clock } from '@aifi/shared-kernel';
import type { Logger } from '@aifi/shared-observability';
import { decideDelivery, type KillVerdict, type KnowKill } from './kill-gate.js';

/** Held jobs of one look; a round takes as many looks as there are, acute ones first. */
const ROWS_MAX = 200;
const LANES = ['acute', 'routine'] as const;

export interface KillHoldDependencies {
  readonly database: GatewayDatabase;
  /** Absent: there are no kill switches. */
  readonly knowKill?: KnowKill | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}
interface ResultRow {
  readonly position: number;
  readonly job_id: string;
  readonly product: string;
  readonly version: string;
  readonly completed_ms: number | null;
}

const RESULT = `
SELECT rowid AS position, job_id, product, product_version AS version,
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
  const { product, version, completed_ms: completedAtMs } = row;
  const result = { product, version, completedAtMs: completedAtMs ?? Infinity };
  return decideDelivery(result, knowKill());
}

/** Takes up the held jobs whose gate is open; says how many. What stays held keeps no other one. */
export async function resumeUngated(dependencies: KillHoldDependencies): Promise<number> {
  const { knowKill } = dependencies;
  if (!knowKill) return 0;
  let resumed = 0;
  for (const lane of LANES) {
    let after = 0;
    for (;;) {
      const held = heldAfter(dependencies.database, lane, after);
      for (const row of held) {
        if (verdictOn(row, knowKill).kind !== 'deliver') continue;
        if (await resume(dependencies, row.job_id)) resumed += 1;
      }
      if (held.length < ROWS_MAX) break;
      after = held.at(-1)!.position;
      await nextTurn();
    }
  }
  return resumed;
}

function heldAfter(database: GatewayDatabase, lane: string, after: number): ResultRow[] {
  return database.read((sql) =>
    sql.all<ResultRow & object>(
      `${RESULT} WHERE state = 'HELD' AND code IN (SELECT value FROM json_each(?))
         AND lane = ? AND rowid > ? ORDER BY rowid LIMIT ${ROWS_MAX}`,
      ...[JSON.stringify(STOP_CODES), lane, after],
    ),
  );
}

async function resume(
  { database, clock, logger }: KillHoldDependencies,
  jobId: string,
): Promise<boolean> {
  const order = { jobId, atMs: clock.nowMs(), codes: STOP_CODES };
  try {
    crashPoint('gateway.kill-hold.before-resume');
    await database.write((sql) => resumeHeldJob(sql, order));
    crashPoint('gateway.kill-hold.after-resume');
  } catch (error) {
    // It ended meanwhile, or a newer revision has gone past it.
    if (AifiError.from(error).code !== 'STATE_CONFLICT') throw error;
    return false;
  }
  logger.info('held result may go on', { jobId });
  return true;
}
