/**
 * Pseudonymise: the selected series of a job to files that may leave.
 * Decides which job is next, and how a job ends that may not leave. Invariants: one job at a time,
 * acute ones first; a job that fails does not keep the next one waiting.
 * Source: reliability specification P1; architecture 2.
 */
import { moveJob } from '@aifi/gateway-database';
import { pollingStage, type Refusal, type Stage, type Wake } from '@aifi/shared-kernel';
import { pseudonymiseJob, type JobDependencies } from './pseudonymise-job.js';
import { RestingJobs } from './resting-jobs.js';
import { selectedJobs, type SelectedJob } from './selected-job.js';

export interface PseudonymiseDependencies extends JobDependencies {
  readonly wake: Wake;
  readonly onDone: () => void;
}

export function createPseudonymiseStage(dependencies: PseudonymiseDependencies): Stage {
  const { database, clock, wake, onDone } = dependencies;
  const logger = dependencies.logger.child({ stage: 'pseudonymise' });
  const resting = new RestingJobs(clock);
  const handle = async (job: SelectedJob): Promise<void> => {
    const outcome = await pseudonymiseJob({ ...dependencies, logger }, job);
    if (!outcome.ok) await decline(dependencies, job, outcome.refusal);
    const { jobId } = job;
    if (!outcome.ok) logger.info('job declined', { jobId, code: outcome.refusal.code });
    else if (outcome.value === 'held') logger.info('job held for a person', { jobId });
    else logger.info('job pseudonymised', { jobId });
    onDone();
  };
  return pollingStage({
    name: 'pseudonymise',
    clock,
    wake,
    intervalMs: 1_000,
    onFault: (error) => logger.fault('pseudonymise failed', error),
    runOnce: async (signal) => {
      let handled = 0;
      for (const job of selectedJobs(database, resting.now())) {
        if (signal.aborted) break;
        try {
          await handle(job);
          resting.done(job.jobId);
        } catch (error) {
          // The next one must pass; this one is tried again after a rest.
          logger.fault('pseudonymise failed', error, { jobId: job.jobId });
          resting.failed(job.jobId);
        }
        handled += 1;
      }
      return handled;
    },
  });
}

async function decline(
  { database, clock }: JobDependencies,
  job: SelectedJob,
  { code, detail }: Refusal,
): Promise<void> {
  await database.write((sql) =>
    moveJob(sql, {
      jobId: job.jobId,
      from: 'SELECTED',
      to: 'NOT_ANALYSED_NOTIFIED',
      stage: 'pseudonymise',
      event: 'declined',
      atMs: clock.nowMs(),
      code,
      ...(detail === undefined ? {} : { reason: detail }),
    }),
  );
}
