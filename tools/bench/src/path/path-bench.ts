/**
 * Path bench (B3, B6): a CT study from C-STORE to every object durable behind the hospital's wall,
 * by our gateway and hub and by two Orthancs, interleaved.
 * Decides that the time a person waits counts, quiet timer included, and that the time without it
 * stands beside it; processor time and memory are those of the gateway's whole process tree.
 * Invariants: all ways get a study of new UIDs in every round; one association sends to all.
 * Source: performance specification B3, B6.
 */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { machineFacts, type MachineFacts } from '../machine-facts.js';
import { CtObjects } from '../receive/ct-objects.js';
import { ratioOf, spreadOf, type Spread } from '../statistics.js';
import { ORTHANC_KINDS, OrthancWay } from './orthanc-way.js';
import type { Legs, PathCost, PathFacts, PathWay } from './path-way.js';
import { PlatformWay, QUIET_MS } from './platform-way.js';

const MEBIBYTE = 1024 * 1024;
/** Of the specification: times faster, CPU per CT object, resident memory. */
const FASTER = 2.5;
const PROCESSOR_MS = 5;
const RESIDENT_BYTES = 250e6;

export interface PathBenchOptions {
  /** The objects to send lie below it; the caller removes it. */
  readonly folder: string;
  readonly rounds: number;
  readonly objects: number;
  readonly say?: (line: string) => void;
}
export interface PathRound extends PathCost {
  readonly way: string;
  readonly round: number;
}
export interface PathResult {
  readonly way: string;
  readonly seconds: Spread;
  readonly secondsWithoutQuiet: Spread;
  readonly nearProcessorMsPerObject: Spread;
  readonly farProcessorMsPerObject: Spread;
  /** Largest sum of the marks of the middleman's processes. @unit bytes */
  readonly nearResidentPeak: number;
  /** How many times as long as ours it takes, round by round; and without our quiet timer. */
  readonly timesOurs: Spread;
  readonly timesOursWithoutQuiet: Spread;
  /** Medians; none where the legs are not known. */
  readonly legs: Legs;
}
export interface PathTarget {
  readonly name: string;
  readonly isMet: boolean;
  readonly measured: string;
}
export interface PathReport {
  readonly version: 1;
  readonly bench: 'path';
  readonly machine: MachineFacts;
  readonly settings: {
    readonly objects: number;
    readonly bytes: number;
    readonly rounds: number;
    /** @unit ms */
    readonly quietMs: number;
  };
  readonly ways: readonly PathFacts[];
  readonly results: readonly PathResult[];
  readonly targets: readonly PathTarget[];
  readonly rounds: readonly PathRound[];
}

const sum = (values: readonly number[]): number => values.reduce((all, one) => all + one, 0);

function resultsOf(rounds: readonly PathRound[], objects: number): PathResult[] {
  const of = (way: string): PathRound[] => rounds.filter((one) => one.way === way);
  const ours = of(rounds[0]!.way);
  return [...new Set(rounds.map(({ way }) => way))].map((way) => {
    const own = of(way);
    const seconds = own.map((one) => one.seconds);
    const without = own.map((one) => one.secondsWithoutQuiet);
    return {
      ...{ way, seconds: spreadOf(seconds), secondsWithoutQuiet: spreadOf(without) },
      nearProcessorMsPerObject: spreadOf(own.map((one) => one.nearProcessorMs / objects)),
      farProcessorMsPerObject: spreadOf(own.map((one) => one.farProcessorMs / objects)),
      nearResidentPeak: Math.max(...own.map((one) => sum(one.nearResidentPeaks))),
      timesOurs: ratioOf(
        seconds,
        ours.map((one) => one.seconds),
      ),
      timesOursWithoutQuiet: ratioOf(
        without,
        ours.map((one) => one.secondsWithoutQuiet),
      ),
      legs: legsOf(own),
    };
  });
}

function legsOf(rounds: readonly PathRound[]): Legs {
  const names = Object.keys(rounds[0]!.legs ?? {});
  const medianOf = (name: string): number =>
    spreadOf(rounds.map(({ legs }) => legs![name]!)).median;
  return Object.fromEntries(names.map((name) => [name, medianOf(name)]));
}

/** The lines of the specification; the first result is ours. */
export function pathTargetsOf([ours, ...others]: readonly PathResult[]): PathTarget[] {
  const faster = others.map(({ way, timesOurs, timesOursWithoutQuiet }) => ({
    name: `B3: at least ${FASTER} times faster than ${way}`,
    isMet: timesOurs.median >= FASTER,
    measured:
      `${timesOurs.median.toFixed(2)}; ` +
      `${timesOursWithoutQuiet.median.toFixed(2)} without the quiet timer`,
  }));
  const { nearProcessorMsPerObject, nearResidentPeak } = ours!;
  return [
    ...faster,
    {
      name: `B6: at most ${PROCESSOR_MS} ms of processor time per object at the gateway`,
      isMet: nearProcessorMsPerObject.median <= PROCESSOR_MS,
      measured: nearProcessorMsPerObject.median.toFixed(2),
    },
    {
      name: `B6: at most ${RESIDENT_BYTES / 1e6} MB resident in the gateway's processes`,
      isMet: nearResidentPeak <= RESIDENT_BYTES,
      measured: `${(nearResidentPeak / 1e6).toFixed(0)} MB`,
    },
  ];
}

async function measureAll(
  ways: readonly PathWay[],
  objects: CtObjects,
  { rounds: count, say = () => undefined }: PathBenchOptions,
): Promise<PathRound[]> {
  const rounds: PathRound[] = [];
  for (let round = 0; round <= count; round += 1) {
    for (const way of ways) {
      const sent = objects.renew();
      // What one way has not yet written must not be written while the next one is measured.
      execFileSync('sync');
      const cost = await way.measure(objects, sent);
      const { name } = way.facts;
      const what = round === 0 ? 'warm-up' : `round ${round}`;
      const mebibytes = cost.nearResidentPeaks.map((one) => (one / MEBIBYTE).toFixed(0)).join('+');
      const without = cost.secondsWithoutQuiet.toFixed(2);
      say(`${what}: ${name}: ${cost.seconds.toFixed(2)} s (${without}), ${mebibytes} MiB`);
      if (round > 0) rounds.push({ way: name, round, ...cost });
    }
  }
  return rounds;
}

export async function runPathBench(options: PathBenchOptions): Promise<PathReport> {
  const { folder, rounds: count, objects: objectCount } = options;
  const objects = CtObjects.write(join(folder, 'study'), objectCount);
  const ways: PathWay[] = [];
  try {
    const platform = await PlatformWay.start(folder, objectCount);
    ways.push(platform);
    for (const kind of ORTHANC_KINDS) {
      // On one disk with ours.
      ways.push(await OrthancWay.start(platform.folder, kind));
    }
    const rounds = await measureAll(ways, objects, options);
    const results = resultsOf(rounds, objectCount);
    return {
      ...{ version: 1, bench: 'path', machine: machineFacts(platform.folder) },
      settings: {
        ...{ objects: objectCount, bytes: objects.sizeBytes, rounds: count, quietMs: QUIET_MS },
      },
      ways: ways.map(({ facts }) => facts),
      ...{ results, targets: pathTargetsOf(results), rounds },
    };
  } finally {
    for (const way of ways.reverse()) await way.stop();
  }
}
