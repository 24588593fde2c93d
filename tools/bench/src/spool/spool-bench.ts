/**
 * Spool bench (B2): CT studies by C-STORE into a gateway, pseudonymised and durable in its spool,
 * beside what DCMTK's storescp writes of the same studies in the same round.
 * Decides that several studies come one after the other, so that one is received while the one
 * before is pseudonymised, as in production; the time ends when the last one is in the spool.
 * Invariants: every object of every study is in the spool; both sides get equal files.
 * Source: reliability specification B2.
 */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { readPart10Header } from '@aifi/dicom-core';
import { AifiError } from '@aifi/shared-kernel';
import { machineFacts, type MachineFacts } from '../machine-facts.js';
import { processorMs, watchMemory } from '../process-tree.js';
import { CtObjects, type SentObject } from '../receive/ct-objects.js';
import type { Receiver } from '../receive/receiver.js';
import { send } from '../receive/sender.js';
import { startStorescp } from '../receive/storescp.js';
import { ratioOf, spreadOf, type Spread } from '../statistics.js';
import { renderTable, spreadText } from '../table.js';
import { SpoolGateway } from './spool-gateway.js';

const MEGABYTE = 1e6;
const MEBIBYTE = 1024 * 1024;
const ASSOCIATIONS = [1, 4] as const;
const STUDIES = 3;
/** Of storescp's throughput (B2). */
const SHARE = 0.35;

export interface SpoolBenchOptions {
  /** Everything is written below it; the caller removes it. */
  readonly folder: string;
  readonly rounds: number;
  readonly objects: number;
  readonly say?: (line: string) => void;
}
interface SpoolRound {
  readonly receiver: 'storescp' | 'gateway';
  readonly associations: number;
  readonly seconds: number;
  readonly processorSeconds: number;
  readonly residentBytesPeak: number;
}
interface SpoolResult {
  readonly receiver: string;
  readonly associations: number;
  readonly megabytesPerSecond: Spread;
  readonly processorSeconds: Spread;
  readonly residentBytesPeak: number;
  /** Throughput as a share of that of storescp, round by round. */
  readonly share: Spread;
}
export interface SpoolReport {
  readonly version: 1;
  readonly bench: 'spool';
  readonly machine: MachineFacts;
  readonly settings: {
    readonly objects: number;
    readonly studies: number;
    readonly bytes: number;
    readonly rounds: number;
  };
  readonly results: readonly SpoolResult[];
  readonly rounds: readonly SpoolRound[];
}

interface Study {
  readonly objects: CtObjects;
  readonly sent: readonly SentObject[];
  readonly studyUid: string;
}
async function renewed(all: readonly CtObjects[]): Promise<Study[]> {
  const studies: Study[] = [];
  for (const objects of all) {
    const sent = objects.renew();
    const { dataset } = await readPart10Header(sent[0]!.path);
    studies.push({ objects, sent, studyUid: dataset.string('StudyInstanceUID')! });
  }
  // What was written before must not be written while something is measured.
  execFileSync('sync');
  return studies;
}

async function sendAll(
  studies: readonly Study[],
  to: Receiver | SpoolGateway,
  associations: number,
): Promise<void> {
  const pending: Promise<void>[] = [];
  for (const { objects, sent, studyUid } of studies) {
    const groups = associations === 1 ? [objects.folders] : objects.folders.map((one) => [one]);
    const { accepted } = await send(groups, to);
    if (accepted !== sent.length) throw new AifiError('PEER_REFUSED', 'objects were refused');
    if (!(to instanceof SpoolGateway)) continue;
    const spooled = to.spooled(studyUid).then((study) => {
      if (study.objects !== sent.length || study.bytes < objects.sizeBytes * PIXEL_SHARE) {
        throw new AifiError('DIGEST_MISMATCH', 'the spool does not hold the whole study');
      }
    });
    spooled.catch(() => undefined);
    pending.push(spooled);
  }
  await Promise.all(pending);
}
/** Pixels are nearly all of these files, and none of them may be missing. */
const PIXEL_SHARE = 0.99;

async function measure(
  receiver: SpoolRound['receiver'],
  to: Receiver | SpoolGateway,
  all: readonly CtObjects[],
  associations: number,
): Promise<SpoolRound> {
  const studies = await renewed(all);
  const memory = watchMemory(to.pid);
  const [before, started] = [processorMs(to.pid), performance.now()];
  await sendAll(studies, to, associations);
  const seconds = (performance.now() - started) / 1_000;
  const processorSeconds = (processorMs(to.pid) - before) / 1_000;
  const residentBytesPeak = memory.stop();
  await to.clear();
  return { receiver, associations, seconds, processorSeconds, residentBytesPeak };
}

function resultsOf(rounds: readonly SpoolRound[], bytes: number): SpoolResult[] {
  return ASSOCIATIONS.flatMap((associations) => {
    const of = (name: string): SpoolRound[] =>
      rounds.filter((one) => one.associations === associations && one.receiver === name);
    const ratesOf = (name: string): number[] =>
      of(name).map(({ seconds }) => bytes / MEGABYTE / seconds);
    return ['storescp', 'gateway'].map((receiver) => ({
      ...{ receiver, associations },
      megabytesPerSecond: spreadOf(ratesOf(receiver)),
      processorSeconds: spreadOf(of(receiver).map((one) => one.processorSeconds)),
      residentBytesPeak: Math.max(...of(receiver).map((one) => one.residentBytesPeak)),
      share: ratioOf(ratesOf(receiver), ratesOf('storescp')),
    }));
  });
}

export async function runSpoolBench(options: SpoolBenchOptions): Promise<SpoolReport> {
  const { folder, rounds: count, objects: objectCount, say = () => undefined } = options;
  const all = Array.from({ length: STUDIES }, (_, index) =>
    CtObjects.write(join(folder, `study-${index}`), objectCount),
  );
  const bytes = all.reduce((sum, objects) => sum + objects.sizeBytes, 0);
  const rounds: SpoolRound[] = [];
  const storescp = await startStorescp(folder, true);
  try {
    const gateway = await SpoolGateway.start(folder);
    try {
      for (let round = 0; round <= count; round += 1) {
        for (const associations of ASSOCIATIONS) {
          for (const [name, to] of [
            ['storescp', storescp],
            ['gateway', gateway],
          ] as const) {
            const one = await measure(name, to, all, associations);
            const what = round === 0 ? 'warm-up' : `round ${round}`;
            say(`${what}: ${name}, ${associations}: ${one.seconds.toFixed(2)} s`);
            if (round > 0) rounds.push(one);
          }
        }
      }
    } finally {
      await gateway.stop();
    }
  } finally {
    await storescp.stop();
  }
  return {
    ...{ version: 1, bench: 'spool', machine: machineFacts(folder) },
    settings: { objects: objectCount, studies: STUDIES, bytes, rounds: count },
    results: resultsOf(rounds, bytes),
    rounds,
  };
}

const HEAD = ['receiver', 'assoc.', 'MB/s', 'CPU s', 'peak RSS MiB', 'x storescp'];
export function renderSpoolTable({ machine, settings, results }: SpoolReport): string {
  const rows = results.map((one) => [
    one.receiver,
    String(one.associations),
    spreadText(one.megabytesPerSecond, 0),
    spreadText(one.processorSeconds, 2),
    (one.residentBytesPeak / MEBIBYTE).toFixed(0),
    spreadText(one.share, 2),
  ]);
  const targets = results
    .filter(({ receiver }) => receiver === 'gateway')
    .map(({ associations, share }) => {
      const words = share.median >= SHARE ? 'met' : 'NOT MET';
      const measured = `${share.median.toFixed(2)}, ${associations} assoc.`;
      return `${words}: at least ${SHARE} of storescp (${measured})`;
    });
  return [
    `${settings.studies} studies of ${settings.objects} objects one after the other, ` +
      `${settings.rounds} rounds, median (min-max)`,
    `${machine.cores} cores, Node ${machine.node}, ${machine.kernel}, ${machine.fileSystem}`,
    'storescp --fork: written, no fsync, no row',
    'gateway: received (fdatasync, row), pseudonymised (fdatasync, linkage), in the spool (row)',
    '',
    renderTable(HEAD, rows),
    '',
    ...targets,
  ].join('\n');
}
