/**
 * Reconciliation (T-REC): once an hour the PACS is asked which studies of the last day a routing
 * rule could have selected, and the gateway says which of them did not come, or not whole.
 * Decides the order of the questions: hours, in halves where one holds too much, then the series
 * of those studies alone that are not here in full.
 * Invariants: one association at a time, every answer bounded; a run that could not be finished is
 * a state that people see, never an empty list; logs carry counts. Source: reliability
 * specification 2 (T-REC), H3, H5.
 */
import {
  AifiError,
  pollingStage,
  Wake,
  type Clock,
  type Purpose,
  type Stage,
} from '@aifi/shared-kernel';
import type { DeployedProduct } from '@aifi/contracts-manifests';
import type { GatewayDatabase } from '@aifi/gateway-database';
import type { Logger } from '@aifi/shared-observability';
import { isWorthAsking, productsFor } from './could-select.js';
import { MissedStudyStore, type FoundMissing } from './missed-study.store.js';
import type { ReconcileConfig } from './reconcile.config.js';
import type { FoundStudies, PacsStudy, StudyFinder } from './study-finder.js';
import { halvesOf, hoursBetween, type TimeWindow } from './time-windows.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const LOOK_BACK_MS = 24 * HOUR_MS;
/** A study of a day is looked at several times, so one answer that fails is made up for. */
const KEY = 'reconcile.last-run';

/** How a run ended. */
export type RunState =
  | 'DONE'
  /** The PACS has more than could be asked for: what is listed is not all. */
  | 'NOT_WHOLE'
  /** No signed rules yet: nobody knows what should have come. */
  | 'NO_RULES'
  | 'PACS_SILENT'
  | 'PACS_REFUSED'
  | 'FAILED';
export interface ReconciliationRun {
  readonly atMs: number;
  readonly state: RunState;
  /** Studies of the PACS that were compared. */
  readonly studies: number;
  /** When a run last ended as DONE; null: never. */
  readonly doneMs: number | null;
  /** Since when studies are compared: a new gateway has missed nothing before. */
  readonly sinceMs: number;
}

export interface ReconciliationDependencies {
  readonly database: GatewayDatabase;
  readonly finder: StudyFinder;
  readonly config: ReconcileConfig['missedStudies'];
  readonly purpose: Purpose;
  /** Undefined until the first rules have arrived. */
  readonly products: () => readonly DeployedProduct[] | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Uniform in [0, 1). @default Math.random */
  readonly random?: (() => number) | undefined;
}

export class Reconciliation {
  readonly store: MissedStudyStore;

  constructor(private readonly dependencies: ReconciliationDependencies) {
    this.store = new MissedStudyStore(dependencies.database);
  }

  /** Undefined until the first one. */
  lastRun(): ReconciliationRun | undefined {
    const row = this.dependencies.database.read((sql) =>
      sql.get<{ value: Uint8Array }>('SELECT value FROM setting WHERE key = ?', KEY),
    );
    return row && (JSON.parse(Buffer.from(row.value).toString()) as ReconciliationRun);
  }

  /** One run; never throws for what the PACS does. */
  async runOnce(signal: AbortSignal): Promise<ReconciliationRun> {
    const { clock, config, logger, products } = this.dependencies;
    const atMs = clock.nowMs();
    const last = this.lastRun();
    const sinceMs = last?.sinceMs ?? atMs;
    await this.store.settle(atMs);
    let [state, studies]: [RunState, number] = ['NO_RULES', 0];
    const inForce = products();
    if (inForce) {
      const untilMs = atMs - config.settleMinutes * MINUTE_MS;
      const windows = hoursBetween(Math.max(sinceMs, atMs - LOOK_BACK_MS), untilMs);
      const run = new Run(this.dependencies, this.store, inForce);
      state = await run.all(windows, signal);
      studies = run.studies;
    }
    const doneMs = state === 'DONE' ? atMs : (last?.doneMs ?? null);
    const run: ReconciliationRun = { atMs, state, studies, doneMs, sinceMs };
    await this.#keep(run);
    const fields = { count: this.store.count(), state };
    if (state === 'DONE' || state === 'NO_RULES') logger.info('reconciled with the PACS', fields);
    else logger.warn('the PACS could not be reconciled with', fields);
    return run;
  }

  async #keep(run: ReconciliationRun): Promise<void> {
    const value = Buffer.from(JSON.stringify(run));
    await this.dependencies.database.write((sql) =>
      sql.run('INSERT OR REPLACE INTO setting (key, value) VALUES (?, ?)', KEY, value),
    );
  }
}

/** The questions of one run. */
class Run {
  studies = 0;
  #seriesQueries = 0;
  #isWhole = true;

  constructor(
    private readonly dependencies: ReconciliationDependencies,
    private readonly store: MissedStudyStore,
    private readonly products: readonly DeployedProduct[],
  ) {}

  async all(windows: readonly TimeWindow[], signal: AbortSignal): Promise<RunState> {
    const { clock, logger } = this.dependencies;
    let added = 0;
    try {
      for (const window of windows) {
        if (signal.aborted) return 'NOT_WHOLE';
        const missing = await this.#missingIn(window, signal);
        // Each hour is kept by itself: what a later fault cuts off is not lost.
        added += await this.store.found(missing, clock.nowMs());
      }
      return this.#isWhole ? 'DONE' : 'NOT_WHOLE';
    } catch (error) {
      const state = stateOf(error);
      if (state === 'FAILED') logger.fault('reconciliation failed', error);
      return state;
    } finally {
      if (added > 0) logger.error('studies of the PACS did not come', { count: added });
    }
  }

  async #missingIn(window: TimeWindow, signal: AbortSignal): Promise<FoundMissing[]> {
    const { studies, isWhole } = await this.#ask(window);
    const halves = isWhole ? undefined : halvesOf(window);
    if (halves && !signal.aborted) {
      const [first, second] = halves;
      return [
        ...(await this.#missingIn(first, signal)),
        ...(await this.#missingIn(second, signal)),
      ];
    }
    this.#isWhole &&= isWhole;
    const missing: FoundMissing[] = [];
    for (const study of studies) {
      this.studies += 1;
      const found = await this.#compare(study, window);
      if (found) missing.push(found);
    }
    return missing;
  }

  #ask(window: TimeWindow): Promise<FoundStudies> {
    return this.dependencies.finder.studies(window);
  }

  async #compare(study: PacsStudy, window: TimeWindow): Promise<FoundMissing | undefined> {
    const { finder, purpose, config } = this.dependencies;
    if (!isWorthAsking(this.products, study.modalities, purpose)) return undefined;
    const here = this.store.received(study.studyUid);
    const count = [...here.values()].reduce((sum, one) => sum + one, 0);
    if (study.instances !== undefined && count >= study.instances) return undefined;
    if (this.#seriesQueries >= config.seriesQueriesMax) {
      this.#isWhole = false;
      return undefined;
    }
    this.#seriesQueries += 1;
    const own = this.store.ownSeries(study.studyUid);
    const wanted = (await finder.series(study.studyUid))
      .filter(({ seriesUid }) => !own.has(seriesUid))
      .map((series) => ({ series, products: productsFor(this.products, series, purpose) }))
      .filter(({ products }) => products.length > 0);
    const expected = new Map(
      wanted.map(({ series }): [string, number] => [
        series.seriesUid,
        // Without a count one image is the proof that the series came.
        Math.max(1, series.instances ?? 1),
      ]),
    );
    const isHere = [...expected].every(([uid, images]) => (here.get(uid) ?? 0) >= images);
    if (isHere) return undefined;
    return {
      studyUid: study.studyUid,
      studyMs: study.atMs ?? window.fromMs,
      modalities: study.modalities,
      products: [...new Set(wanted.flatMap(({ products }) => products))].sort(),
      series: expected,
    };
  }
}

function stateOf(error: unknown): RunState {
  switch (AifiError.from(error).code) {
    case 'PEER_UNAVAILABLE':
    case 'DEADLINE_EXCEEDED':
      return 'PACS_SILENT';
    case 'PEER_REFUSED':
    case 'UNTRUSTED':
    case 'FORBIDDEN':
    case 'UNAUTHENTICATED':
      return 'PACS_REFUSED';
    default:
      return 'FAILED';
  }
}

/**
 * Each hour, moved by up to ten minutes, so that the gateways of a country do not ask together;
 * the first time ten minutes after the start at the soonest, when what waited has come in.
 */
export function createReconciliationStage(
  reconciliation: Pick<Reconciliation, 'runOnce'>,
  { clock, logger, random = Math.random }: ReconciliationDependencies,
): Stage {
  const spread = (): number => 10 * MINUTE_MS * random();
  let dueMs = clock.monotonicMs() + 10 * MINUTE_MS + spread();
  return pollingStage({
    name: 'reconciliation',
    ...{ clock, wake: new Wake(), intervalMs: MINUTE_MS },
    onFault: (error) => logger.fault('reconciliation failed', error),
    runOnce: async (signal) => {
      if (clock.monotonicMs() < dueMs) return 0;
      dueMs = clock.monotonicMs() + HOUR_MS - 5 * MINUTE_MS + spread();
      await reconciliation.runOnce(signal);
      return 0;
    },
  });
}
