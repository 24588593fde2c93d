/**
 * Memory bench: a 4 GB multi-frame and a study of 5,000 instances through a running platform.
 * Decides what is proven: every process of the gateway stays under 512 MiB resident at its peak,
 * from the first byte to the end of the study; the others are measured and shown.
 * Invariants: nothing of the objects is held by the sender; what is made is removed.
 * Source: reliability specification 2 ("Back-pressure") and 3 (memory pressure).
 */
import { aeTitles, Stack, type Hospital } from '@aifi/demo';
import { systemClock } from '@aifi/shared-kernel';
import { manyInstances, MR_IMAGE_STORAGE, multiFrame, type LargeStudy } from './large-studies.js';
import { ProcessMemory, type PeakMemory } from './process-memory.js';
import { RawStoreSender, type SenderOptions } from './raw-store-sender.js';

/** Resident memory of one gateway process. @unit bytes */
export const RESIDENT_BYTES_MAX = 512 * 1024 ** 2;
const SITE = 'site-a';
const POLL_MS = 1_000;

export interface MemoryBenchOptions {
  readonly instances?: number;
  /** Of 8 MB each. */
  readonly frames?: number;
  /** Longest wait for the end of a study after it was sent. @unit ms */
  readonly deadlineMs?: number;
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly say?: (line: string) => void;
}
export interface StudyMemory {
  readonly study: string;
  readonly instances: number;
  readonly bytes: number;
  /** Objects that were answered with Success. */
  readonly accepted: number;
  readonly sentMs: number;
  /** From the last answer to the end of every product. @unit ms */
  readonly endedMs: number;
  /** `product: state (code)`. */
  readonly products: readonly string[];
  /** Every object was taken, and a product ended as it must. */
  readonly isWhole: boolean;
  readonly peaks: readonly PeakMemory[];
}
export interface MemoryReport {
  readonly residentBytesMax: number;
  readonly studies: readonly StudyMemory[];
  /** Processes of the gateway that were over the limit; none: proven. */
  readonly over: readonly PeakMemory[];
  readonly isMet: boolean;
}

/** One stack for each study, so that a mark belongs to one study. */
export async function runMemoryBench(options: MemoryBenchOptions = {}): Promise<MemoryReport> {
  const { instances = 5_000, frames = 500 } = options;
  const runId = String(systemClock.nowMs());
  const studies: StudyMemory[] = [];
  for (const study of [manyInstances(runId, instances), multiFrame(runId, frames)]) {
    studies.push(await measure(study, options));
  }
  const over = studies
    .flatMap(({ peaks }) => peaks)
    .filter(({ root, peakBytes }) => root.startsWith('gateway') && peakBytes > RESIDENT_BYTES_MAX);
  const isWhole = studies.every((one) => one.isWhole);
  return {
    ...{ residentBytesMax: RESIDENT_BYTES_MAX, studies, over },
    isMet: isWhole && over.length === 0,
  };
}

const isEnded = (products: readonly string[]): boolean =>
  products.length > 0 && products.every((one) => /: (RESULT_IN_PACS|NOT_)/.test(one));

async function measure(study: LargeStudy, options: MemoryBenchOptions): Promise<StudyMemory> {
  const { environment = {}, say, deadlineMs = 1_800_000 } = options;
  const stack = await Stack.start({ siteIds: [SITE], environment, ...(say && { say }) });
  const memory = new ProcessMemory(() => rootsOf(stack));
  try {
    const [hospital] = stack.parts.hospitals;
    const startedMs = systemClock.monotonicMs();
    say?.(`sending ${study.name}: ${study.instanceCount} objects, ${study.bytes} bytes ...`);
    // A result goes to a PACS that has the study; one object of it is enough for that.
    await send(study, pacsOf(hospital!), 1);
    const accepted = await send(study, gatewayOf(hospital!));
    const sentMs = systemClock.monotonicMs() - startedMs;
    say?.(`${accepted} taken in ${Math.round(sentMs)} ms; waiting for its end ...`);
    const products = await untilEnded(study, hospital!, deadlineMs);
    const endedMs = systemClock.monotonicMs() - startedMs - sentMs;
    const { name, instanceCount, bytes, expected } = study;
    const isExpected = products.some((one) => one.endsWith(`: ${expected}`));
    return {
      ...{ study: name, instances: instanceCount, bytes, accepted, sentMs, endedMs, products },
      isWhole: accepted === instanceCount && isEnded(products) && isExpected,
      peaks: memory.peaks(),
    };
  } finally {
    await memory.stop();
    await stack.stop();
  }
}

function rootsOf(stack: Stack): Map<number, string> {
  return new Map(
    stack.processes.flatMap(({ pid, name }) => (pid === undefined ? [] : [[pid, name] as const])),
  );
}

type Peer = Pick<SenderOptions, 'port' | 'calledAeTitle' | 'callingAeTitle'>;
function gatewayOf({ siteId, ports }: Hospital): Peer {
  const { gateway, pacs } = aeTitles(siteId);
  return { port: ports.gatewayDicom, calledAeTitle: gateway, callingAeTitle: pacs };
}
function pacsOf({ siteId, ports }: Hospital): Peer {
  const { gateway, pacs } = aeTitles(siteId);
  return { port: ports.pacsDicom, calledAeTitle: pacs, callingAeTitle: gateway };
}

/** The last `count` objects of the study; how many were answered with Success. */
async function send(study: LargeStudy, peer: Peer, count = study.instanceCount): Promise<number> {
  const sender = await RawStoreSender.open({
    ...peer,
    ...{ host: '127.0.0.1', sopClassUid: MR_IMAGE_STORAGE },
  });
  let accepted = 0;
  for (const object of study.objects(study.instanceCount - count)) {
    if ((await sender.store(object)) === 0) accepted += 1;
  }
  await sender.close();
  return accepted;
}

/** The products of the study, when all have ended or the deadline has passed. */
async function untilEnded(
  { studyInstanceUid }: LargeStudy,
  { gateway }: Hospital,
  deadlineMs: number,
): Promise<string[]> {
  const until = systemClock.monotonicMs() + deadlineMs;
  for (;;) {
    const found = (await gateway.studies())?.find(
      (one) => one.studyInstanceUid === studyInstanceUid,
    );
    const products = (found?.products ?? []).map(
      ({ product, state, code }) => `${product}: ${state}${code ? ` (${code})` : ''}`,
    );
    if (isEnded(products) || systemClock.monotonicMs() > until) return products;
    await systemClock.sleep(POLL_MS);
  }
}
