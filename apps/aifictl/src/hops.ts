/**
 * Hops: the journal of the gateway and the job of the hub as one list, in the order of the data.
 * Decides the order by stage, never by two clocks: out through the gateway, the hub, back through
 * the gateway. Invariant: each line has its own time, and digests short enough to compare by eye.
 * Source: architecture 2; conventions "order by sequence number, never by wall clock".
 */
import type { GatewayHop, HubJob } from '@aifi/contracts-rest';
import { GATEWAY_STAGES } from '@aifi/shared-kernel';
import { faultWords } from './fault-words.js';
import { count, shortDigest, size, type Times } from './plain-values.js';

/** One line of a trace. */
export interface Hop {
  readonly atMs: number;
  readonly where: 'gateway' | 'hub';
  readonly stage: string;
  readonly words: string;
}

const OUTWARD: ReadonlySet<string> = new Set(
  GATEWAY_STAGES.slice(0, GATEWAY_STAGES.indexOf('uplink') + 1),
);

/** Hops of one job, or of the study itself when `hub` is undefined. */
export function hopsOf(
  journal: readonly GatewayHop[],
  hub: HubJob | undefined,
  times: Times,
): Hop[] {
  const own = journal.map(gatewayHop);
  return [
    ...own.filter(({ stage }) => OUTWARD.has(stage)),
    ...(hub ? hubHops(hub, times) : []),
    ...own.filter(({ stage }) => !OUTWARD.has(stage)),
  ];
}

function gatewayHop({ atMs, stage, event, detail }: GatewayHop): Hop {
  // The state is told at the end; here it would only repeat the event.
  const facts = Object.entries(detail).filter(([key]) => key !== 'state');
  const words = [event, ...facts.map(([key, value]) => `${spaced(key)} ${plain(key, value)}`)];
  return { atMs, where: 'gateway', stage, words: words.join(', ') };
}

/** `manifestSha256` as `manifest sha256`. */
const spaced = (key: string): string =>
  key.replace(/([a-z])([A-Z])/g, (_, a: string, b: string) => `${a} ${b.toLowerCase()}`);

function plain(key: string, value: string | number | boolean): string {
  if (typeof value === 'string' && /^[0-9a-f]{64}$/.test(value)) return shortDigest(value);
  return key.endsWith('Bytes') ? size(Number(value)) : String(value);
}

function* hubHops(job: HubJob, times: Times): Generator<Hop> {
  const hop = (stage: string, atMs: number | null, words: string): Hop[] =>
    atMs === null ? [] : [{ atMs, where: 'hub', stage, words }];
  const { objects, times: at, queue, inference } = job;
  const declared = `${count(objects.declared, 'object')}, ${size(objects.bytes)}`;
  const manifest = `manifest sha256 ${shortDigest(job.manifestSha256)}`;
  yield* hop('ingest', at.openedAtMs, `opened, ${declared}, ${manifest}`);
  const held = `${objects.held} of ${count(objects.declared, 'object')}`;
  yield* hop('ingest', at.storedAtMs, `stored, holds ${held}`);
  yield* hop('route', at.queuedAtMs, 'allowed and queued');
  if (inference) {
    const { leaseEpoch, startedAtMs, finishedAtMs } = inference;
    const words = [
      `inferred at claim ${leaseEpoch}`,
      `worker ${times.exact(startedAtMs)} to ${times.exact(finishedAtMs)}`,
      `input sha256 ${shortDigest(inference.inputDigest)}`,
      `output sha256 ${shortDigest(inference.outputSha256)}`,
      `model ${shortDigest(inference.modelDigest)}`,
    ];
    yield* hop('infer', at.inferredAtMs, words.join(', '));
  }
  yield* concluded(job, hop);
  if (queue?.lastFault && job.state !== 'ACKNOWLEDGED') {
    const words = `${count(queue.leaseEpoch, 'claim')}, last fault ${faultWords(queue.lastFault)}`;
    yield* hop(inference ? 'results' : 'infer', queue.nextAttemptAtMs, `next attempt, ${words}`);
  }
}

function* concluded(
  { queue, inference, outcomes, code }: HubJob,
  hop: (stage: string, atMs: number | null, words: string) => Hop[],
): Generator<Hop> {
  // Who has ended the job: the last stage that had it.
  const stage = inference ? 'results' : queue ? 'infer' : 'route';
  for (const { sequence, createdAtMs, acknowledgedAtMs, objects } of outcomes) {
    const claims = queue && !inference ? ` after ${count(queue.leaseEpoch, 'claim')}` : '';
    const digests = objects.map(({ sha256 }) => shortDigest(sha256)).join(' ');
    const what = code
      ? `concluded without a result${claims}: ${faultWords(code)}`
      : `concluded, ${count(objects.length, 'object')} ${digests}`;
    yield* hop(stage, createdAtMs, `${what}, outcome ${sequence}`);
    yield* hop('downlink', acknowledgedAtMs, `outcome ${sequence} acknowledged by the gateway`);
  }
}
