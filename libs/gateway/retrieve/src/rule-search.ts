/**
 * RuleSearch: studies that a rule of this hospital wants and that never came.
 * Decides which of what the PACS lists a rule means: what the PACS does not tell is no match, so
 * that a rule fetches too little rather than an archive. Invariants: bounded questions and finds; a
 * study that was fetched once, or failed, is not queued by a rule again; no patient attribute.
 * Source: features 4; reliability specification H15; governance specification 4.3 (migrations).
 */
import type { FoundStudy } from '@aifi/dicom-dicomweb';
import { momentOf, type ZoneMinutes } from '@aifi/gateway-reconcile';
import type { Clock } from '@aifi/shared-kernel';
import type { Logger } from '@aifi/shared-observability';
import type { Archive } from './archive.js';
import type { Pace } from './pace.js';
import type { RetrievalStore } from './retrieval.store.js';
import type { RetrieveService } from './retrieve-service.js';
import type { RetrieveRule } from './retrieve.config.js';

const [MINUTE_MS, HOUR_MS] = [60_000, 3_600_000];
/** Answers taken to one question: a day of one modality. */
const MATCHES_MAX = 1_000;
/** Studies that one run of a rule may queue. */
const FOUND_MAX = 100;
/** Longest text that a pattern is held against. */
const TEXT_MAX = 256;

export interface RuleSearchDependencies {
  readonly rules: readonly RetrieveRule[];
  readonly archive: Pick<Archive, 'findStudies' | 'stationsOf'>;
  readonly service: Pick<RetrieveService, 'ask' | 'mayAsk'>;
  readonly store: Pick<RetrievalStore, 'isUnknown' | 'queue'>;
  readonly pace: Pick<Pace, 'next'>;
  readonly zone: ZoneMinutes;
  readonly onQueued: () => void;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Uniform in [0, 1). @default Math.random */
  readonly random?: (() => number) | undefined;
}

export class RuleSearch {
  readonly #dueMs: Map<string, number>;

  constructor(private readonly dependencies: RuleSearchDependencies) {
    const { rules, clock, random = Math.random } = dependencies;
    // Spread, so that gateways that were started together do not ask together.
    this.#dueMs = new Map(
      rules.map((rule) => [
        rule.name,
        clock.monotonicMs() + random() * rule.everyMinutes * MINUTE_MS,
      ]),
    );
  }

  /** Runs the rules that are due; how many studies they queued. */
  async runOnce(signal: AbortSignal): Promise<number> {
    const { rules, clock, service, logger } = this.dependencies;
    let queued = 0;
    for (const rule of rules) {
      const isDue = clock.monotonicMs() >= this.#dueMs.get(rule.name)!;
      if (!isDue || !service.mayAsk || signal.aborted) continue;
      this.#dueMs.set(rule.name, clock.monotonicMs() + rule.everyMinutes * MINUTE_MS);
      try {
        queued += await this.run(rule, signal);
      } catch (error) {
        logger.fault('a rule of retrieval could not be asked for', error);
      }
    }
    return queued;
  }

  async run(rule: RetrieveRule, signal: AbortSignal): Promise<number> {
    const { clock, store, logger, onQueued } = this.dependencies;
    const atMs = clock.nowMs();
    const wanted: string[] = [];
    for (const date of this.#datesOf(rule, atMs)) {
      for (const study of await this.#found(rule, date, signal)) {
        if (wanted.length >= FOUND_MAX) break;
        if (!this.#isWanted(rule, study, atMs)) continue;
        if (rule.station === undefined || (await this.#hasStation(rule.station, study, signal))) {
          wanted.push(study.studyInstanceUid);
        }
      }
    }
    const { product } = rule;
    const asked = product === undefined ? {} : ({ product, source: 'rule' } as const);
    await store.queue(
      wanted.map((studyUid) => ({ studyUid, cause: 'rule', ...asked })),
      atMs,
    );
    if (wanted.length > 0) {
      logger.info('studies of a rule are to be fetched', { count: wanted.length });
      onQueued();
    }
    return wanted.length;
  }

  /** Days of the hospital's own time that the rule looks back on. */
  #datesOf({ lookBackHours }: RetrieveRule, atMs: number): string[] {
    const dates = new Set<string>();
    for (let hours = lookBackHours; hours >= 0; hours -= 1) {
      const momentMs = atMs - hours * HOUR_MS;
      const local = new Date(momentMs + this.dependencies.zone(momentMs) * MINUTE_MS);
      dates.add(local.toISOString().slice(0, 10).replaceAll('-', ''));
    }
    return [...dates];
  }

  async #found(
    { modality }: RetrieveRule,
    date: string,
    signal: AbortSignal,
  ): Promise<readonly FoundStudy[]> {
    const { archive, service, pace, logger } = this.dependencies;
    if (!(await pace.next(signal))) return [];
    const search = { date, modality };
    const { studies, isWhole } = await service.ask(() => archive.findStudies(search, MATCHES_MAX));
    if (!isWhole) logger.warn('a rule of retrieval saw only part of what the PACS has');
    return studies;
  }

  #isWanted(rule: RetrieveRule, study: FoundStudy, atMs: number): boolean {
    const { store, zone } = this.dependencies;
    const { modality, description, lookBackHours, settleMinutes } = rule;
    const momentMs = momentOf(study.date, study.time, zone);
    const isInTime =
      momentMs !== undefined &&
      momentMs >= atMs - lookBackHours * HOUR_MS &&
      momentMs <= atMs - settleMinutes * MINUTE_MS;
    return (
      isInTime &&
      study.modalities.includes(modality) &&
      (description === undefined || matches(description, study.description)) &&
      store.isUnknown(study.studyInstanceUid)
    );
  }

  async #hasStation(pattern: string, study: FoundStudy, signal: AbortSignal): Promise<boolean> {
    const { archive, service, pace } = this.dependencies;
    if (!(await pace.next(signal))) return false;
    const stations = await service.ask(() => archive.stationsOf(study.studyInstanceUid));
    return stations.some((station) => matches(pattern, station));
  }
}

/** As a C-FIND matches with wildcards, without regard to case; linear in the text per star. */
export function matches(pattern: string, text: string): boolean {
  const [wanted, given] = [pattern.toLowerCase(), text.slice(0, TEXT_MAX).toLowerCase()];
  let [at, star, from] = [0, -1, 0];
  for (let place = 0; place < given.length;) {
    if (wanted[at] === '?' || (wanted[at] !== '*' && wanted[at] === given[place])) {
      at += 1;
      place += 1;
    } else if (wanted[at] === '*') {
      [star, from] = [at, place];
      at += 1;
    } else if (star >= 0) {
      from += 1;
      [at, place] = [star + 1, from];
    } else {
      return false;
    }
  }
  return /^\**$/.test(wanted.slice(at));
}
