/**
 * Deadline watch: no product stays without an answer past the deadline of its lane.
 * Decides that a job that is still open then becomes NOT_ANALYSED_NOTIFIED, with the code it was
 * held for or TIMEOUT. A result that waits for nothing but the PACS goes on waiting, at most
 * PACS_AWAY_MS: nobody can read anything there meanwhile, and it goes in when the PACS is back.
 * A job that a newer revision has overtaken ends at once, should the stages have missed it.
 * Invariants: silence ends here, whatever stage is stuck; a result given up is a dead letter; a
 * clock that was set, or that is known to be wrong, ends nothing before its time.
 * Source: architecture 2 ("Silence is a defect"), hazard H5; reliability specification P6.
 */
import { pollingStage, Wake, type Clock, type ReasonCode, type Stage } from '@aifi/shared-kernel';
import {
  endOvertakenJobs,
  hasOvertakenJobs,
  moveJob,
  type GatewayDatabase,
  type JobState,
} from '@aifi/gateway-database';
import { buryOverdue, isBlockedByPacs, type DeliverStage } from '@aifi/gateway-deliver';
import type { ClockWatch } from '@aifi/gateway-reconcile';
import type { Logger } from '@aifi/shared-observability';
import type { GatewayConfig } from './gateway-config.js';

/** How long past its deadline a result waits for a PACS that is away. @unit ms */
const PACS_AWAY_MS = 72 * 3_600_000;
/** How long nothing is given up because the clock is known to be wrong. @unit ms */
const CLOCK_PAUSE_MS = 3_600_000;
/** How often that is told. @unit ms */
const ALARM_INTERVAL_MS = 3_600_000;

export interface DeadlineDependencies {
  readonly database: GatewayDatabase;
  readonly deadlines: GatewayConfig['deadlines'];
  readonly pacsState: DeliverStage['pacsState'];
  /** @default the clock is right */
  readonly clockWatch?: Pick<ClockWatch, 'deadlineNowMs' | 'isHolding'> | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}
interface OverdueJob {
  readonly job_id: string;
  readonly state: JobState;
  readonly code: ReasonCode | null;
  readonly since_ms: number;
}

export function createDeadlineWatch(dependencies: DeadlineDependencies): Stage {
  const { database, deadlines, clockWatch, clock, logger } = dependencies;
  let alarmedMs = -Infinity;
  let heldSinceMs: number | undefined;
  return pollingStage({
    name: 'deadline-watch',
    clock,
    wake: new Wake(),
    intervalMs: 5_000,
    onFault: (error) => logger.fault('deadline watch failed', error),
    runOnce: async () => {
      await endOvertaken(dependencies).catch((error: unknown) =>
        logger.fault('jobs of older revisions were not ended', error),
      );
      heldSinceMs = clockWatch?.isHolding() ? (heldSinceMs ?? clock.monotonicMs()) : undefined;
      const isPaused = clock.monotonicMs() - (heldSinceMs ?? -Infinity) < CLOCK_PAUSE_MS;
      if (isPaused) return 0;
      const nowMs = clockWatch?.deadlineNowMs() ?? clock.nowMs();
      const overdue = database.read((sql) =>
        sql.all<OverdueJob>(
          `SELECT job_id, state, code, COALESCE(reopened_ms, created_ms) AS since_ms
           FROM job WHERE terminal_ms IS NULL
             AND COALESCE(reopened_ms, created_ms) <= CASE lane WHEN 'acute' THEN ? ELSE ? END`,
          nowMs - deadlines.acuteMs,
          nowMs - deadlines.routineMs,
        ),
      );
      const late = overdue.filter((job) => mayWait(dependencies, job, nowMs));
      await giveUpAll(
        dependencies,
        overdue.filter((job) => !late.includes(job)),
      );
      if (late.length > 0 && clock.monotonicMs() - alarmedMs >= ALARM_INTERVAL_MS) {
        alarmedMs = clock.monotonicMs();
        logger.error('results are late because the PACS is away', { count: late.length });
      }
      return 0;
    },
  });
}

/** Whatever the clock says: this is no matter of time. */
async function endOvertaken({ database, clock, logger }: DeadlineDependencies): Promise<void> {
  if (!database.read(hasOvertakenJobs)) return;
  const atMs = clock.nowMs();
  const ended = await database.write((sql) => endOvertakenJobs(sql, { stage: 'deliver', atMs }));
  logger.info('jobs of older revisions ended, they are overtaken', { count: ended.length });
}

/** True for a result that the PACS would have by now if it were there. */
function mayWait(
  { database, deadlines, pacsState }: DeadlineDependencies,
  { job_id: jobId, state, since_ms: sinceMs }: OverdueJob,
  nowMs: number,
): boolean {
  if (state !== 'REIDENTIFIED') return false;
  if (nowMs - sinceMs >= deadlines.routineMs + PACS_AWAY_MS) return false;
  return pacsState() !== 'closed' || database.read((sql) => isBlockedByPacs(sql, jobId));
}

/** One that cannot be given up now does not keep the others: it comes again in the next round. */
async function giveUpAll(
  dependencies: DeadlineDependencies,
  jobs: readonly OverdueJob[],
): Promise<void> {
  const faults: { readonly jobId: string; readonly error: unknown }[] = [];
  for (const job of jobs) {
    await giveUp(dependencies, job).catch((error: unknown) =>
      faults.push({ jobId: job.job_id, error }),
    );
  }
  const [first] = faults;
  if (!first) return;
  const { jobId, error } = first;
  dependencies.logger.fault('jobs were not given up', error, { jobId, count: faults.length });
}

async function giveUp(
  { database, clock, logger }: DeadlineDependencies,
  job: OverdueJob,
): Promise<void> {
  const code = job.code ?? 'TIMEOUT';
  const atMs = clock.nowMs();
  await database.write((sql) => {
    buryOverdue(sql, job.job_id, atMs);
    moveJob(sql, {
      jobId: job.job_id,
      from: job.state,
      to: 'NOT_ANALYSED_NOTIFIED',
      // The deadline belongs to the lane; deliver is the stage that owed the answer.
      stage: 'deliver',
      event: 'overdue',
      atMs,
      code,
      reason: `no result before the deadline, last state ${job.state}`,
    });
  });
  logger.error('deadline passed without a result', { jobId: job.job_id, code, state: job.state });
}
