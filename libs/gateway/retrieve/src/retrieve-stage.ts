/**
 * The retrieval beside the pipeline: studies by hand, studies that were missed, studies of rules.
 * Decides the wiring: one worker, a look at the list of missed studies and at the rules each
 * minute. Invariant: whatever is queued is a row, so a wake-up that is lost costs time only.
 * Source: features 4; reliability specification H15 and 2 (T-REC).
 */
import type { GatewayDatabase } from '@aifi/gateway-database';
import type { ZoneMinutes } from '@aifi/gateway-reconcile';
import { pollingStage, Wake, type Stage } from '@aifi/shared-kernel';
import type { Archive } from './archive.js';
import { Pace } from './pace.js';
import { RetrievalStore, type RetrievalRequest } from './retrieval.store.js';
import {
  checkAccessionNumber,
  RetrieveService,
  type RetrieveDependencies,
} from './retrieve-service.js';
import type { RetrieveConfig } from './retrieve.config.js';
import { RuleSearch } from './rule-search.js';

/** @unit ms */
const [POLL_MS, LOOK_MS] = [2_000, 60_000];
/** Studies of one accession number: grouped orders have a few. */
const STUDIES_OF_ORDER_MAX = 20;

export interface RetrieveParts extends Pick<
  RetrieveDependencies,
  'permits' | 'isPacsUp' | 'onEnd' | 'clock' | 'logger' | 'random'
> {
  readonly database: GatewayDatabase;
  readonly archive: Archive;
  readonly config: RetrieveConfig;
  readonly zone: ZoneMinutes;
}
export interface Retrieving {
  readonly stage: Stage;
  readonly store: RetrievalStore;
  /** Ids in the order of the requests. */
  queue(requests: readonly RetrievalRequest[]): Promise<number[]>;
  withdraw(id: number): Promise<boolean>;
  /** Studies of an accession number, which is asked of the PACS and kept nowhere. */
  studiesOf(accessionNumber: string): Promise<string[]>;
}

export function createRetrieving(parts: RetrieveParts): Retrieving {
  const { database, archive, config, clock, zone } = parts;
  const logger = parts.logger.child({ stage: 'retrieve' });
  const store = new RetrievalStore(database, config.queueMax);
  const pace = new Pace(clock, config.rate);
  const service = new RetrieveService({ ...parts, store, pace, logger });
  const wake = new Wake();
  const onQueued = (): void => wake.notify();
  const queue = async (requests: readonly RetrievalRequest[]): Promise<number[]> => {
    const ids = await store.queue(requests, clock.nowMs());
    onQueued();
    return ids;
  };
  const search = new RuleSearch({
    ...{ archive, service, store, pace, zone, onQueued, clock, logger },
    ...{ rules: config.rules, random: parts.random },
  });
  const look = async (signal: AbortSignal): Promise<number> => {
    if (config.missedStudies === 'automatic') {
      const missed = store.missed().map((studyUid) => ({ studyUid, cause: 'missed' }) as const);
      if (missed.length > 0) await queue(missed);
    }
    await search.runOnce(signal);
    return 0;
  };
  const name = 'retrieve';
  const onFault = (error: unknown): void => logger.fault('retrieval failed', error);
  const polls = [
    pollingStage({
      ...{ name, clock, wake, intervalMs: POLL_MS, onFault },
      runOnce: (signal) => service.runOnce(signal),
    }),
    pollingStage({ name, clock, wake: new Wake(), intervalMs: LOOK_MS, onFault, runOnce: look }),
  ];
  return {
    ...{ store, queue },
    stage: {
      name,
      run: async (signal) => void (await Promise.all(polls.map((poll) => poll.run(signal)))),
    },
    withdraw: (id) => service.withdraw(id),
    studiesOf: async (accessionNumber) => {
      const search = { accessionNumber: checkAccessionNumber(accessionNumber) };
      const found = await service.ask(() => archive.findStudies(search, STUDIES_OF_ORDER_MAX));
      return [...new Set(found.studies.map((study) => study.studyInstanceUid))];
    },
  };
}
