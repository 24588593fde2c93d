/**
 * FaultPlan: what goes wrong in a schedule, and how often.
 * Decides from the seed: most schedules have few kinds of faults at once, some have many, so that
 * each kind also stands alone. All of it ends at one moment; what follows is the time to heal.
 * Source: reliability specification 3 (fault-injection matrix; combined random: 2 to 4 at once).
 */
import type { Random } from './random.js';
import type { LinkTroubles } from './sim-link.js';
import type { PacsTroubles } from './sim-pacs.js';
import type { WorkerTroubles } from './sim-worker.js';

export interface FaultPlan {
  /** When all faults are over. @unit ms */
  readonly untilMs: number;
  /** Chance that a process dies at a crash point it passes. */
  readonly crashPoints: number;
  /** Deaths at any moment, and how. */
  readonly deaths: number;
  readonly powerCuts: boolean;
  readonly hubDeaths: number;
  /** Times during which a line is away. */
  readonly outages: number;
  readonly link: LinkTroubles;
  readonly pacs: PacsTroubles;
  readonly pacsOutages: number;
  readonly worker: WorkerTroubles;
  readonly diskFaults: number;
  readonly clockJumps: number;
  /** Chance that a patient is merged, or a study moved without a word, while it is in flight. */
  readonly identityChanges: number;
  /** Chance that a linkage row is read as another's. */
  readonly linkageSwaps: number;
}

const CALM: FaultPlan = {
  untilMs: 60_000,
  ...{ crashPoints: 0, deaths: 0, powerCuts: false, hubDeaths: 0, outages: 0 },
  link: { cut: 0, twice: 0, latencyMsMax: 20 },
  pacs: { silent: 0, aborted: 0, full: 0, loses: 0, lags: 0 },
  worker: { crashes: 0, freezes: 0, mixes: 0 },
  ...{ pacsOutages: 0, diskFaults: 0, clockJumps: 0, identityChanges: 0, linkageSwaps: 0 },
};
export const NO_TROUBLE = CALM;

type Trouble = (random: Random) => Partial<FaultPlan>;
const TROUBLES: readonly Trouble[] = [
  (random) => ({ crashPoints: random.pick([0.002, 0.01, 0.03]) }),
  (random) => ({ deaths: random.int(1, 4), powerCuts: random.chance(0.6) }),
  (random) => ({ hubDeaths: random.int(1, 3) }),
  (random) => ({ outages: random.int(1, 3) }),
  (random) => ({
    link: {
      cut: random.pick([0.02, 0.1, 0.25]),
      twice: random.pick([0, 0.05, 0.3]),
      latencyMsMax: random.pick([20, 200, 2_000]),
    },
  }),
  (random) => ({
    pacs: {
      silent: random.pick([0, 0.1, 0.4]),
      aborted: random.pick([0, 0.1, 0.3]),
      full: random.pick([0, 0.1, 0.3]),
      loses: random.pick([0, 0.2]),
      lags: random.pick([0, 0.5]),
    },
  }),
  (random) => ({ pacsOutages: random.int(1, 2) }),
  (random) => ({
    worker: {
      crashes: random.pick([0, 0.2]),
      freezes: random.pick([0, 0.3, 0.6]),
      mixes: random.pick([0, 0, 0.3]),
    },
  }),
  (random) => ({ diskFaults: random.int(1, 2) }),
  (random) => ({ clockJumps: random.int(1, 2) }),
  () => ({ identityChanges: 0.5 }),
  () => ({ linkageSwaps: 0.3 }),
];

export function faultPlan(random: Random): FaultPlan {
  const count = random.pick([0, 1, 1, 2, 2, 3, 3, 4, 6]);
  let plan: FaultPlan = { ...CALM, untilMs: random.int(20_000, 240_000) };
  for (let kind = 0; kind < count; kind += 1) plan = { ...plan, ...random.pick(TROUBLES)(random) };
  return plan;
}
