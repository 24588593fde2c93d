/**
 * FairQueue: which site's object is let in next, when there is not room for all.
 * Decides by start-time fair queueing over (site, lane): each flow pays for what it got in virtual
 * time, and the one that has paid least goes first; acute pays an eighth. A fifth of the room is
 * for acute alone. Pure: no clock, no promise.
 * Invariants: never above a limit; whoever waits is let in after a bounded amount of others' work;
 * a site that came back after a rest has no claim to what it did not use.
 * Source: Goyal, Vin, Cheng, "Start-time fair queueing" (SIGCOMM 1996); hazard H14.
 */
export type Lane = 'acute' | 'routine';

export interface FairLimits {
  /** Objects in flight, of all sites. */
  readonly objectsMax: number;
  /** Bytes of the objects in flight, of all sites. @unit bytes */
  readonly bytesMax: number;
  /** Part of both that only acute may use. */
  readonly acuteReserve: number;
  /** Objects in flight of one site. */
  readonly siteObjectsMax: number;
  /** @unit bytes */
  readonly siteBytesMax: number;
  /** Objects of one site that wait, in both lanes. */
  readonly siteWaitingMax: number;
}
export interface Entry {
  readonly site: string;
  readonly lane: Lane;
  /** @unit bytes */
  readonly sizeBytes: number;
}
/** What is in flight, or waits. */
export interface Use {
  readonly objects: number;
  /** @unit bytes */
  readonly bytes: number;
}
export interface SiteUse {
  readonly inFlight: Use;
  readonly waiting: number;
}

/** What an object costs besides its bytes: a sync of the disk and a row. @unit bytes */
const OBJECT_COST_BYTES = 256 * 1024;
const LANE_WEIGHT: Readonly<Record<Lane, number>> = { acute: 8, routine: 1 };

interface Flow<T> {
  readonly site: string;
  readonly lane: Lane;
  readonly waiting: T[];
  /** Virtual time up to which it has paid. */
  paid: number;
}
interface Account {
  objects: number;
  bytes: number;
}

export class FairQueue<T extends Entry> {
  readonly #flows = new Map<string, Flow<T>>();
  readonly #sites = new Map<string, Account>();
  readonly #total: Record<Lane, Account> = {
    acute: { objects: 0, bytes: 0 },
    routine: { objects: 0, bytes: 0 },
  };
  #virtual = 0;

  constructor(
    private readonly limits: FairLimits,
    private readonly weightOf: (site: string) => number = () => 1,
  ) {}

  /** False when the site waits for too much already. */
  add(entry: T): boolean {
    if (this.#waitingOf(entry.site) >= this.limits.siteWaitingMax) return false;
    const key = `${entry.lane} ${entry.site}`;
    const flow = this.#flows.get(key) ?? {
      ...{ site: entry.site, lane: entry.lane, waiting: [], paid: this.#virtual },
    };
    this.#flows.set(key, flow);
    flow.waiting.push(entry);
    return true;
  }

  /** Forgets one that waits; false when it does not wait (any more). */
  cancel(entry: T): boolean {
    const flow = this.#flows.get(`${entry.lane} ${entry.site}`);
    const index = flow?.waiting.indexOf(entry) ?? -1;
    if (index >= 0) flow?.waiting.splice(index, 1);
    return index >= 0;
  }

  /** Lets in what fits now, in fair order; each of them is to be given back by `leave`. */
  admit(): readonly T[] {
    const admitted: T[] = [];
    for (let next = this.#next(); next; next = this.#next()) {
      const entry = next.waiting.shift()!;
      const start = Math.max(this.#virtual, next.paid);
      const weight = LANE_WEIGHT[next.lane] * this.weightOf(next.site);
      this.#virtual = start;
      next.paid = start + (this.#bytesOf(entry) + OBJECT_COST_BYTES) / weight;
      this.#count(entry, 1);
      admitted.push(entry);
    }
    return admitted;
  }

  leave(entry: T): void {
    this.#count(entry, -1);
    // A flow that has paid for no more than has passed is as good as a new one.
    for (const [key, flow] of this.#flows) {
      if (flow.waiting.length === 0 && flow.paid <= this.#virtual) this.#flows.delete(key);
    }
    if (this.#isIdle()) this.#flows.clear();
  }

  total(): Readonly<Record<Lane, Use>> {
    return { acute: { ...this.#total.acute }, routine: { ...this.#total.routine } };
  }
  /** By site: those with something in flight or waiting. */
  use(): ReadonlyMap<string, SiteUse> {
    const waiting = [...this.#flows.values()].filter((flow) => flow.waiting.length > 0);
    const names = new Set([...this.#sites.keys(), ...waiting.map((flow) => flow.site)]);
    return new Map(
      [...names].map((site) => [
        site,
        { inFlight: { ...this.#siteOf(site) }, waiting: this.#waitingOf(site) },
      ]),
    );
  }

  #isIdle(): boolean {
    const inFlight = this.#total.acute.objects + this.#total.routine.objects;
    return inFlight === 0 && [...this.#flows.values()].every((flow) => flow.waiting.length === 0);
  }

  /** The flow whose first entry is next and fits. */
  #next(): Flow<T> | undefined {
    let first: Flow<T> | undefined;
    let firstAcute: Flow<T> | undefined;
    for (const flow of this.#flows.values()) {
      // A site at its own limit waits for itself, and holds up nobody else.
      if (!flow.waiting[0] || !this.#fitsSite(flow.waiting[0])) continue;
      if (!first || this.#isBefore(flow, first)) first = flow;
      if (flow.lane === 'acute' && (!firstAcute || this.#isBefore(flow, firstAcute))) {
        firstAcute = flow;
      }
    }
    // One that does not fit is not overtaken, or a large object would wait for ever; but acute may
    // still use what routine may not.
    if (first && this.#fitsTotal(first.waiting[0]!)) return first;
    const isBehindRoutine = first?.lane === 'routine' && firstAcute;
    return isBehindRoutine && this.#fitsTotal(firstAcute!.waiting[0]!) ? firstAcute : undefined;
  }

  #isBefore(a: Flow<T>, b: Flow<T>): boolean {
    const start = (flow: Flow<T>): number => Math.max(this.#virtual, flow.paid);
    const [startA, startB] = [start(a), start(b)];
    if (startA !== startB) return startA < startB;
    return a.lane !== b.lane ? a.lane === 'acute' : a.paid < b.paid;
  }

  #fitsSite(entry: T): boolean {
    const { siteObjectsMax, siteBytesMax } = this.limits;
    const { objects, bytes } = this.#siteOf(entry.site);
    return objects < siteObjectsMax && bytes + this.#bytesOf(entry) <= siteBytesMax;
  }

  #fitsTotal(entry: T): boolean {
    const { objectsMax, bytesMax, acuteReserve } = this.limits;
    const { acute, routine } = this.#total;
    const bytes = this.#bytesOf(entry);
    const fitsAll =
      acute.objects + routine.objects < objectsMax &&
      acute.bytes + routine.bytes + bytes <= bytesMax;
    if (entry.lane === 'acute' || !fitsAll) return fitsAll;
    const share = 1 - acuteReserve;
    return (
      routine.objects < Math.floor(objectsMax * share) && routine.bytes + bytes <= bytesMax * share
    );
  }

  /** An object larger than all that is allowed counts as that: it goes alone. */
  #bytesOf({ sizeBytes }: T): number {
    const { bytesMax, siteBytesMax, acuteReserve } = this.limits;
    return Math.min(sizeBytes, siteBytesMax, bytesMax * (1 - acuteReserve));
  }

  #siteOf(site: string): Account {
    return this.#sites.get(site) ?? { objects: 0, bytes: 0 };
  }
  #waitingOf(site: string): number {
    const lengthOf = (lane: Lane): number =>
      this.#flows.get(`${lane} ${site}`)?.waiting.length ?? 0;
    return lengthOf('acute') + lengthOf('routine');
  }

  #count(entry: T, sign: 1 | -1): void {
    const bytes = sign * this.#bytesOf(entry);
    const own = this.#siteOf(entry.site);
    const site = { objects: own.objects + sign, bytes: own.bytes + bytes };
    if (site.objects === 0) this.#sites.delete(entry.site);
    else this.#sites.set(entry.site, site);
    const total = this.#total[entry.lane];
    total.objects += sign;
    total.bytes += bytes;
  }
}
