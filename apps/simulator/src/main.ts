/**
 * Entry point of `npm run simulate`.
 * Decides the command line: `--seeds N [--from S] [--workers W]` runs schedules, `--seed X
 * [--trace]` runs one, `--bug NAME` plants a fault, `--bugs` shows that each is found.
 * Exit code 0: no violation, or with a planted bug: it was found.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { AifiError, assertNodeVersion, processEntry, systemClock } from '@aifi/shared-kernel';
import { BUGS, isBug, type Bug } from './bugs.js';
import { simulate } from './simulation.js';
import type { Progress, Share } from './worker-main.js';

const USAGE = `usage: npm run simulate -- --seeds N [--from S] [--workers W] [--bug NAME]
       npm run simulate -- --seed X [--trace] [--bug NAME]
       npm run simulate -- --bugs [--seeds N]
bugs: ${Object.keys(BUGS).join(', ')}`;
/** Failing seeds that are shown. */
const SHOWN_MAX = 10;

interface Arguments {
  readonly seeds: number;
  readonly from: number;
  readonly workers: number;
  readonly seed: number | undefined;
  readonly trace: boolean;
  readonly bugs: boolean;
  readonly bug: Bug | undefined;
}

function readArguments(): Arguments {
  try {
    const text = { type: 'string' } as const;
    const flag = { type: 'boolean', default: false } as const;
    const { values } = parseArgs({
      options: {
        ...{ seeds: text, from: text, workers: text, seed: text, bug: text },
        ...{ trace: flag, bugs: flag },
      },
    });
    const number = (name: 'seeds' | 'from' | 'workers' | 'seed', otherwise: number): number => {
      const value = Number(values[name] ?? otherwise);
      if (!Number.isInteger(value) || value < 0) throw new Error();
      return value;
    };
    const { bug, trace, bugs } = values;
    if (bug !== undefined && !isBug(bug)) throw new Error();
    return {
      ...{ seeds: number('seeds', 1_000), from: number('from', 1), workers: number('workers', 2) },
      seed: values.seed === undefined ? undefined : number('seed', 0),
      ...{ trace, bugs, bug },
    };
  } catch (error) {
    throw new AifiError('CONFIG_INVALID', USAGE, { cause: error });
  }
}

/** One schedule with what happens in it. */
async function runOne(seed: number, { trace, bug }: Arguments): Promise<boolean> {
  const verdict = await simulate(seed, {
    bug,
    ...(trace ? { trace: (line: string) => console.log(line) } : {}),
  });
  console.log(`seed ${seed}: ${verdict.events} events, ${verdict.results} results`);
  for (const violation of verdict.violations) console.log(`  ${violation}`);
  return verdict.violations.length === 0;
}

interface Total {
  done: number;
  events: number;
  results: number;
  readonly failed: Map<number, readonly string[]>;
}

/**
 * Seeds of one process: what was waited for when a simulated process died is never let go by
 * Node.js, a few hundred kilobytes a schedule.
 */
const SEEDS_PER_PROCESS = 1_000;

/** Shares the seeds among processes; ends early when a planted bug was found. */
async function runMany({ seeds, from, workers, bug }: Arguments): Promise<Total> {
  const total: Total = { done: 0, events: 0, results: 0, failed: new Map() };
  const running = new Set<ChildProcess>();
  const hear = (progress: Progress): void => {
    total.done += progress.done;
    total.events += progress.events;
    total.results += progress.results;
    for (const { seed, violations } of progress.failed) total.failed.set(seed, violations);
    if (bug && total.failed.size > 0) running.forEach((each) => each.kill('SIGTERM'));
  };
  const end = from + seeds;
  let next = from;
  const work = async (): Promise<void> => {
    while (next < end && !(bug && total.failed.size > 0)) {
      const share: Share = { from: next, to: Math.min(end, next + SEEDS_PER_PROCESS), bug };
      next = share.to;
      await runShare(share, running, hear);
    }
  };
  await Promise.all(Array.from({ length: workers }, work));
  return total;
}

function runShare(
  share: Share,
  running: Set<ChildProcess>,
  hear: (progress: Progress) => void,
): Promise<void> {
  const child = fork(processEntry(import.meta.url, 'worker-main'));
  running.add(child);
  return new Promise<void>((resolve, reject) => {
    child.on('message', hear);
    child.on('exit', (code, signal) => {
      running.delete(child);
      if (code === 0 || signal === 'SIGTERM') resolve();
      else reject(new AifiError('INTERNAL', 'a worker of the simulation died'));
    });
    child.send(share);
  });
}

function show(total: Total, fromMs: number): void {
  const seconds = (systemClock.monotonicMs() - fromMs) / 1_000;
  const { done, events, results, failed } = total;
  console.log(
    `${done} schedules, ${events} events, ${results} results in ${seconds.toFixed(1)} s ` +
      `(${((seconds * 1_000) / Math.max(1, done)).toFixed(1)} ms each): ${failed.size} failed`,
  );
  for (const [seed, violations] of [...failed].slice(0, SHOWN_MAX)) {
    console.log(`seed ${seed}: ${violations.join('; ')}`);
    console.log(`  npm run simulate -- --seed ${seed} --trace`);
  }
}

/** A seed that fails with the planted bug and without it does not. */
async function provenBy({
  failed,
}: Total): Promise<readonly [number, readonly string[]] | undefined> {
  for (const [seed, violations] of failed) {
    const { violations: without } = await simulate(seed);
    if (without.length === 0) return [seed, violations];
  }
  return undefined;
}

/** Failing seeds become regression runs of the unit tests, where the sources are at hand. */
function keep({ failed }: Total): void {
  const path = join(import.meta.dirname, '..', 'src', 'seeds.json');
  if (failed.size === 0 || !existsSync(path)) return;
  const kept = JSON.parse(readFileSync(path, 'utf8')) as {
    readonly regressions: { readonly seed: number; readonly found: string }[];
  };
  for (const [seed, [found = '']] of [...failed].slice(0, SHOWN_MAX)) {
    if (!kept.regressions.some((known) => known.seed === seed))
      kept.regressions.push({ seed, found });
  }
  writeFileSync(path, `${JSON.stringify(kept, undefined, 2)}\n`);
}

async function run(options: Arguments): Promise<boolean> {
  const fromMs = systemClock.monotonicMs();
  if (options.seed !== undefined) {
    const isClean = await runOne(options.seed, options);
    return options.bug ? !isClean : isClean;
  }
  if (options.bugs) {
    const missed: string[] = [];
    for (const bug of Object.keys(BUGS) as Bug[]) {
      const total = await runMany({ ...options, bug });
      const found = await provenBy(total);
      console.log(`${bug}: ${found ? `seed ${found[0]}: ${found[1][0]}` : 'NOT FOUND'}`);
      if (!found) missed.push(bug);
    }
    return missed.length === 0;
  }
  const total = await runMany(options);
  show(total, fromMs);
  if (!options.bug) keep(total);
  return options.bug ? total.failed.size > 0 : total.failed.size === 0;
}

assertNodeVersion();
try {
  process.exitCode = (await run(readArguments())) ? 0 : 1;
} catch (error) {
  console.error(AifiError.from(error).message);
  process.exitCode = 2;
}
