/**
 * Traffic: the modalities of one hospital, which never stop sending.
 * Decides how many studies are under way at once, of which kind each is, and that a transfer that
 * failed is asked for again until the gateway has taken it. Invariant: "accepted" is written down
 * exactly when the PACS says that the gateway answered 0000 for every image it was asked to send.
 */
import type { SeededChance } from '@aifi/fault-injection';
import { AifiError, systemClock } from '@aifi/shared-kernel';
import { backlogOf, isSpecial, type ChaosSite } from './chaos-site.js';
import { CodedStudy } from './coded-study.js';
import type { History, StudyKind } from './history.js';
import { LANES } from './oracle-models.js';
import { sendInstance } from './pacs-jobs.js';

/** A study more is sent while fewer are under way; more when only a new one leads to a point. */
const IN_FLIGHT_MAX = 3;
const IN_FLIGHT_MAX_FOR_POINT = 9;
/** Points that a study passes once, on its way in. */
const WAY_IN = /^gateway\.(receive|assemble|select|pseudonymise|spool)\./;
const LOOK_MS = 400;
/** When many are wanted under way at once. @unit ms */
const CALM_LOOK_MS = 20;
const RETRY_MS = 700;
/** Studies of a site at the same moment, in hand of this process. */
const SENDING_MAX = 6;
/** Time until the second image of a study comes. @unit ms */
const [LATE_MS_MIN, LATE_MS_MAX] = [300, 9_000];

const WEIGHTS: Readonly<Record<StudyKind, number>> = {
  ...{ plain: 60, resent: 12, addendum: 16, renamed: 8, held: 0 },
};
/** Kinds that lead to a crash point that a plain study never passes. */
const LEADING: Readonly<Record<string, StudyKind>> = {
  'gateway.pseudonymise.before-hold': 'held',
  'gateway.deliver.before-rewrite': 'renamed',
  'gateway.deliver.after-rewrite': 'renamed',
};
const LEADS_TO_LOSS = 'gateway.deliver.after-lost';

export interface TrafficOptions {
  readonly site: ChaosSite;
  readonly history: History;
  readonly chance: SeededChance;
  readonly runId: string;
  readonly nowMs: number;
  /** Studies at most; undefined: as many as there is time for. */
  readonly studiesMax?: number | undefined;
  /** Studies under way at once. @default few: a fault then hits one at each of its steps */
  readonly atOnce?: number | undefined;
}

export class Traffic {
  readonly #pending = new Set<Promise<void>>();
  #next = 0;
  /** The life of the gateway for which a result was made to be lost. */
  #lifeWithLoss = -1;

  constructor(private readonly options: TrafficOptions) {}

  /** Transfers that the gateway has not taken yet. */
  get sending(): number {
    return this.#pending.size;
  }

  /** Whether studies are still to be sent, of those that there are at most. */
  get hasMore(): boolean {
    return this.#next < (this.options.studiesMax ?? Infinity);
  }

  /** Sends until the signal; transfers under way go on. */
  async run(signal: AbortSignal): Promise<void> {
    const { site, atOnce } = this.options;
    const sendingMax = atOnce ?? SENDING_MAX;
    while (!signal.aborted && this.hasMore) {
      await systemClock.sleep(atOnce === undefined ? LOOK_MS : CALM_LOOK_MS, signal);
      this.#loseOne();
      const backlog = backlogOf(site);
      const underWay = (backlog?.openJobs ?? 0) + (backlog?.assembling ?? 0);
      if (underWay >= this.#inFlightMax || this.#pending.size >= sendingMax) continue;
      if (signal.aborted) return;
      const work = this.#study(this.#next);
      this.#next += 1;
      this.#pending.add(work);
      void work.finally(() => this.#pending.delete(work));
    }
  }
  /** Resolves when every transfer has come to its end; rejects when one could not be made. */
  async settled(): Promise<void> {
    await Promise.all(this.#pending);
  }

  async #study(study: number): Promise<void> {
    const { site, history, chance, runId, nowMs } = this.options;
    const own = chance.of(`study ${study}`);
    const { siteId } = site.hospital;
    const coded = new CodedStudy({
      ...{ runId, site: siteId, siteIndex: site.index, study, nowMs },
      ...{ kind: this.#kind(own), lane: own.pick(LANES) },
    });
    history.add({ kind: 'sent', ...coded.sent });
    const { studyKind } = coded.sent;
    await this.#image(coded, 0, studyKind === 'resent' ? 3 : 1);
    if (studyKind === 'renamed') await this.#rename(coded);
    if (studyKind !== 'addendum') return;
    await systemClock.sleep(own.between(LATE_MS_MIN, LATE_MS_MAX));
    await this.#image(coded, 1, 1);
  }

  /** While the link is away, the queue behind it must not keep a process from its point. */
  get #inFlightMax(): number {
    const { atOnce } = this.options;
    if (atOnce !== undefined) return atOnce;
    const isWaiting = WAY_IN.test(this.options.site.supervisor.armedAt ?? '');
    return isWaiting ? IN_FLIGHT_MAX_FOR_POINT : IN_FLIGHT_MAX;
  }

  #kind(chance: SeededChance): StudyKind {
    const leading = LEADING[this.options.site.supervisor.armedAt ?? ''];
    return leading && chance.chance(0.7) ? leading : chance.weighted(WEIGHTS);
  }

  /** Into the PACS, and from there to the gateway, as often as asked, until it was taken. */
  async #image(coded: CodedStudy, image: number, times: number): Promise<void> {
    const { site, history } = this.options;
    const { siteId: name, pacs } = site.hospital;
    const sopInstanceUid = coded.sopInstanceUid(image);
    const { studyUid } = coded.sent;
    history.add({ kind: 'image', site: name, studyUid, image, sopInstanceUid });
    await untilDone(() => pacs.upload(coded.image(image)));
    for (let time = 0; time < times; time += 1) {
      await untilDone(() => sendInstance(pacs, sopInstanceUid));
      if (time === 0) history.add({ kind: 'accepted', site: name, sopInstanceUid });
    }
  }

  /** The hospital corrects a name while the study is under way; number and birth date stay. */
  async #rename(coded: CodedStudy): Promise<void> {
    const { pacs } = this.options.site.hospital;
    const [id] = await pacs.find('Instance', coded.sopInstanceUid(0));
    // With a result there already, nothing would be left to be rewritten.
    if (!id || (await pacs.instancesOf(coded.sent.studyUid)).length !== 1) return;
    await fetch(`${pacs.restUrl}/instances/${id}`, { method: 'DELETE' });
    await untilDone(() => pacs.upload(coded.image(0, 'Verbeterd^Naam')));
  }

  #loseOne(): void {
    const { site } = this.options;
    const { armedAt, restarts } = site.supervisor;
    if (!isSpecial(site.index) || armedAt !== LEADS_TO_LOSS) return;
    // Once: a result that is lost again and again is a dead letter.
    if (this.#lifeWithLoss === restarts) return;
    this.#lifeWithLoss = restarts;
    site.lostResult.loseNext();
  }
}

/** The PACS is not killed; the gateway may be away for as long as a fault lasts. */
async function untilDone(act: () => Promise<unknown>): Promise<void> {
  for (;;) {
    try {
      await act();
      return;
    } catch (error) {
      if (AifiError.from(error).code !== 'PEER_REFUSED') throw error;
      await systemClock.sleep(RETRY_MS);
    }
  }
}
