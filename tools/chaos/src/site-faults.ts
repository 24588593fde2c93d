/**
 * Faults of a run that heal by themselves: network, frozen processes, clocks, disks, connections.
 * Decides what may happen, how often and for how long; up to four at a time, on different things.
 * Invariants: whatever was done is undone at its end, and at once when the run heals; what this
 * machine cannot do is named once and never counted. Source: reliability specification 3.
 */
import {
  childrenNamed,
  freeze,
  type DatabaseServer,
  type FaultProxy,
  type LinkState,
  type SeededChance,
} from '@aifi/fault-injection';
import { systemClock } from '@aifi/shared-kernel';
import type { ChaosSite, EdgeKind } from './chaos-site.js';
import type { History } from './history.js';
import type { Supervisor } from './supervisor.js';

const AT_ONCE_MAX = 4;
const EDGES: readonly EdgeKind[] = ['dicom', 'link', 'pacs'];
const HOUR_MS = 3_600_000;
const CLOCK_SHIFTS_MS = [HOUR_MS, -HOUR_MS, 5_000, -5_000, 90_000, -90_000];
/** 1 Mbit/s. @unit bytes per second */
const SLOW_BYTES_PER_SECOND = 125_000;
const CUT_BYTES_MAX = 300_000;
/** What a full disk still has: nothing, or less than one object. @unit bytes */
const LEFT_BYTES = [0, 64 * 1024];

const FAULTS = {
  ...{ latency: 14, slow: 8, cut: 14, 'cut-inside': 14, 'black-hole': 10, pause: 8, refuse: 8 },
  ...{ freeze: 10, clock: 7, 'disk-full': 7, 'database-connections': 6 },
} as const;
type FaultName = keyof typeof FAULTS;

export interface SiteFaultsOptions {
  readonly sites: readonly ChaosSite[];
  /** Hub and worker. */
  readonly centre: readonly Supervisor[];
  readonly database: DatabaseServer;
  readonly chance: SeededChance;
  readonly history: History;
  /** Longest time that one lasts. @unit ms */
  readonly longestMs: number;
  /** Mean time between two. @unit ms */
  readonly everyMs: number;
}

export class SiteFaults {
  readonly #healing = new AbortController();
  readonly #going = new Map<string, Promise<void>>();
  readonly counts: Partial<Record<FaultName, number>> = {};

  constructor(private readonly options: SiteFaultsOptions) {}

  /** Begins faults until the signal. */
  async run(signal: AbortSignal): Promise<void> {
    const { chance, everyMs } = this.options;
    while (!signal.aborted) {
      await systemClock.sleep(everyMs * (0.3 + 1.4 * chance.next()), signal);
      if (!signal.aborted && this.#going.size < AT_ONCE_MAX) this.#begin();
    }
  }
  /** Ends every fault now. */
  async heal(): Promise<void> {
    this.#healing.abort();
    await Promise.all(this.#going.values());
    for (const { edges } of this.options.sites) {
      await Promise.all(Object.values(edges).map((edge) => edge.heal()));
    }
  }

  #begin(): void {
    const { chance, sites, history } = this.options;
    const fault = chance.weighted<FaultName>(FAULTS);
    const site = chance.pick(sites);
    const kind = chance.pick(EDGES);
    const ms = chance.between(Math.min(1_000, this.options.longestMs), this.options.longestMs);
    const made = this.#make(fault, { site, edge: site.edges[kind], ms });
    if (!made) return;
    const at = made.at ?? `${site.hospital.siteId} ${kind}`;
    // The same thing is not broken twice at once: one repair would end the other fault.
    if (this.#going.has(at)) return;
    history.add({ kind: 'fault', fault, where: at, ms });
    this.counts[fault] = (this.counts[fault] ?? 0) + 1;
    const going = made.act().finally(() => this.#going.delete(at));
    this.#going.set(at, going);
  }

  #make(fault: FaultName, where: Where): Made | undefined {
    const { chance, database } = this.options;
    const { edge } = where;
    switch (fault) {
      case 'latency': {
        const latencyMs = chance.pick([50, 200, 1_000]);
        return this.#link(where, { latencyMs, jitterMs: latencyMs / 2 });
      }
      case 'slow':
        return this.#link(where, { bytesPerSecond: SLOW_BYTES_PER_SECOND });
      case 'black-hole':
        return this.#link(where, { mode: 'drop' }, chance.pick(['up', 'down', 'both'] as const));
      case 'pause':
        return this.#link(where, { mode: 'pause' });
      case 'cut':
        return { act: async () => edge.cut() };
      case 'cut-inside': {
        const [way, bytes] = [
          chance.pick(['up', 'down'] as const),
          chance.between(0, CUT_BYTES_MAX),
        ];
        return { act: async () => edge.cutAfter(way, bytes) };
      }
      case 'refuse':
        return {
          act: () =>
            this.#during(
              where.ms,
              () => edge.refuse(),
              () => edge.heal(),
            ),
        };
      case 'database-connections': {
        const share = chance.pick([0.2, 1]);
        const some = (pids: readonly number[]) => pids.filter(() => chance.chance(share));
        return { at: 'database', act: async () => void database.endConnections(some) };
      }
      default:
        return this.#makeLocal(fault, where);
    }
  }

  /** Faults of one machine of the hospital or of the centre. */
  #makeLocal(fault: 'freeze' | 'clock' | 'disk-full', { site, ms }: Where): Made | undefined {
    const { chance, sites, centre } = this.options;
    if (fault === 'freeze') {
      const victim = chance.pick([site.supervisor, site.supervisor, ...centre]);
      const pid = victim.process.pid ?? 0;
      const [listener] = childrenNamed(pid, 'listener-main');
      const frozen = listener !== undefined && chance.chance(0.3) ? listener : pid;
      const at = `process ${victim.name}`;
      return { at, act: () => freeze(frozen, ms, this.#healing.signal) };
    }
    if (fault === 'clock') {
      const { clock } = site;
      if (!clock) return undefined;
      const shiftMs = chance.pick(CLOCK_SHIFTS_MS);
      const at = `clock ${site.hospital.siteId}`;
      return {
        at,
        act: () =>
          this.#during(
            ms,
            async () => clock.set(shiftMs),
            async () => clock.set(0),
          ),
      };
    }
    const disk = sites.find((candidate) => candidate.disk)?.disk;
    if (!disk) return undefined;
    const left = chance.pick(LEFT_BYTES);
    const [fill, empty] = [async () => disk.fill(left), async () => disk.empty()];
    return { at: 'disk', act: () => this.#during(ms, fill, empty) };
  }

  #link(
    { edge, ms }: Where,
    change: Partial<LinkState>,
    way: 'up' | 'down' | 'both' = 'both',
  ): Made {
    const set = async (): Promise<void> => edge.set(way, change);
    return { act: () => this.#during(ms, set, () => edge.heal()) };
  }

  async #during(ms: number, begin: () => Promise<void>, end: () => Promise<void>): Promise<void> {
    try {
      await begin();
      await systemClock.sleep(ms, this.#healing.signal);
    } finally {
      await end();
    }
  }
}

interface Where {
  readonly site: ChaosSite;
  readonly edge: FaultProxy;
  readonly ms: number;
}
interface Made {
  /** What is broken; undefined: the edge. */
  readonly at?: string;
  readonly act: () => Promise<void>;
}
