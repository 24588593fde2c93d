/**
 * The in-memory twin of the outcome store, for the simulator and for tests of the streams.
 * Decides the same as the database does, told by the same contract; `add`, `stop`, `resume` and
 * `takeOver` stand for what the rest of a hub does to the rows.
 * Invariant: as the port. Source: reliability specification 3 (cores behind ports).
 */
import { gatewaysOf, type TakeOver } from '@aifi/hub-database';
import type { LinkPeer } from '@aifi/hub-identity';
import { AifiError } from '@aifi/shared-kernel';
import type {
  AcknowledgedOutcome,
  OutcomeCursor,
  OutcomeLease,
  OutcomeStore,
  SignedOutcome,
} from './outcome-store.js';

/** An outcome with what the database keeps beside it. */
export interface KeptOutcome extends Omit<SignedOutcome, 'sequence'> {
  readonly siteName: string;
  readonly gateway: number;
  readonly studyPseudonym: string;
  readonly product: string;
  readonly version: string;
  /** False: the job ended without a result. */
  readonly isResult: boolean;
}
interface Row extends KeptOutcome {
  readonly sequence: number;
  isReleased: boolean;
  isAcknowledged: boolean;
  isSuperseded: boolean;
}
interface Site {
  readonly rows: Row[];
  readonly cursors: Map<number, { epoch: number; sequence: number }>;
  readonly takeOvers: TakeOver[];
  readonly stopped: Set<string>;
}

export class MemoryOutcomeStore implements OutcomeStore {
  readonly #sites = new Map<string, Site>();

  /** The outcome gets the next number of its site. */
  add(outcome: KeptOutcome): number {
    const { rows } = this.#site(outcome.siteName);
    const sequence = rows.length + 1;
    rows.push({
      ...{ ...outcome, sequence },
      ...{ isReleased: false, isAcknowledged: false, isSuperseded: false },
    });
    return sequence;
  }
  stop(siteName: string, product: string): void {
    this.#site(siteName).stopped.add(product);
  }
  resume(siteName: string, product: string): void {
    this.#site(siteName).stopped.delete(product);
  }
  takeOver(siteName: string, takeOver: TakeOver): void {
    this.#site(siteName).takeOvers.push(takeOver);
  }
  /** Numbers that nobody has acknowledged. */
  unacknowledged(siteName: string): number[] {
    const { rows } = this.#site(siteName);
    return rows.filter((row) => !row.isAcknowledged).map((row) => row.sequence);
  }

  async open(peer: LinkPeer, { afterSequence, isExact }: OutcomeCursor): Promise<OutcomeLease> {
    const { rows, cursors, takeOvers } = this.#site(peer.siteId);
    const own = cursors.get(peer.gateway) ?? { epoch: 0, sequence: 0 };
    own.epoch += 1;
    cursors.set(peer.gateway, own);
    const served = gatewaysOf(peer.gateway, takeOvers);
    const last = Math.max(0, ...served.map((gateway) => cursors.get(gateway)?.sequence ?? 0));
    const isBehind = isExact && afterSequence < last;
    for (const row of isBehind ? rows : []) {
      const isLost = row.sequence > afterSequence && served.includes(row.gateway);
      if (isLost && !row.isSuperseded) row.isAcknowledged = false;
    }
    return { epoch: own.epoch };
  }

  async next(
    peer: LinkPeer,
    lease: OutcomeLease,
    afterSequence: number,
  ): Promise<SignedOutcome | undefined> {
    const site = this.#site(peer.siteId);
    if (site.cursors.get(peer.gateway)?.epoch !== lease.epoch) {
      throw new AifiError('STATE_CONFLICT', 'the gateway has opened a newer stream');
    }
    const served = gatewaysOf(peer.gateway, site.takeOvers);
    for (const row of site.rows) {
      const isWithheld = row.isResult && site.stopped.has(row.product);
      const isOwed = !row.isAcknowledged && !row.isSuperseded && served.includes(row.gateway);
      if (!isOwed || isWithheld || row.sequence <= afterSequence) continue;
      row.isSuperseded = site.rows.some((other) => overtakes(other, row));
      if (row.isSuperseded) continue;
      row.isReleased = true;
      return row;
    }
    return undefined;
  }

  async acknowledge(peer: LinkPeer, outcome: AcknowledgedOutcome): Promise<void> {
    const { rows, cursors, takeOvers } = this.#site(peer.siteId);
    const served = gatewaysOf(peer.gateway, takeOvers);
    const { jobId, revision, issue } = outcome;
    const row = rows.find(
      (one) => one.jobId === jobId && one.revision === revision && one.issue === issue,
    );
    if (!row || !served.includes(row.gateway)) {
      throw new AifiError('NOT_FOUND', 'no such outcome');
    }
    row.isAcknowledged = true;
    const cursor = cursors.get(peer.gateway);
    if (cursor) cursor.sequence = Math.max(cursor.sequence, row.sequence);
  }

  #site(name: string): Site {
    const known = this.#sites.get(name);
    const site = known ?? {
      ...{ rows: [], cursors: new Map(), takeOvers: [], stopped: new Set<string>() },
    };
    this.#sites.set(name, site);
    return site;
  }
}

/** Whether `other` has left and is newer than `row` of the same study and product, or job. */
function overtakes(other: Row, row: Row): boolean {
  const isSameStudy = other.studyPseudonym === row.studyPseudonym && other.product === row.product;
  if (!other.isReleased || !isSameStudy) return false;
  return other.revision > row.revision || (other.jobId === row.jobId && other.issue > row.issue);
}
