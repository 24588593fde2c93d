/**
 * Bench: receiving CT objects, ours and peers, interleaved.
 * Decides the order (every receiver in every round, so that a slow minute hits all of them), that a
 * first round warms everybody up and does not count, and that the disk is idle before each sending.
 * Invariant: a figure only counts when all of its objects are there.
 * Source: performance specification (receiving, B1, B6).
 */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { AifiError } from '@aifi/shared-kernel';
import { machineFacts, type MachineFacts } from '../machine-facts.js';
import { processorMs, watchMemory } from '../process-tree.js';
import { ratioOf, spreadOf, type Spread } from '../statistics.js';
import { CtObjects } from './ct-objects.js';
import { startGateway } from './gateway.js';
import { startOrthanc } from './orthanc.js';
import type { Receiver, ReceiverFacts } from './receiver.js';
import { PDU_BYTES, send } from './sender.js';
import { startStorescp } from './storescp.js';

const MEGABYTE = 1e6;
const ASSOCIATIONS = [1, 4] as const;

export interface ReceiveBenchOptions {
  /** Everything is written below it; the caller removes it. */
  readonly folder: string;
  readonly rounds: number;
  readonly objects: number;
  readonly say?: (line: string) => void;
}
/** One sending. */
export interface ReceiveRound {
  readonly receiver: string;
  readonly associations: number;
  readonly seconds: number;
  readonly processorSeconds: number;
  readonly residentBytesPeak: number;
}
export interface ReceiveResult {
  readonly receiver: string;
  readonly associations: number;
  readonly seconds: Spread;
  readonly megabytesPerSecond: Spread;
  readonly processorSeconds: Spread;
  readonly processorMsPerObject: Spread;
  /** Sum of the high-water marks of its processes, since it was started. @unit bytes */
  readonly residentBytesPeak: number;
  /** Throughput as a share of that of the other receiver, round by round. */
  readonly shareOf: Readonly<Record<string, Spread>>;
}
export interface ReceiveReport {
  readonly version: 1;
  readonly bench: 'receive';
  readonly machine: MachineFacts;
  readonly settings: {
    readonly objects: number;
    readonly objectBytes: number;
    readonly rounds: number;
    readonly pduBytes: number;
    readonly tcpNoDelay: true;
    readonly sender: 'storescu';
  };
  readonly receivers: readonly ReceiverFacts[];
  readonly results: readonly ReceiveResult[];
  readonly rounds: readonly ReceiveRound[];
}

async function measure(
  receiver: Receiver,
  objects: CtObjects,
  associations: number,
): Promise<ReceiveRound> {
  const sent = objects.renew();
  // What one receiver has not yet written must not be written while the next one is measured.
  execFileSync('sync');
  const groups = associations === 1 ? [objects.folders] : objects.folders.map((one) => [one]);
  const memory = watchMemory(receiver.pid);
  const before = processorMs(receiver.pid);
  const { accepted, seconds } = await send(groups, receiver);
  const processorSeconds = (processorMs(receiver.pid) - before) / 1_000;
  const residentBytesPeak = memory.stop();
  const { name } = receiver.facts;
  if (accepted !== sent.length) throw new AifiError('PEER_REFUSED', `${name} refused objects`);
  await receiver.verify(sent);
  await receiver.clear();
  return { receiver: name, associations, seconds, processorSeconds, residentBytesPeak };
}

function resultOf(
  rounds: readonly ReceiveRound[],
  objects: CtObjects,
  bases: Readonly<Record<string, readonly number[]>>,
): ReceiveResult {
  const { receiver, associations } = rounds[0]!;
  const rates = rounds.map(({ seconds }) => objects.sizeBytes / MEGABYTE / seconds);
  const processor = rounds.map(({ processorSeconds }) => processorSeconds);
  return {
    receiver,
    associations,
    seconds: spreadOf(rounds.map(({ seconds }) => seconds)),
    megabytesPerSecond: spreadOf(rates),
    processorSeconds: spreadOf(processor),
    processorMsPerObject: spreadOf(processor.map((one) => (one * 1_000) / objects.count)),
    residentBytesPeak: Math.max(...rounds.map((round) => round.residentBytesPeak)),
    shareOf: Object.fromEntries(
      Object.entries(bases).map(([name, base]) => [name, ratioOf(rates, base)]),
    ),
  };
}

function resultsOf(
  rounds: readonly ReceiveRound[],
  objects: CtObjects,
  names: readonly string[],
): ReceiveResult[] {
  const results: ReceiveResult[] = [];
  for (const associations of ASSOCIATIONS) {
    const of = (name: string): ReceiveRound[] =>
      rounds.filter((one) => one.associations === associations && one.receiver === name);
    const ratesOf = (name: string): number[] =>
      of(name).map(({ seconds }) => objects.sizeBytes / MEGABYTE / seconds);
    const bases = names.filter((name) => name.startsWith('storescp'));
    const byBase = Object.fromEntries(bases.map((name) => [name, ratesOf(name)]));
    for (const name of names) results.push(resultOf(of(name), objects, byBase));
  }
  return results;
}

async function startAll(folder: string, started: Receiver[]): Promise<void> {
  // One after the other, so that those before a failure can be stopped.
  started.push(await startStorescp(folder, false));
  started.push(await startStorescp(folder, true));
  started.push(await startOrthanc(folder));
  started.push(await startGateway(folder));
}

export async function runReceiveBench(options: ReceiveBenchOptions): Promise<ReceiveReport> {
  const { folder, rounds: count, objects: objectCount, say = () => undefined } = options;
  const objects = CtObjects.write(join(folder, 'objects'), objectCount);
  const receivers: Receiver[] = [];
  const rounds: ReceiveRound[] = [];
  try {
    await startAll(folder, receivers);
    for (let round = 0; round <= count; round += 1) {
      for (const associations of ASSOCIATIONS) {
        for (const receiver of receivers) {
          const one = await measure(receiver, objects, associations);
          const what = round === 0 ? 'warm-up' : `round ${round}`;
          say(`${what}: ${one.receiver}, ${associations}: ${one.seconds.toFixed(2)} s`);
          if (round > 0) rounds.push(one);
        }
      }
    }
  } finally {
    for (const receiver of receivers) await receiver.stop();
  }
  const facts = receivers.map((receiver) => receiver.facts);
  return {
    version: 1,
    bench: 'receive',
    machine: machineFacts(folder),
    settings: {
      objects: objects.count,
      objectBytes: Math.round(objects.sizeBytes / objects.count),
      rounds: count,
      pduBytes: PDU_BYTES,
      tcpNoDelay: true,
      sender: 'storescu',
    },
    receivers: facts,
    results: resultsOf(
      rounds,
      objects,
      facts.map(({ name }) => name),
    ),
    rounds,
  };
}
