/**
 * The watch over objections: whoever set one, and also when its first day begins, the jobs that it
 * concerns end within half a minute.
 * Decides only when it looks. Invariant: it writes nothing when there is nothing to end.
 * Source: governance specification 4.3.
 */
import type { GatewayDatabase } from '@aifi/gateway-database';
import { crashPoint, pollingStage, Wake, type Clock, type Stage } from '@aifi/shared-kernel';
import type { Logger } from '@aifi/shared-observability';
import { endJobsOfPatient, hasObjectedJobs } from './objected-jobs.js';

const INTERVAL_MS = 30_000;

export interface ObjectionWatchDependencies {
  readonly database: GatewayDatabase;
  readonly clock: Clock;
  readonly logger: Logger;
}

export function createObjectionWatch(dependencies: ObjectionWatchDependencies): Stage {
  const { clock, logger } = dependencies;
  return pollingStage({
    name: 'objection-watch',
    ...{ clock, wake: new Wake(), intervalMs: INTERVAL_MS },
    onFault: (error) => logger.fault('the watch over objections failed', error),
    runOnce: async () => {
      await endObjected(dependencies);
      return 0;
    },
  });
}

/** One look; says how many jobs ended. */
export async function endObjected({
  database,
  clock,
  logger,
}: ObjectionWatchDependencies): Promise<number> {
  const atMs = clock.nowMs();
  if (!database.read((sql) => hasObjectedJobs(sql, { atMs }))) return 0;
  crashPoint('gateway.consent.before-jobs-end');
  const { ended } = await database.write((sql) => endJobsOfPatient(sql, { atMs }));
  crashPoint('gateway.consent.after-jobs-end');
  logger.info('jobs ended: the patient objects', { count: ended });
  return ended;
}
