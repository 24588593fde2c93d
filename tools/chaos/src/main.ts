/**
 * Entry point of `npm run chaos`.
 * Decides the command line (`--runs N`, `--points a,b`), what a person sees, and the exit code: 0
 * only when no run of any point failed. Invariant: the stack is stopped on every way out.
 */
import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import { Stack } from '@aifi/demo';
import { AifiError, assertNodeVersion } from '@aifi/shared-kernel';
import { runChaos, type ChaosOutcome } from './chaos-run.js';
import { POINTS, type Point } from './points.js';

const USAGE = `usage: npm run chaos -- [--runs N] [--points a,b]\npoints: ${POINTS.join(', ')}`;
const SITE_IDS = ['site-a', 'site-b'];
/** Short: the studies have one instance. @unit ms */
const QUIET_MS = 1_500;
/** Exit code of a run that was broken off: 128 + SIGINT. */
const INTERRUPTED = 130;

interface Arguments {
  readonly runs: number;
  readonly points: readonly Point[];
}

function readArguments(): Arguments {
  try {
    const options = {
      runs: { type: 'string', default: '20' },
      points: { type: 'string', default: POINTS.join(',') },
    } as const;
    const { values } = parseArgs({ options });
    const runs = Number(values.runs);
    const names = values.points.split(',');
    const points = POINTS.filter((point) => names.includes(point));
    if (!Number.isInteger(runs) || runs < 1 || points.length !== names.length) throw new Error();
    return { runs, points };
  } catch (error) {
    throw new AifiError('CONFIG_INVALID', USAGE, { cause: error });
  }
}

const isFailed = ({ problems }: ChaosOutcome): boolean => problems.length > 0;

function summary(outcomes: readonly ChaosOutcome[]): string {
  const failed = outcomes.filter(isFailed).length;
  const times = outcomes.map(({ durationMs }) => durationMs).sort((a, b) => a - b);
  const medianMs = times[Math.floor(times.length / 2)] ?? 0;
  return `${outcomes.length} runs, ${failed} failed, median ${(medianMs / 1_000).toFixed(1)} s`;
}

async function main(): Promise<number> {
  assertNodeVersion();
  const order = readArguments();
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => stop.abort());
  }
  try {
    const outcomes = await runAll(order, stop.signal);
    if (!stop.signal.aborted) return outcomes.some(isFailed) ? 1 : 0;
  } catch (error) {
    // What a stop in the middle breaks (a PACS that is gone) is no news to who asked for it.
    if (!stop.signal.aborted) throw error;
  }
  console.error('chaos: stopped by a signal, not finished');
  return INTERRUPTED;
}

async function runAll({ runs, points }: Arguments, signal: AbortSignal): Promise<ChaosOutcome[]> {
  const seed = randomBytes(8).toString('hex');
  const all: ChaosOutcome[] = [];
  const stack = await Stack.start({
    siteIds: SITE_IDS,
    environment: process.env,
    quietMs: QUIET_MS,
    say: (line) => console.log(line),
    signal,
  });
  try {
    for (const point of points) {
      const outcomes: ChaosOutcome[] = [];
      for (let run = 0; run < runs && !signal.aborted; run += 1) {
        const outcome = await runChaos(stack, point, `chaos-${seed}-${point}-${run}`);
        outcomes.push(outcome);
        for (const problem of outcome.problems) console.log(`  run ${run}: ${problem}`);
      }
      console.log(`${point.padEnd(36)} ${summary(outcomes)}`);
      all.push(...outcomes);
    }
    console.log(`${'all'.padEnd(36)} ${summary(all)}`);
  } finally {
    await stack.stop();
  }
  return all;
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    const fault = AifiError.from(error);
    console.error(fault.code === 'INTERNAL' ? fault : `chaos: ${fault.message}`);
    process.exit(fault.code === 'CONFIG_INVALID' ? 2 : 1);
  },
);
