/**
 * KillSchedule: kill -9 of a random process, again and again.
 * Decides who dies when: by weight, spread evenly over the time that is left. Besides, while crash
 * points are open, a process that waits at none or at one that nobody passes is killed and starts
 * again with another one. Invariant: only processes of this run, each by its id.
 */
import { type DatabaseServer, type SeededChance } from '@aifi/fault-injection';
import { systemClock } from '@aifi/shared-kernel';
import type { ChaosSite } from './chaos-site.js';
import type { Coverage } from './coverage.js';
import type { History } from './history.js';
import type { Supervisor } from './supervisor.js';

/** Longer than a study takes: who still waits at a point does not pass it just now. @unit ms */
const STALE_MS = 20_000;
/** Who is up for so long has begun its work. @unit ms */
const IDLE_MS = 3_000;
const LOOK_MS = 1_000;
const TARGETS = {
  ...{ gateway: 44, listener: 12, hub: 10, worker: 11, model: 12 },
  ...{ 'database-kill': 5, 'database-immediate': 6 },
} as const;
type Target = keyof typeof TARGETS;

export interface KillScheduleOptions {
  readonly sites: readonly ChaosSite[];
  readonly hub: Supervisor;
  readonly worker: Supervisor;
  readonly database: DatabaseServer;
  readonly coverage: Coverage;
  readonly chance: SeededChance;
  readonly history: History;
  readonly kills: number;
  readonly durationMs: number;
}

export class KillSchedule {
  /** Random kills; those at crash points and those for them are not among them. */
  done = 0;
  rearmed = 0;

  constructor(private readonly options: KillScheduleOptions) {}

  /** Kills until all were made, or the signal. */
  async run(signal: AbortSignal): Promise<void> {
    const { kills, durationMs, chance } = this.options;
    const fromMs = systemClock.monotonicMs();
    while (!signal.aborted && this.done < kills) {
      const leftMs = durationMs - (systemClock.monotonicMs() - fromMs);
      const everyMs = Math.max(200, leftMs / (kills - this.done));
      await systemClock.sleep(everyMs * (0.4 + 1.2 * chance.next()), signal);
      if (!signal.aborted && (await this.#kill())) this.done += 1;
    }
  }

  /** Makes processes ready for the points that are still open. */
  async rearm(signal: AbortSignal): Promise<void> {
    const { sites, hub, coverage } = this.options;
    const candidates = [...sites.map((site) => site.supervisor), hub];
    while (!signal.aborted) {
      await systemClock.sleep(LOOK_MS, signal);
      for (const one of candidates) {
        const isStale = one.armedAt !== undefined && one.armedMs > STALE_MS;
        const isIdle = one.armedAt === undefined && one.upMs > IDLE_MS;
        // A stale one has work: the point that it waits at is still to be hit.
        const hasWork = isStale || (isIdle && coverage.hasWorkFor(one.name));
        if (signal.aborted || !hasWork) continue;
        if (await one.kill9('rearm')) this.rearmed += 1;
      }
    }
  }

  async #kill(): Promise<boolean> {
    const { sites, hub, worker, database, chance, history } = this.options;
    const target = chance.weighted<Target>(TARGETS);
    const gateways = sites.map((site) => site.supervisor).filter((one) => one.isUp);
    if (target === 'gateway') {
      const victim = gateways.length > 0 ? chance.pick(gateways) : undefined;
      return (await victim?.kill9(target)) ?? false;
    }
    if (target === 'listener') {
      const victim = gateways.length > 0 ? chance.pick(gateways) : undefined;
      return victim?.killChild(target, 'listener-main') ?? false;
    }
    if (target === 'hub') return hub.isUp && (await hub.kill9(target));
    if (target === 'worker') return worker.isUp && (await worker.kill9(target));
    if (target === 'model') return worker.killChild(target, 'model-child-main');
    if (!hub.isUp) return false;
    const isDone = target === 'database-kill' ? database.kill9() : database.stopImmediately();
    if (isDone) history.add({ kind: 'kill', target, process: 'postgres' });
    return isDone;
  }
}
