/**
 * RetrieveService: one study at a time out of the PACS, until all that it lists is here.
 * Decides the order: what the PACS lists, what of it is missing, the fetch, and the same comparison
 * again; the end is what the rows say and never what the PACS says of itself.
 * Invariants: nothing is fetched that is here; a fetch is counted before it begins; while deliver
 * leaves the PACS alone nothing is asked; every retrieval ends. Logs carry no UID.
 * Source: features 4; reliability specification H15; hazard H7.
 */
import type { ListedSeries } from '@aifi/dicom-dimse';
import { AifiError, backoffMs, crashPoint, type Clock } from '@aifi/shared-kernel';
import type { Logger } from '@aifi/shared-observability';
import { reasonOf, type Archive, type RetrievalReason } from './archive.js';
import type { AssociationPermits } from './association-permits.js';
import type { Pace } from './pace.js';
import { codeOf, isFinal, isOutage, waitMs } from './retrieval-wait.js';
import type { Counts, Retrieval, RetrievalStore } from './retrieval.store.js';
import type { RetrieveConfig } from './retrieve.config.js';
import { studyGap, type StudyGap } from './study-gap.js';

const HOUR_MS = 3_600_000;
/** Images that may come to a study between its list and its end. */
const OBJECTS_BESIDE_MAX = 100;
/** Pause of all retrievals while the PACS is away. @unit ms */
const OUTAGE = { baseMs: 5_000, maxMs: 300_000 };
/** A fetch that was cut short by a stop goes on soon after the start. @unit ms */
const RESUME_MS = 1_000;

export interface RetrieveDependencies {
  readonly store: RetrievalStore;
  readonly archive: Archive;
  readonly config: Pick<RetrieveConfig, 'attemptsMax' | 'giveUpHours' | 'instancesMax'>;
  /** Shared with whoever else asks this PACS. */
  readonly permits: Pick<AssociationPermits, 'run'>;
  readonly pace: Pick<Pace, 'next'>;
  /** What deliver knows of the PACS: false while it leaves it alone. */
  readonly isPacsUp: () => boolean;
  readonly onEnd?: (() => void) | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Uniform in [0, 1). @default Math.random */
  readonly random?: (() => number) | undefined;
}

/** A retrieval in hand. */
interface Hand {
  readonly row: Retrieval;
  readonly withdrawn: AbortController;
  /** A fetch of this try was begun. */
  isCounted: boolean;
  counts: Counts | undefined;
}

export class RetrieveService {
  readonly #random: () => number;
  #hand: Hand | undefined;
  #outages = 0;
  #pausedUntilMs = 0;

  constructor(private readonly dependencies: RetrieveDependencies) {
    this.#random = dependencies.random ?? Math.random;
  }

  /** False while nothing is asked of the PACS. */
  get mayAsk(): boolean {
    const { isPacsUp, clock } = this.dependencies;
    return isPacsUp() && clock.monotonicMs() >= this.#pausedUntilMs;
  }

  /** Handles the retrieval that is due first; says how many that was. */
  async runOnce(signal: AbortSignal): Promise<number> {
    const { store, clock, pace } = this.dependencies;
    if (!this.mayAsk || !store.nextDue(clock.nowMs())) return 0;
    if (!(await pace.next(signal))) return 0;
    // Anew: it may have been withdrawn while it waited for its turn.
    const row = store.nextDue(clock.nowMs());
    if (!row) return 0;
    const withdrawn = new AbortController();
    const hand: Hand = { row, withdrawn, isCounted: false, counts: undefined };
    this.#hand = hand;
    try {
      await this.#try(hand, AbortSignal.any([signal, withdrawn.signal]));
    } finally {
      this.#hand = undefined;
    }
    return 1;
  }

  /** True when it was open; one that is being fetched is cancelled at the PACS. */
  async withdraw(id: number): Promise<boolean> {
    const { store, clock, onEnd } = this.dependencies;
    const wasOpen = await store.end(id, 'WITHDRAWN', { atMs: clock.nowMs() });
    if (this.#hand?.row.retrieval_id === id) this.#hand.withdrawn.abort();
    if (wasOpen) onEnd?.();
    return wasOpen;
  }

  /** Asked of the PACS on the side, such as by a rule; a fault counts like one of a retrieval. */
  async ask<T>(request: () => Promise<T>): Promise<T> {
    try {
      const answer = await this.dependencies.permits.run(request);
      this.#outages = 0;
      return answer;
    } catch (error) {
      if (isOutage(reasonOf(error))) this.#pause();
      throw error;
    }
  }

  async #try(hand: Hand, signal: AbortSignal): Promise<void> {
    let reason: RetrievalReason | undefined;
    try {
      reason = await this.#bring(hand, signal);
    } catch (error) {
      reason = reasonOf(error);
      if (reason === 'OWN_FAULT') this.dependencies.logger.fault('a study was not fetched', error);
    }
    if (signal.aborted && reason !== undefined) await this.#brokenOff(hand);
    else await this.#settle(hand, reason);
  }

  /** Why not all of it is here; undefined: it is. */
  async #bring(hand: Hand, signal: AbortSignal): Promise<RetrievalReason | undefined> {
    const { store, archive, config } = this.dependencies;
    const { row } = hand;
    const listed = await this.ask(() => archive.list(row.study_uid));
    const hasSeries = listed.some(({ seriesInstanceUid: uid }) => uid === row.series_uid);
    if (listed.length === 0 || (row.series_uid !== null && !hasSeries)) return 'NOT_IN_PACS';
    const gap = this.#gap(hand, listed);
    if (gap.isWhole) return undefined;
    if (gap.expected > config.instancesMax) return 'TOO_LARGE';
    if (row.attempts >= config.attemptsMax) return row.reason ?? 'INCOMPLETE';
    crashPoint('gateway.retrieve.before-begin');
    await store.begin(row.retrieval_id, gap);
    hand.isCounted = true;
    crashPoint('gateway.retrieve.after-begin');
    const reason = await this.#fetch(gap, listed, signal);
    return this.#gap(hand, listed).isWhole ? undefined : (reason ?? 'INCOMPLETE');
  }

  #gap(hand: Hand, listed: readonly ListedSeries[]): StudyGap {
    const { store } = this.dependencies;
    const { study_uid: studyInstanceUid, series_uid: series } = hand.row;
    const target = { studyInstanceUid, seriesInstanceUid: series ?? undefined };
    const known = {
      here: store.here(studyInstanceUid),
      ownSeries: store.ownSeries(studyInstanceUid),
    };
    const gap = studyGap(target, listed, known);
    hand.counts = { expected: gap.expected, received: gap.received };
    return gap;
  }

  /** One request after the other; the first reason that ends them, or the last one there was. */
  async #fetch(
    gap: StudyGap,
    listed: readonly ListedSeries[],
    signal: AbortSignal,
  ): Promise<RetrievalReason | undefined> {
    const { archive, pace } = this.dependencies;
    const objects = listed.flatMap((series) => series.objects ?? []);
    const sopClassUids = [...new Set(objects.map(({ sopClassUid }) => sopClassUid))];
    let last: RetrievalReason | undefined;
    for (const [index, target] of gap.targets.entries()) {
      if (index > 0 && !(await pace.next(signal))) return 'CANCELLED';
      const objectsMax = this.#objectsMax(listed, target.seriesInstanceUid);
      const order = { ...target, objectsMax, sopClassUids, signal };
      const reason = await this.ask(() => archive.fetch(order));
      if (signal.aborted) return reason ?? 'CANCELLED';
      if (reason !== undefined && reason !== 'PARTLY') return reason;
      last = reason ?? last;
    }
    return last;
  }

  #objectsMax(listed: readonly ListedSeries[], series: string | undefined): number {
    const { instancesMax } = this.dependencies.config;
    const counts = listed
      .filter(({ seriesInstanceUid: uid }) => series === undefined || uid === series)
      .map(({ objects, instances }) => objects?.length ?? instances);
    // Where the PACS does not count there is no number to hold it to but our own.
    if (counts.includes(undefined)) return instancesMax;
    return counts.reduce<number>((sum, count) => sum + (count ?? 0), OBJECTS_BESIDE_MAX);
  }

  /** Withdrawn, which is its end; or stopped, and it goes on after the start. */
  async #brokenOff({ row, counts, isCounted }: Hand): Promise<void> {
    const { store, clock } = this.dependencies;
    await store.postpone(row.retrieval_id, 'CANCELLED', {
      atMs: clock.nowMs() + RESUME_MS,
      ...(counts && { counts }),
      isUncounted: isCounted,
    });
  }

  async #settle(hand: Hand, reason: RetrievalReason | undefined): Promise<void> {
    const { store, clock, config, logger } = this.dependencies;
    const { row, counts, isCounted } = hand;
    const [id, atMs] = [row.retrieval_id, clock.nowMs()];
    const attempts = row.attempts + (isCounted ? 1 : 0);
    const fields = { attempt: attempts, count: counts?.received ?? 0 };
    if (reason === undefined) {
      crashPoint('gateway.retrieve.before-end');
      await store.end(id, undefined, { atMs, counts });
      crashPoint('gateway.retrieve.after-end');
      logger.info('a study was fetched from the PACS', fields);
      this.dependencies.onEnd?.();
      return;
    }
    const isTooOld = atMs - row.created_ms >= config.giveUpHours * HOUR_MS;
    const isUsedUp = attempts >= config.attemptsMax;
    if (isFinal(reason) || isTooOld || isUsedUp || this.#isAbsent(row, reason)) {
      crashPoint('gateway.retrieve.before-end');
      await store.end(id, reason, { atMs, counts });
      crashPoint('gateway.retrieve.after-end');
      logger.error('a study could not be fetched', {
        ...fields,
        code: codeOf(reason),
        state: reason,
      });
      this.dependencies.onEnd?.();
      return;
    }
    const delayMs = waitMs(reason, Math.max(attempts, this.#outages), this.#random);
    await store.postpone(id, reason, { atMs: atMs + delayMs, ...(counts && { counts }) });
    logger.warn('a study is not fetched yet', { ...fields, code: codeOf(reason), state: reason });
  }

  /** Only what is announced may still come to the PACS. */
  #isAbsent({ cause }: Retrieval, reason: RetrievalReason): boolean {
    return reason === 'NOT_IN_PACS' && cause !== 'order' && cause !== 'prior';
  }

  #pause(): void {
    const { clock, logger } = this.dependencies;
    this.#outages += 1;
    const pauseMs = backoffMs(this.#outages, { ...OUTAGE, random: this.#random });
    this.#pausedUntilMs = clock.monotonicMs() + pauseMs;
    if (this.#outages === 1) logger.warn('the PACS does not answer, retrievals wait');
  }
}

/** Characters that would ask for more than the one number (PS3.4 C.2.2.2.4) end the question. */
export function checkAccessionNumber(text: string): string {
  const value = text.trim();
  if (!/^[^*?\\\p{Cc}]{1,64}$/u.test(value)) {
    throw new AifiError('INVALID_ARGUMENT', 'not an accession number');
  }
  return value;
}
