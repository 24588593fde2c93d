/**
 * Bench: forms of the durable write, interleaved, object by object.
 * Decides the sizes (a CT slice and a radiograph) and that preparation is counted apart: it can be
 * done while nobody waits, but it is not free.
 */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { machineFacts, type MachineFacts } from '../machine-facts.js';
import { spreadOf, type Spread } from '../statistics.js';
import { renderTable, spreadText } from '../table.js';
import { pooledFile, renamedFile, segmentRecord } from './durable-forms.js';

/** A CT slice of 512x512x16 bits, a radiograph (performance specification). @unit bytes */
export const DURABLE_SIZES = [525_000, 15_000_000] as const;
/** Objects that lie on the disk at a time. */
const CLEAR_EVERY = 20;
const MEGABYTE = 1e6;

export interface DurableBenchOptions {
  readonly folder: string;
  readonly objects: number;
  readonly sizes?: readonly number[];
}
export interface DurableResult {
  readonly form: string;
  readonly sizeBytes: number;
  readonly commitMs: Spread;
  /** Mean for each object: it comes in lumps. @unit ms */
  readonly prepareMsMean: number;
}
export interface DurableReport {
  readonly version: 1;
  readonly bench: 'durable';
  readonly machine: MachineFacts;
  readonly objects: number;
  readonly results: readonly DurableResult[];
}

function timed(act: () => void): number {
  const startMs = performance.now();
  act();
  return performance.now() - startMs;
}

function measureSize(folder: string, sizeBytes: number, objects: number): DurableResult[] {
  const forms = [renamedFile(folder), pooledFile(folder), segmentRecord(folder)];
  const bytes = randomBytes(sizeBytes);
  const commitMs = forms.map((): number[] => []);
  const prepareMs = forms.map(() => 0);
  // The first one of each is the warm-up.
  for (let object = 0; object <= objects; object += 1) {
    // No two objects are alike, for a file system that would notice.
    bytes.writeUInt32LE(object);
    for (const [index, form] of forms.entries()) {
      prepareMs[index]! += timed(() => form.prepare(sizeBytes));
      const ms = timed(() => form.commit(bytes));
      if (object > 0) commitMs[index]!.push(ms);
    }
    if (object % CLEAR_EVERY !== CLEAR_EVERY - 1) continue;
    for (const form of forms) form.clear();
    execFileSync('sync');
  }
  for (const form of forms) {
    form.close();
    form.clear();
  }
  return forms.map(({ name }, index) => ({
    form: name,
    sizeBytes,
    commitMs: spreadOf(commitMs[index]!),
    prepareMsMean: prepareMs[index]! / (objects + 1),
  }));
}

export function runDurableBench(options: DurableBenchOptions): DurableReport {
  const { folder, objects, sizes = DURABLE_SIZES } = options;
  const machine = machineFacts(folder);
  const results = sizes.flatMap((size) => measureSize(folder, size, objects));
  return { version: 1, bench: 'durable', machine, objects, results };
}

export function renderDurableTable({ machine, objects, results }: DurableReport): string {
  const head = ['form', 'KB', 'commit ms', 'MB/s', 'preparation ms'];
  const rows = results.map(({ form, sizeBytes, commitMs, prepareMsMean }) => [
    form,
    (sizeBytes / 1_000).toFixed(0),
    spreadText(commitMs, 2),
    (sizeBytes / MEGABYTE / (commitMs.median / 1_000)).toFixed(0),
    prepareMsMean.toFixed(2),
  ]);
  return [
    `${objects} objects of each size and form, interleaved, median (min-max)`,
    `${machine.cores} cores, Node ${machine.node}, ${machine.kernel}, ${machine.fileSystem}`,
    '',
    renderTable(head, rows),
  ].join('\n');
}
