/**
 * Entry point of `npm run chaos`.
 * Decides the command line, what a person sees, what is kept of a run that failed, and the exit
 * code: 0 only when nothing was lost, doubled or misdelivered and every point was hit often enough.
 * Invariant: the stack is stopped on every way out.
 */
import { randomBytes } from 'node:crypto';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { AifiError, assertNodeVersion } from '@aifi/shared-kernel';
import { ensureFaketime } from '../../../deploy/services/faketime/install.mjs';
import { BEYOND_REACH, pointsBeyondReach } from './beyond-reach.table.js';
import { runChaos, type ChaosReport } from './chaos-run.js';
import { check, type Verdict } from './checker.js';
import { readCrashPoints } from './crash-points.js';
import { readHistory } from './history.js';

const USAGE = `usage: npm run chaos -- [--minutes N] [--seed S] [--kills K] [--sites N]
         [--points a,b] [--hits N] [--json FILE] [--keep FOLDER]
       npm run chaos -- --calm [--studies N] [--minutes N] [--seed S] [--sites N] ...
       npm run chaos -- --check FILE`;
/** Every point as often as the acceptance of a release asks. */
const HITS_EACH = '5';
const SITES_MAX = 8;
/** Exit code of a run that was broken off: 128 + SIGINT. */
const INTERRUPTED = 130;
const FAULTS = { longestMs: 8_000, everyMs: 4_000 };

/** Of each site, all under way at once, while nothing is broken on purpose (T-MIS-4). */
const CALM_STUDIES = '200';

interface Arguments {
  readonly minutes: number;
  readonly seed: string;
  readonly kills: number;
  readonly sites: number;
  readonly hits: number;
  readonly points: readonly string[];
  /** Studies of each site in a calm run; undefined: everything breaks. */
  readonly calm: number | undefined;
  readonly json: string | undefined;
  readonly keep: string;
  readonly check: string | undefined;
}

function readArguments(): Arguments {
  try {
    const text = (value?: string) =>
      value === undefined
        ? { type: 'string' as const }
        : { type: 'string' as const, default: value };
    const { values } = parseArgs({
      options: {
        ...{ minutes: text('40'), kills: text('200'), sites: text('5'), hits: text(HITS_EACH) },
        ...{ seed: text(), points: text(), json: text(), check: text() },
        ...{ keep: text(join('.run', 'chaos')), studies: text(CALM_STUDIES) },
        calm: { type: 'boolean', default: false },
      },
    });
    const [minutes, kills, sites, hits, studies] = [
      ...[values.minutes, values.kills, values.sites, values.hits, values.studies],
    ].map(Number) as [number, number, number, number, number];
    const all = readCrashPoints();
    const beyond = pointsBeyondReach();
    const within = all.filter((name) => !beyond.includes(name));
    const names = values.points?.split(',').filter(Boolean) ?? within;
    const isRight =
      minutes > 0 &&
      [kills, sites, hits, studies].every((count) => Number.isInteger(count) && count >= 0);
    if (!isRight || sites < 1 || sites > SITES_MAX || names.some((name) => !all.includes(name))) {
      throw new Error();
    }
    const seed = values.seed ?? randomBytes(4).toString('hex');
    const { json, check: checked, keep = '' } = values;
    const common = { minutes, seed, sites, hits, json, keep, check: checked };
    if (values.calm) return { ...common, kills: 0, points: [], calm: studies };
    return { ...common, kills, points: names, calm: undefined };
  } catch (error) {
    throw new AifiError('CONFIG_INVALID', USAGE, { cause: error });
  }
}

function tellVerdict({ problems, figures }: Verdict): void {
  for (const problem of problems) console.log(`  ${problem}`);
  const { accepted, delivered, oracles, notAnalysed, held } = figures;
  console.log(
    `accepted ${accepted} studies, results of ${delivered} in the PACS, ${oracles} pixel oracles ` +
      `right, ${notAnalysed} not analysed because their model was killed, ${held} held as asked`,
  );
  const count = (word: string): number => problems.filter((line) => line.includes(word)).length;
  console.log(
    `${count('lost')} lost, ${count('doubled')} doubled, ${count('MISDELIVERED')} misdelivered, ` +
      `${problems.length} violations in all`,
  );
}

function tellReport(report: ChaosReport, order: Arguments): void {
  const { hits, kills, rearmed, open, restarts, troubleSeconds, settleSeconds, faults } = report;
  for (const [point, count] of Object.entries(hits)) console.log(`${point.padEnd(44)} ${count}`);
  console.log(
    `faults: ${Object.entries(faults)
      .map((entry) => entry.join(' '))
      .join(', ')}`,
  );
  console.log(
    `${kills} random kills, ${rearmed} for crash points, ${restarts} restarts in ` +
      `${Math.round(troubleSeconds)} s; ` +
      `all work done ${Math.round(settleSeconds)} s after the last fault`,
  );
  if (open.length > 0) {
    console.log(`hit less than ${order.hits} times: ${open.join(', ')}`);
  }
  if (order.calm === undefined) tellBeyondReach(order.points);
  tellVerdict(report);
}

/** What the exit code says nothing about. */
function tellBeyondReach(asked: readonly string[]): void {
  const left = BEYOND_REACH.filter(({ points }) => !points.some((point) => asked.includes(point)));
  const count = left.reduce((sum, { points }) => sum + points.length, 0);
  console.log(`points not reachable in a chaos run: ${count}`);
  for (const { points, reason, suite } of left) {
    console.log(`  ${points.join(', ')}\n    ${reason}: ${suite}`);
  }
}

function siteIdsOf(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `site-${'abcdefgh'[index]!}`);
}

async function main(): Promise<number> {
  assertNodeVersion();
  const order = readArguments();
  if (order.check !== undefined) {
    const verdict = check(readHistory(order.check));
    tellVerdict(verdict);
    return verdict.problems.length === 0 ? 0 : 1;
  }
  console.log(`seed ${order.seed}`);
  console.log(
    order.calm === undefined
      ? `${order.points.length} crash points to be hit ${order.hits} times each`
      : `${order.calm} studies at each of ${order.sites} sites, all under way at once`,
  );
  ensureFaketime();
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => stop.abort());
  }
  try {
    const report = await runAll(order, stop.signal);
    tellReport(report, order);
    if (order.json) writeFileSync(order.json, `${JSON.stringify(report, null, 2)}\n`);
    return report.problems.length === 0 && report.open.length === 0 ? 0 : 1;
  } catch (error) {
    // What a stop in the middle breaks is no news to who asked for it.
    if (!stop.signal.aborted) throw error;
  }
  console.error('chaos: stopped by a signal, not finished');
  return INTERRUPTED;
}

function runAll(order: Arguments, signal: AbortSignal): Promise<ChaosReport> {
  const { seed, sites, minutes, kills, points, hits, keep, calm } = order;
  return runChaos({
    ...{ seed, kills, points, hitsEach: hits, signal },
    ...(calm === undefined
      ? { faults: FAULTS }
      : { faults: undefined, studiesMax: calm, atOnce: calm }),
    ...{ siteIds: siteIdsOf(sites), troubleMs: minutes * 60_000, environment: process.env },
    say: (line) => console.log(line),
    onFailure: (history, { folder }) => {
      if (signal.aborted) return;
      const target = join(keep, seed);
      mkdirSync(target, { recursive: true, mode: 0o700 });
      cpSync(history.file, join(target, 'history.jsonl'));
      cpSync(join(folder, 'logs'), join(target, 'logs'), { recursive: true });
      console.log(`kept: ${target} (check it again: --check ${join(target, 'history.jsonl')})`);
    },
  });
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    const fault = AifiError.from(error);
    console.error(fault.code === 'INTERNAL' ? fault : `chaos: ${fault.message}`);
    process.exit(fault.code === 'CONFIG_INVALID' ? 2 : 1);
  },
);
