/**
 * runDemo: the demonstration from an empty machine to the table.
 * Decides what a person sees, the overall deadline, and when the exit code is 0: every study
 * reached its expected state and the PACS really holds each result once.
 * Invariant: the stack is stopped on every way out.
 */
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { systemClock } from '@aifi/shared-kernel';
import { DEMO_DATA_FOLDER } from '../stack/checkout.js';
import { Stack } from '../stack/stack.js';
import { demoStudies } from '../studies/index.js';
import { followStudies } from './follow-studies.js';
import { LiveLines, type Screen } from './live-lines.js';
import { pageLines, pagesOf } from './pages.js';
import { reportOf } from './report.js';
import { deviations, isDone, progressOf, type StudyRun } from './study-run.js';
import { renderOutcome, renderTimings } from './table.js';

export interface DemoOptions {
  readonly siteIds: readonly string[];
  /** Exit after the table instead of staying up. */
  readonly once: boolean;
  /** The pacs-simulator instead of Orthanc. */
  readonly simulator: boolean;
  /** Where the report goes, absolute. */
  readonly jsonFile: string | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly screen: Screen;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
}

/** Everything together, installing not included; a slow machine with two cores needs about two. */
const DEADLINE_MS = 5 * 60_000;
/** Exit code of a run that was broken off: 128 + SIGINT. */
const INTERRUPTED = 130;

/** Resolves with the exit code. */
export async function runDemo(options: DemoOptions): Promise<number> {
  try {
    return await startAndShow(options);
  } catch (error) {
    // What a stop in the middle breaks (a PACS that is gone) is no news to who asked for it.
    if (options.signal.aborted) return INTERRUPTED;
    throw error;
  }
}

async function startAndShow(options: DemoOptions): Promise<number> {
  const { siteIds, environment, screen, signal, simulator } = options;
  const say = (line: string): void => void screen.write(`${line}\n`);
  const stack = await Stack.start({ siteIds, environment, say, signal, simulator });
  try {
    sayAddresses(stack, say);
    const runs = await sendStudies(stack, options);
    if (signal.aborted) return INTERRUPTED;
    const problems = [
      ...stuck(runs),
      ...runs.flatMap(deviationLines),
      ...(await missing(stack, runs)),
    ];
    const pages = pagesOf(stack);
    const report = { ...reportOf(runs), ok: problems.length === 0, pages };
    say(`\n${renderOutcome(runs)}\n\nseconds per stage\n${renderTimings(runs)}\n`);
    if (stack.parts.pacsNote) say(`PACS: pacs-simulator, because ${stack.parts.pacsNote}`);
    for (const problem of problems) say(`NOT AS EXPECTED: ${problem}`);
    if (problems.length > 0) sayLogs(stack, say);
    if (options.jsonFile) await writeFile(options.jsonFile, `${JSON.stringify(report, null, 2)}\n`);
    if (!options.once) {
      sayAddresses(stack, say);
      say(`\n${pageLines(pages).join('\n')}`);
      await untilStopped(say, signal);
    }
    return report.ok ? 0 : 1;
  } finally {
    say('stopping ...');
    await stack.stop();
  }
}

async function sendStudies(stack: Stack, options: DemoOptions): Promise<readonly StudyRun[]> {
  const run = randomBytes(8).toString('hex');
  const nowMs = systemClock.nowMs();
  const products = stack.parts.products.map(({ product }) => product);
  const live = new LiveLines(options.screen);
  return followStudies({
    hospitals: stack.parts.hospitals,
    studiesOf: (siteId) =>
      demoStudies(DEMO_DATA_FOLDER, { runId: `${run}/${siteId}`, nowMs, products }),
    deadlineMs: DEADLINE_MS,
    onChange: (runs) => live.show(runs, systemClock.nowMs()),
    signal: options.signal,
  });
}

function deviationLines(run: StudyRun): string[] {
  return deviations(run).map((line) => `${run.siteId} ${run.study.name}: ${line}`);
}

function stuck(runs: readonly StudyRun[]): string[] {
  return runs
    .filter((run) => !isDone(run))
    .map((run) => {
      const last = run.journal.at(-1);
      const seen = last ? `last journal entry ${last.stage} ${last.event}` : 'no journal entry';
      return `${run.siteId} ${run.study.name}: stuck in ${progressOf(run).step}, ${seen}`;
    });
}

/** The gateway says that results are in the PACS: the PACS is asked itself. */
async function missing(stack: Stack, runs: readonly StudyRun[]): Promise<string[]> {
  const lines: string[] = [];
  for (const { siteId, study, seen } of runs) {
    const hospital = stack.parts.hospitals.find((candidate) => candidate.siteId === siteId);
    const results = (seen?.products ?? []).flatMap((product) => product.results);
    const status = seen?.statusObject ? [{ ...seen.statusObject, role: 'status object' }] : [];
    for (const { sopInstanceUid, role } of [...results, ...status]) {
      const found = (await hospital?.pacs.find('Instance', sopInstanceUid)) ?? [];
      if (found.length !== 1) lines.push(`${siteId} ${study.name}: ${role} ${found.length} times`);
    }
  }
  return lines;
}

function sayAddresses({ parts }: Stack, say: (line: string) => void): void {
  for (const { siteId, pacs, pacsKind, ports } of parts.hospitals) {
    say(`${siteId.padEnd(8)} gateway receives DICOM on port ${ports.gatewayDicom}`);
    say(`${siteId.padEnd(8)} ${pacsKind} ${pacs.restUrl} (DICOM ${ports.pacsDicom})`);
  }
}

function sayLogs(stack: Stack, say: (line: string) => void): void {
  for (const process of stack.processes) say(`\n--- ${process.name}\n${process.tail()}`);
}

async function untilStopped(say: (line: string) => void, signal: AbortSignal): Promise<void> {
  say('\nCtrl-C stops everything.');
  if (signal.aborted) return;
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
}
