/**
 * Entry point of `npm run bench`.
 * Decides the command line and what a person sees. Invariant: what a bench wrote is removed, and
 * what it started is stopped, on every way out that a process can see.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { AifiError, assertNodeVersion } from '@aifi/shared-kernel';
import { renderDurableTable, runDurableBench } from './durable/durable-bench.js';
import { runLinkBench } from './link/link-bench.js';
import { renderLinkTable } from './link/link-table.js';
import { runMemoryBench } from './memory/memory-bench.js';
import { runPathBench } from './path/path-bench.js';
import { renderPathTable } from './path/path-table.js';
import { runPseudonymiseBench } from './pseudonymise/pseudonymise-bench.js';
import { renderPseudonymiseTable } from './pseudonymise/pseudonymise-table.js';
import { runReceiveBench } from './receive/receive-bench.js';
import { renderReceiveTable } from './receive/receive-table.js';
import { renderSpoolTable, runSpoolBench } from './spool/spool-bench.js';

const USAGE = `usage: npm run bench -- <what> [--json file] [--folder parent of what is written]
  receive [--rounds 5] [--objects 500]   C-STORE: storescp, Orthanc and the gateway, interleaved
  pseudonymise [--rounds 5] [--objects 500]
                                         a CT study through our command and other tools
  spool [--rounds 5] [--objects 500]     C-STORE, pseudonymised and durable, beside storescp
  link [--rounds 5] [--objects 500]      gateway to hub, beside plain copies and Orthanc
  path [--rounds 3] [--objects 500]      C-STORE to durable at the hub, beside two Orthancs
  durable [--objects 200]                forms of the durable write
  memory                                 a study of 5,000 instances and one of 4 GB, whole gateway`;

interface Order {
  readonly what: string | undefined;
  readonly json: string | undefined;
  readonly folder: string;
  readonly rounds: number | undefined;
  readonly objects: number | undefined;
}

function countOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1) throw new AifiError('CONFIG_INVALID', USAGE);
  return count;
}
function readOrder(): Order {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        json: { type: 'string' },
        folder: { type: 'string', default: tmpdir() },
        rounds: { type: 'string' },
        objects: { type: 'string' },
      },
    });
    if (positionals.length > 1) throw new AifiError('CONFIG_INVALID', USAGE);
    return {
      what: positionals[0],
      json: values.json,
      folder: values.folder,
      rounds: countOf(values.rounds),
      objects: countOf(values.objects),
    };
  } catch (error) {
    throw new AifiError('CONFIG_INVALID', USAGE, { cause: error });
  }
}

const say = (line: string): void => console.log(line);

interface Outcome {
  readonly report: object;
  readonly table: string;
}
async function run(order: Order, folder: string): Promise<Outcome> {
  const { what, rounds = what === 'path' ? 3 : 5, objects } = order;
  if (what === 'receive') {
    const report = await runReceiveBench({ folder, rounds, objects: objects ?? 500, say });
    return { report, table: renderReceiveTable(report) };
  }
  if (what === 'pseudonymise') {
    const report = await runPseudonymiseBench({ folder, rounds, objects: objects ?? 500, say });
    return { report, table: renderPseudonymiseTable(report) };
  }
  if (what === 'spool') {
    const report = await runSpoolBench({ folder, rounds, objects: objects ?? 500, say });
    return { report, table: renderSpoolTable(report) };
  }
  if (what === 'link') {
    const report = await runLinkBench({ folder, rounds, objects: objects ?? 500, say });
    return { report, table: renderLinkTable(report) };
  }
  if (what === 'path') {
    const report = await runPathBench({ folder, rounds, objects: objects ?? 500, say });
    return { report, table: renderPathTable(report) };
  }
  if (what === 'durable') {
    const report = runDurableBench({ folder, objects: objects ?? 200 });
    return { report, table: renderDurableTable(report) };
  }
  if (what === 'memory') {
    const report = await runMemoryBench({ environment: process.env, say });
    return { report, table: JSON.stringify(report, null, 2) };
  }
  throw new AifiError('CONFIG_INVALID', USAGE);
}

async function main(): Promise<number> {
  assertNodeVersion();
  const order = readOrder();
  if (order.what === undefined) {
    console.log(USAGE);
    return 0;
  }
  const folder = mkdtempSync(join(order.folder, 'aifi-bench-'));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  process.on('exit', remove);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => process.exit(130));
  }
  const { report, table } = await run(order, folder);
  console.log(`\n${table}`);
  if (order.json) writeFileSync(order.json, `${JSON.stringify(report, null, 2)}\n`);
  return 0;
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    const fault = AifiError.from(error);
    console.error(fault.code === 'INTERNAL' ? fault : `bench: ${fault.message}`);
    process.exit(fault.code === 'CONFIG_INVALID' ? 2 : 1);
  },
);
