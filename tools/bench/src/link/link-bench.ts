/**
 * Bench: the link between gateway and hub, beside plain copies and two Orthancs, interleaved.
 * Decides what is measured: a CT study and a radiograph on loopback, and a few objects with 50 and
 * 200 ms of round trip added. The share of a plain copy with one fdatasync for each object is what
 * counts; ours includes digest, rename, sync of the folder and row.
 * Invariant: a figure counts only when every object is there, whole and with its row.
 * Source: performance specification "Per object and per link"; docs/adr/0020-bulk-transport.md.
 */
import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { AifiError } from '@aifi/shared-kernel';
import { machineFacts, type MachineFacts } from '../machine-facts.js';
import { processorMs } from '../process-tree.js';
import { ratioOf, spreadOf, type Spread } from '../statistics.js';
import { startDelayProxy } from './delay-proxy.js';
import { makeCertificates } from './link-certificates.js';
import { WAYS, type Way } from './link-messages.js';
import { LinkFiles } from './link-objects.js';
import { LinkReceiver, LinkSender } from './link-processes.js';
import { OrthancPeers } from './orthanc-peers.js';

const MEGABYTE = 1e6;
/** A CT slice of 512x512x16 bits, a radiograph (performance specification). @unit bytes */
const CT_BYTES = 525_000;
const RADIOGRAPH_BYTES = 15_000_000;
export const BASE: Way = 'copy with fsync';
export const OURS: Way = 'aifi-objects/1';
export const ORTHANC = 'Orthanc peers';
/** With a round trip, gRPC carries a megabyte a second: a few objects tell as much. */
const DELAYED_OBJECTS = 16;

export interface LinkBenchOptions {
  readonly folder: string;
  readonly rounds: number;
  readonly objects: number;
  /** @default 0, 50 and 200 */
  readonly roundTripsMs?: readonly number[];
  readonly say?: (line: string) => void;
}
interface Load {
  readonly name: string;
  readonly files: LinkFiles;
  readonly roundTripMs: number;
}
export interface LinkRound {
  readonly load: string;
  readonly way: string;
  readonly seconds: number;
  readonly receiverProcessorMs: number;
  readonly senderProcessorMs: number;
}
export interface LinkResult {
  readonly load: string;
  readonly way: string;
  readonly megabytesPerSecond: Spread;
  readonly receiverProcessorMsPerObject: Spread;
  readonly senderProcessorMsPerObject: Spread;
  /** Of the plain copy with fdatasync, round by round; absent where that was not measured. */
  readonly share: Spread;
}
export interface LinkReport {
  readonly version: 1;
  readonly bench: 'link';
  readonly machine: MachineFacts;
  readonly settings: { readonly objects: number; readonly rounds: number };
  readonly results: readonly LinkResult[];
  readonly rounds: readonly LinkRound[];
}

interface Parts {
  readonly receiver: LinkReceiver;
  readonly sender: LinkSender;
  readonly orthancs: OrthancPeers;
}

async function measureOurs({ receiver, sender }: Parts, load: Load, way: Way): Promise<LinkRound> {
  const objects = load.files.renew();
  const jobId = randomUUID().replaceAll('-', '');
  await receiver.open(jobId, objects);
  const proxy =
    load.roundTripMs > 0
      ? await startDelayProxy(receiver.ports[way], load.roundTripMs)
      : { port: receiver.ports[way], close: () => undefined };
  const before = [processorMs(receiver.pid), processorMs(sender.pid)] as const;
  const seconds = await sender.send({ way, port: proxy.port, jobId, objects });
  const receiverProcessorMs = processorMs(receiver.pid) - before[0];
  const senderProcessorMs = processorMs(sender.pid) - before[1];
  proxy.close();
  if ((await receiver.clear()) !== objects.length) {
    throw new AifiError('DIGEST_MISMATCH', `${way}: objects are missing`);
  }
  return { load: load.name, way, seconds, receiverProcessorMs, senderProcessorMs };
}

function resultsOf(rounds: readonly LinkRound[], loads: readonly Load[]): LinkResult[] {
  return loads.flatMap(({ name, files }) => {
    const of = (way: string): LinkRound[] =>
      rounds.filter((one) => one.load === name && one.way === way);
    const bytes = files.count * files.sizeBytes;
    const rates = (way: string): number[] => of(way).map((one) => bytes / MEGABYTE / one.seconds);
    const ways = [...WAYS, ORTHANC].filter((way) => of(way).length > 0);
    return ways.map((way) => ({
      ...{ load: name, way, megabytesPerSecond: spreadOf(rates(way)) },
      receiverProcessorMsPerObject: spreadOf(
        of(way).map((one) => one.receiverProcessorMs / files.count),
      ),
      senderProcessorMsPerObject: spreadOf(
        of(way).map((one) => one.senderProcessorMs / files.count),
      ),
      share: ratioOf(rates(way), rates(BASE)),
    }));
  });
}

function loadsOf(options: LinkBenchOptions): Load[] {
  const { folder, objects, roundTripsMs = [0, 50, 200] } = options;
  const ct = new LinkFiles(join(folder, 'ct'), objects, CT_BYTES);
  const few = new LinkFiles(join(folder, 'few'), Math.min(objects, DELAYED_OBJECTS), CT_BYTES);
  const radiograph = new LinkFiles(join(folder, 'radiograph'), 1, RADIOGRAPH_BYTES);
  return roundTripsMs.flatMap((roundTripMs) =>
    roundTripMs === 0
      ? [
          { name: `CT ${ct.count}`, files: ct, roundTripMs },
          { name: 'radiograph', files: radiograph, roundTripMs },
        ]
      : [{ name: `CT ${few.count}, ${roundTripMs} ms`, files: few, roundTripMs }],
  );
}

async function measureAll(
  parts: Parts,
  loads: readonly Load[],
  { rounds: count, say = () => undefined }: LinkBenchOptions,
): Promise<LinkRound[]> {
  const rounds: LinkRound[] = [];
  for (let round = 0; round <= count; round += 1) {
    for (const load of loads) {
      const ones = [];
      for (const way of WAYS) ones.push(await measureOurs(parts, load, way));
      if (load.roundTripMs === 0) {
        ones.push({ load: load.name, way: ORTHANC, ...(await parts.orthancs.measure(load.files)) });
      }
      const what = round === 0 ? 'warm-up' : `round ${round}`;
      const times = ones.map((one) => `${one.way} ${one.seconds.toFixed(2)} s`);
      say(`${what}: ${load.name}: ${times.join(', ')}`);
      if (round > 0) rounds.push(...ones);
    }
  }
  return rounds;
}

export async function runLinkBench(options: LinkBenchOptions): Promise<LinkReport> {
  const { folder } = options;
  const certificates = join(folder, 'certificates');
  mkdirSync(certificates, { recursive: true, mode: 0o700 });
  makeCertificates(certificates);
  const loads = loadsOf(options);
  const receiver = await LinkReceiver.start(folder, certificates);
  try {
    const sender = await LinkSender.start(certificates);
    const orthancs = await OrthancPeers.start(folder);
    try {
      const rounds = await measureAll({ receiver, sender, orthancs }, loads, options);
      return {
        ...{ version: 1, bench: 'link', machine: machineFacts(folder) },
        settings: { objects: options.objects, rounds: options.rounds },
        results: resultsOf(rounds, loads),
        rounds,
      };
    } finally {
      await orthancs.stop();
      await sender.stop();
    }
  } finally {
    await receiver.stop();
  }
}
