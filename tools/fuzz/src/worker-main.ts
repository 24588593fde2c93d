/**
 * Entry of a worker process: one target, until its budget is spent.
 * Decides what the parent hears. Invariants: the input in hand is in the progress file before it is
 * executed; every new input and every finding is a file before the next one starts.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Corpus, inputName, readInputs, writeInput } from './corpus.js';
import { Coverage } from './coverage.js';
import { detailOf, faultSignature } from './finding.js';
import { FuzzEngine } from './fuzz-engine.js';
import { ProgressWriter } from './progress-file.js';
import { SeededRandom } from './seeded-random.js';
import { findTarget } from './targets/index.js';
import {
  HANG_MS,
  ORDER_VARIABLE,
  RESIDENT_BYTES_MAX,
  type WorkerFigures,
  type WorkerMessage,
  type WorkerOrder,
} from './worker-messages.js';

/** Executions between two looks at memory, and one in so many is kept for the comparison. */
const MEMORY_EVERY = 512;
const SAMPLE_EVERY = 16;
const SAMPLES_MAX = 1_000;
/** @unit ms */
const REPORT_MS = 1_000;

const order = JSON.parse(process.env[ORDER_VARIABLE] ?? '{}') as WorkerOrder;
const target = await findTarget(order.target);
const newInputs = join(order.workFolder, 'corpus');
const samples = join(order.workFolder, 'accepted');
const progress = new ProgressWriter(order.progressPath, target.maxBytes);
const coverage = new Coverage();
const corpus = new Corpus();
let inHand: Uint8Array = new Uint8Array(0);
let sampleCount = 0;

const tell = (message: WorkerMessage): void => void process.send?.(message);
function report(kind: 'fault' | 'hang' | 'memory', input: Uint8Array, error: unknown): void {
  const path = writeInput(order.findingsFolder, input);
  const [signature, detail] = [faultSignature(error), detailOf(error)];
  writeFileSync(`${path}.txt`, `${kind}\n${signature}\n${detail}\n`);
  tell({ kind: 'finding', finding: kind, signature, detail, path });
}

const engine = new FuzzEngine({
  target,
  corpus,
  coverage,
  random: new SeededRandom(order.seed),
  events: {
    onExecution: (input) => {
      inHand = input;
      progress.write(input);
    },
    onNewInput: (input) => void writeInput(newInputs, input),
    onFault: (input, error) => report('fault', input, error),
  },
});
const figures = (): WorkerFigures => ({
  executions: engine.executions,
  corpusInputs: corpus.size,
  coverageReached: coverage.reached,
  coverageTotal: coverage.total,
});

function keepSample(input: Uint8Array): void {
  if (!target.part10Of || sampleCount >= SAMPLES_MAX) return;
  const file = target.part10Of(input);
  if (!file) return;
  sampleCount += 1;
  mkdirSync(samples, { recursive: true });
  writeFileSync(join(samples, `${inputName(input)}.dcm`), file);
}

/** One more run decides: a machine that is busy elsewhere makes any input slow once. */
async function checkTime(input: Uint8Array): Promise<void> {
  const before = process.cpuUsage();
  await Promise.resolve(target.run(input)).catch(() => undefined);
  const { user } = process.cpuUsage(before);
  if (user / 1_000 > HANG_MS) report('hang', input, new Error('longer than a second'));
}
/** False: too much memory is held although everything was collected. */
function isMemoryFine(): boolean {
  if (process.memoryUsage.rss() < RESIDENT_BYTES_MAX) return true;
  globalThis.gc?.();
  if (process.memoryUsage.rss() < RESIDENT_BYTES_MAX) return true;
  report('memory', inHand, new Error('resident memory over its limit'));
  return false;
}

async function run(): Promise<void> {
  rmSync(samples, { recursive: true, force: true });
  for (const input of readInputs(order.corpusFolder)) {
    await engine.replay(input.subarray(0, target.maxBytes), true);
    keepSample(input);
  }
  for (const input of readInputs(newInputs)) {
    await engine.replay(input);
    keepSample(input);
  }
  const endMs = performance.now() + (order.seconds ?? Infinity) * 1_000;
  let reportMs = performance.now();
  const started = engine.executions;
  for (let step = 1; engine.executions - started < (order.executions ?? Infinity); step += 1) {
    const beforeMs = performance.now();
    if (beforeMs > endMs) break;
    if (beforeMs - reportMs > REPORT_MS) {
      tell({ kind: 'figures', figures: figures() });
      reportMs = beforeMs;
      await nextTurn();
    }
    await engine.step();
    if (performance.now() - beforeMs > HANG_MS) await checkTime(inHand);
    if (step % SAMPLE_EVERY === 0) keepSample(inHand);
    if (step % MEMORY_EVERY === 0 && !isMemoryFine()) break;
  }
}

// A rejection that nobody waits for is a fault of the input in hand; the parent sees the exit.
process.on('uncaughtException', (error) => {
  report('fault', inHand, error);
  process.exit(3);
});
await run();
tell({ kind: 'done', figures: figures() });
process.disconnect?.();
