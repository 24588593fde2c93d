/**
 * Coverage: which crash point a process that starts is made to die at.
 * Decides by what was reached least often, so that a run hits every point and none ten times
 * before another once. Points that nothing has reached yet come again later: what leads to them
 * may not have happened. Invariant: a point is only given to a process that can pass it.
 */
import type { SeededChance } from '@aifi/fault-injection';
import { appOf, type App } from './crash-points.js';

export interface CoverageOptions {
  readonly points: readonly string[];
  /** Hits of each point that are wanted. */
  readonly goal: number;
  readonly chance: SeededChance;
  /** False when this gateway is not set up so that it passes the point. */
  readonly isPossibleAt: (point: string, process: string) => boolean;
  /** Whether processes of an app are armed just now. @default always */
  readonly isTurnOf?: ((app: App) => boolean) | undefined;
}
interface Tally {
  hits: number;
  /** Times that a process was armed with it and ended by something else. */
  misses: number;
  armed: number;
}
/** A miss counts less than a hit: it says little about the point. */
const MISS_WEIGHT = 0.5;
/**
 * Passages up to the one that kills, least and most, by the start of a name: so that a life gets
 * some work done. What every study passes many times may be passed many times.
 */
const PASSAGES: readonly (readonly [start: string, least: number, most: number])[] = [
  // One result is made to be lost in a life.
  ['gateway.deliver.after-lost', 1, 1],
  ['hub.database.', 20, 120],
  ['hub.', 1, 5],
  ['gateway.access.', 3, 20],
  ['gateway.', 1, 2],
];

export class Coverage {
  readonly #tallies = new Map<string, Tally>();

  constructor(private readonly options: CoverageOptions) {
    for (const point of options.points) {
      this.#tallies.set(point, { hits: 0, misses: 0, armed: 0 });
    }
  }

  /** The point for a process that starts now, and at which passage; undefined: it is left alone. */
  arm(app: App, process: string): { readonly point: string; readonly passage: number } | undefined {
    const { chance } = this.options;
    const rank = (point: string): number => {
      const { hits, misses, armed } = this.#tallies.get(point)!;
      return hits + armed + misses * MISS_WEIGHT;
    };
    const open = this.#openFor(app, process);
    if (open.length === 0) return undefined;
    const lowest = Math.min(...open.map(rank));
    const point = chance.pick(open.filter((candidate) => rank(candidate) === lowest));
    const tally = this.#tallies.get(point)!;
    tally.armed += 1;
    const [, least, most] = PASSAGES.find(([start]) => point.startsWith(start))!;
    // Only a point that was reached before is sure to be passed more than once.
    return { point, passage: tally.hits > 0 ? chance.between(least, most) : least };
  }

  /** The armed process has ended, at its point or otherwise. */
  ended(point: string, wasHit: boolean): void {
    const tally = this.#tallies.get(point)!;
    tally.armed -= 1;
    if (wasHit) tally.hits += 1;
    else tally.misses += 1;
  }

  /** True when there is a point that this process can be armed with. */
  hasWorkFor(process: string): boolean {
    return this.#openFor(process === 'hub' ? 'hub' : 'gateway', process).length > 0;
  }

  #openFor(app: App, process: string): string[] {
    const { points, goal, isPossibleAt, isTurnOf } = this.options;
    if (isTurnOf && !isTurnOf(app)) return [];
    return points.filter((point) => {
      const { hits, armed } = this.#tallies.get(point)!;
      return appOf(point) === app && isPossibleAt(point, process) && hits + armed < goal;
    });
  }

  hitsOf(point: string): number {
    return this.#tallies.get(point)?.hits ?? 0;
  }
  /** Points that were hit less often than wanted, the least first. */
  get open(): string[] {
    const { points, goal } = this.options;
    return points
      .filter((point) => this.hitsOf(point) < goal)
      .sort((a, b) => this.hitsOf(a) - this.hitsOf(b));
  }
}
