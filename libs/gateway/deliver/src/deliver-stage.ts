/**
 * The deliver stage: re-identified results into the PACS.
 * Decides how many lanes work side by side and that dead letters are not forgotten.
 * Invariant: at most `associationsMax` requests to the PACS are open. Source: reliability
 * specification H15 (at most 2 associations) and 2 (dead letters: alarm at 7 days).
 */
import type { CommitmentReport } from '@aifi/dicom-dimse';
import { pollingStage, Wake, type Stage } from '@aifi/shared-kernel';
import type { BreakerState } from './circuit-breaker.js';
import { createDeadLetterWatch } from './dead-letter-watch.js';
import { DeliverService, type DeliverServiceDependencies } from './deliver-service.js';

/** @unit ms */
const POLL_INTERVAL_MS = 1_000;

/** What is held waits for an event of the hospital: minutes. @unit ms */
const HELD_INTERVAL_MS = 10_000;

export interface DeliverDependencies extends DeliverServiceDependencies {
  readonly wake: Wake;
}
export interface DeliverStage extends Stage {
  /** Whether the PACS is asked (closed), left alone (open) or about to be looked at (probe). */
  pacsState(): Exclude<BreakerState, 'half-open'>;
  /**
   * Takes a report of a storage commitment that came on an association of the PACS. Idempotent;
   * what nothing waits for changes nothing.
   */
  onCommitment(report: CommitmentReport): Promise<void>;
}

export function createDeliverStage(dependencies: DeliverDependencies): DeliverStage {
  const logger = dependencies.logger.child({ stage: 'deliver' });
  const { clock, wake, database, settings } = dependencies;
  const service = new DeliverService({ ...dependencies, logger });
  const lanes = Array.from({ length: settings.associationsMax }, (_, lane) =>
    pollingStage({
      name: 'deliver',
      clock,
      // The bell wakes one lane; the others look by themselves.
      wake: lane === 0 ? wake : new Wake(),
      intervalMs: POLL_INTERVAL_MS,
      runOnce: () => service.runOnce(),
      onFault: (error) => logger.fault('delivery failed', error),
    }),
  );
  const held = pollingStage({
    ...{ name: 'deliver', clock, wake: new Wake(), intervalMs: HELD_INTERVAL_MS },
    runOnce: async () => {
      const explained = await service.resumeExplained();
      if (explained + (await service.resumeUngated()) > 0) wake.notify();
      return 0;
    },
    onFault: (error) => logger.fault('held results were not looked at', error),
  });
  const watch = createDeadLetterWatch({ database, clock, logger });
  return {
    name: 'deliver',
    run: async (signal) => {
      await Promise.all([...lanes, held, watch].map((part) => part.run(signal)));
    },
    pacsState: () => (service.pacsState === 'half-open' ? 'probe' : service.pacsState),
    onCommitment: (report) => service.onCommitment(report),
  };
}
