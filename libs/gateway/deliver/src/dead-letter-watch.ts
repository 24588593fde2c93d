/**
 * Dead letter watch: an object that waits for a person is told of until the person has acted.
 * Decides that a dead letter of a week is an alarm, once a day. Invariant: nothing removes a dead
 * letter but a replay. Source: reliability specification 2 (deletion rules).
 */
import type { GatewayDatabase } from '@aifi/gateway-database';
import { pollingStage, Wake, type Clock, type Stage } from '@aifi/shared-kernel';
import type { Logger } from '@aifi/shared-observability';
import { DeadLetterStore } from './dead-letter.store.js';

/** @unit ms */
const DAY_MS = 86_400_000;
const ALARM_AGE_MS = 7 * DAY_MS;
/** @unit ms */
const POLL_INTERVAL_MS = 3_600_000;

export interface DeadLetterWatchDependencies {
  readonly database: GatewayDatabase;
  readonly clock: Clock;
  readonly logger: Logger;
}

export function createDeadLetterWatch(dependencies: DeadLetterWatchDependencies): Stage {
  const { database, clock, logger } = dependencies;
  const store = new DeadLetterStore(database);
  let alarmedAtMs = -Infinity;
  return pollingStage({
    name: 'dead-letter-watch',
    clock,
    wake: new Wake(),
    intervalMs: POLL_INTERVAL_MS,
    onFault: (error) => logger.fault('dead letters are not watched', error),
    runOnce: async () => {
      if (clock.monotonicMs() - alarmedAtMs < DAY_MS) return 0;
      const count = store.count({ beforeMs: clock.nowMs() - ALARM_AGE_MS });
      if (count === 0) return 0;
      alarmedAtMs = clock.monotonicMs();
      logger.error('dead letters have waited for more than a week', { count });
      return 0;
    },
  });
}
