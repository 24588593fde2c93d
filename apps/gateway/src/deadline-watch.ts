/**
 * Deadline watch: no product stays without an answer past the deadline of its lane.
 * Decides that a job that is still open then becomes NOT_ANALYSED_NOTIFIED, with the code it was
 * held for or TIMEOUT. Invariant: silence ends here, whatever stage is stuck.
 * Source: architecture 2 ("Silence is a defect"), hazard H5.
 */
import { pollingStage, Wake, type Clock, type ReasonCode, type Stage } from '@aifi/shared-kernel';
import { moveJob, type GatewayDatabase, type JobState } from '@aifi/gateway-database';
import type { Logger } from '@aifi/shared-observability';
import type { GatewayConfig } from './gateway-config.js';

export interface DeadlineDependencies {
  readonly database: GatewayDatabase;
  readonly deadlines: GatewayConfig['deadlines'];
  readonly clock: Clock;
  readonly logger: Logger;
}
interface OverdueJob {
  readonly job_id: string;
  readonly state: JobState;
  readonly code: ReasonCode | null;
}

export function createDeadlineWatch(dependencies: DeadlineDependencies): Stage {
  const { database, deadlines, clock, logger } = dependencies;
  return pollingStage({
    name: 'deadline-watch',
    clock,
    wake: new Wake(),
    intervalMs: 5_000,
    onFault: (error) => logger.fault('deadline watch failed', error),
    runOnce: async () => {
      const nowMs = clock.nowMs();
      const overdue = database.read((sql) =>
        sql.all<OverdueJob>(
          `SELECT job_id, state, code FROM job WHERE terminal_ms IS NULL
             AND COALESCE(reopened_ms, created_ms) <= CASE lane WHEN 'acute' THEN ? ELSE ? END`,
          nowMs - deadlines.acuteMs,
          nowMs - deadlines.routineMs,
        ),
      );
      for (const job of overdue) await giveUp(dependencies, job);
      return 0;
    },
  });
}

async function giveUp(
  { database, clock, logger }: DeadlineDependencies,
  job: OverdueJob,
): Promise<void> {
  const code = job.code ?? 'TIMEOUT';
  await database.write((sql) =>
    moveJob(sql, {
      jobId: job.job_id,
      from: job.state,
      to: 'NOT_ANALYSED_NOTIFIED',
      // The deadline belongs to the lane; deliver is the stage that owed the answer.
      stage: 'deliver',
      event: 'overdue',
      atMs: clock.nowMs(),
      code,
      reason: `no result before the deadline, last state ${job.state}`,
    }),
  );
  logger.error('deadline passed without a result', { jobId: job.job_id, code, state: job.state });
}
