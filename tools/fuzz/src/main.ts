/**
 * Entry point of `npm run fuzz`.
 * Decides the command line, how many targets run at a time, and the exit code: 1 when anything was
 * found. Invariant: no worker is left behind on any way out.
 */
import { rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { AifiError, assertNodeVersion } from '@aifi/shared-kernel';
import { writeInput } from './corpus.js';
import { compareWithDcmdump } from './dcmdump-comparison.js';
import { renderReport, type TargetReport } from './report.js';
import { importSeedFiles } from './seed-files.js';
import { runTarget } from './target-run.js';
import { findTarget, TARGET_NAMES } from './targets/index.js';

const FOLDER = join(import.meta.dirname, '..');
/** The long form: half an hour each. @unit s */
const LONG_SECONDS = 1_800;
const USAGE = `usage: npm run fuzz -- [--target t]... [--seconds n | --executions n] [--seed s]
       [--fresh] [--json file] [--work folder]
       npm run fuzz -- --write-seeds [--from folder of data with its SOURCES.md]
targets: ${TARGET_NAMES.join(', ')}`;

interface Order {
  readonly targets: readonly string[];
  readonly seconds: number | undefined;
  readonly executions: number | undefined;
  readonly seed: number;
  readonly json: string | undefined;
  readonly fresh: boolean;
  readonly work: string;
  readonly writesSeeds: boolean;
  readonly seedFiles: string | undefined;
}

function countOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const count = Number(text);
  if (!Number.isInteger(count) || count < 0) throw new AifiError('CONFIG_INVALID', USAGE);
  return count;
}
function readOrder(): Order {
  try {
    const { values } = parseArgs({
      options: {
        target: { type: 'string', multiple: true },
        seconds: { type: 'string' },
        executions: { type: 'string' },
        seed: { type: 'string' },
        json: { type: 'string' },
        work: { type: 'string', default: FOLDER },
        fresh: { type: 'boolean', default: false },
        'write-seeds': { type: 'boolean', default: false },
        from: { type: 'string' },
      },
    });
    const executions = countOf(values.executions);
    return {
      targets: values.target ?? TARGET_NAMES,
      executions,
      seconds: countOf(values.seconds) ?? (executions === undefined ? LONG_SECONDS : undefined),
      // A new seed each time: the same one would walk the same way again.
      seed: countOf(values.seed) ?? Math.floor(Math.random() * 2 ** 31),
      json: values.json,
      fresh: values.fresh,
      work: values.work,
      writesSeeds: values['write-seeds'],
      seedFiles: values.from,
    };
  } catch (error) {
    throw new AifiError('CONFIG_INVALID', USAGE, { cause: error });
  }
}

async function writeSeeds(names: readonly string[]): Promise<void> {
  for (const name of names) {
    const target = await findTarget(name);
    let count = 0;
    for (const seed of target.seeds()) {
      if (seed.length > target.maxBytes) continue;
      writeInput(join(FOLDER, 'corpus', target.name), seed);
      count += 1;
    }
    console.log(`${target.name}: ${count} seeds`);
  }
}

async function runOne(name: string, order: Order, signal: AbortSignal): Promise<TargetReport> {
  const { seconds, executions, seed, fresh, work } = order;
  const target = await findTarget(name);
  const workFolder = join(work, '.run', target.name);
  const findingsFolder = join(work, 'findings', target.name);
  if (fresh) rmSync(workFolder, { recursive: true, force: true });
  const result = await runTarget(
    {
      target: target.name,
      covers: target.covers,
      folder: FOLDER,
      workFolder,
      findingsFolder,
      seed,
      seconds,
      executions,
    },
    signal,
  );
  const { findings } = result;
  console.log(`${target.name}: ${result.executions} executions, ${findings.length} findings`);
  return { ...result, comparison: compareWithDcmdump(join(workFolder, 'accepted')) };
}

async function runAll(order: Order, signal: AbortSignal): Promise<TargetReport[]> {
  const reports: TargetReport[] = [];
  const waiting = [...order.targets];
  const lane = async (): Promise<void> => {
    for (let next = waiting.shift(); next && !signal.aborted; next = waiting.shift()) {
      reports.push(await runOne(next, order, signal));
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, availableParallelism()) }, lane));
  return reports;
}

async function main(): Promise<number> {
  assertNodeVersion();
  const order = readOrder();
  if (order.writesSeeds) {
    await writeSeeds(order.targets);
    if (order.seedFiles) {
      const count = importSeedFiles(order.seedFiles, join(FOLDER, 'corpus'));
      console.log(`${count} seeds from files`);
    }
    return 0;
  }
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => stop.abort());
  }
  console.log(`seed ${order.seed}`);
  const targets = await runAll(order, stop.signal);
  console.log(`\n${renderReport(targets)}`);
  if (order.json) {
    const { seed } = order;
    writeFileSync(order.json, `${JSON.stringify({ version: 1, seed, targets }, null, 2)}\n`);
  }
  return targets.some(({ findings }) => findings.length > 0) ? 1 : 0;
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    const fault = AifiError.from(error);
    console.error(fault.code === 'INTERNAL' ? fault : `fuzz: ${fault.message}`);
    process.exit(fault.code === 'CONFIG_INVALID' ? 2 : 1);
  },
);
