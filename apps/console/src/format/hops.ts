/**
 * Hops: one job of the hub, or the journal of a gateway, as a list that a person reads downwards.
 * Decides order, waiting time since the hop before, and which facts stand with which hop.
 * Invariants: order is that of the data, never of two clocks; every number is one of the answer.
 * Source: architecture 2; libs/contracts/rest (hub-job, study-trace).
 */
import type { GatewayHop, HubJob } from '@aifi/contracts-rest';

export type Tone = 'ok' | 'busy' | 'warn' | 'bad' | 'quiet';
export type FactKind = 'text' | 'number' | 'size' | 'digest' | 'time' | 'code' | 'span';
export interface Fact {
  /** Key of the dictionary's facts. */
  readonly name: string;
  readonly kind: FactKind;
  readonly value: string | number;
  /** End of a span of time. @unit ms */
  readonly untilMs?: number;
}
export interface Hop {
  readonly key: string;
  readonly stage: string;
  /** Key of the dictionary's events. */
  readonly event: string;
  readonly atMs: number;
  /** Since the hop before; null for the first one and for what is still to come. @unit ms */
  readonly sinceMs: number | null;
  readonly tone: Tone;
  readonly isNext: boolean;
  readonly facts: readonly Fact[];
}
type Draft = Omit<Hop, 'key' | 'sinceMs' | 'isNext'> & { readonly isNext?: boolean };

const digest = (name: string, value: string): Fact => ({ name, kind: 'digest', value });
const number = (name: string, value: number): Fact => ({ name, kind: 'number', value });
const size = (name: string, value: number): Fact => ({ name, kind: 'size', value });
const code = (name: string, value: string): Fact => ({ name, kind: 'code', value });

/** Hops of one job at the hub. */
export function hubHops(job: HubJob): Hop[] {
  const drafts = [...arrival(job), ...inference(job), ...conclusion(job), ...nextTry(job)];
  return numbered(drafts);
}

function arrival({ times, objects, manifestSha256 }: HubJob): Draft[] {
  const opened: Draft = {
    ...{ stage: 'ingest', event: 'opened', atMs: times.openedAtMs, tone: 'quiet' },
    facts: [
      number('objects', objects.declared),
      size('bytes', objects.bytes),
      digest('manifestSha256', manifestSha256),
    ],
  };
  const held = [number('held', objects.held)];
  return [
    opened,
    ...at(times.storedAtMs, { stage: 'ingest', event: 'stored', tone: 'quiet', facts: held }),
    ...at(times.queuedAtMs, { stage: 'route', event: 'queued', tone: 'quiet', facts: [] }),
  ];
}

function inference({ times, inference: done, queue }: HubJob): Draft[] {
  if (!done) return [];
  const { startedAtMs, finishedAtMs } = done;
  const facts: Fact[] = [
    number('claims', done.leaseEpoch),
    { name: 'workerTime', kind: 'span', value: startedAtMs, untilMs: finishedAtMs },
    digest('inputDigest', done.inputDigest),
    digest('outputSha256', done.outputSha256),
    size('outputBytes', done.outputBytes),
    digest('modelDigest', done.modelDigest),
  ];
  if (queue && queue.attempts > 0) facts.splice(1, 0, number('attempts', queue.attempts));
  const atMs = times.inferredAtMs ?? finishedAtMs;
  return [{ stage: 'infer', event: 'inferred', atMs, tone: 'quiet', facts }];
}

function conclusion({ outcomes, inference: done, queue, code: reason }: HubJob): Draft[] {
  // The last stage that had the job has ended it.
  const stage = done ? 'results' : queue ? 'infer' : 'route';
  return outcomes.flatMap(({ sequence, createdAtMs, acknowledgedAtMs, objects }) => {
    const facts: Fact[] = [
      ...(reason ? [code('code', reason)] : []),
      ...(queue && !done ? [number('claims', queue.leaseEpoch)] : []),
      number('sequence', sequence),
      ...objects.map(({ sha256 }) => digest('objectSha256', sha256)),
    ];
    const tone: Tone = reason ? 'warn' : 'ok';
    const fetched: Omit<Draft, 'atMs'> = {
      ...{ stage: 'downlink', event: 'acknowledged', tone: 'ok' },
      facts: [number('sequence', sequence)],
    };
    return [
      { stage, event: 'concluded', atMs: createdAtMs, tone, facts },
      ...at(acknowledgedAtMs, fetched),
    ];
  });
}

/** What is still to come: only while somebody works on it. */
function nextTry({ queue, inference: done, state }: HubJob): Draft[] {
  const isOver = state === 'CONCLUDED' || state === 'ACKNOWLEDGED';
  if (!queue?.lastFault || isOver) return [];
  const facts: Fact[] = [
    number('attempts', queue.attempts),
    number('claims', queue.leaseEpoch),
    code('lastFault', queue.lastFault),
  ];
  if (queue.leaseUntilMs !== null) {
    facts.push({ name: 'leaseUntil', kind: 'time', value: queue.leaseUntilMs });
  }
  const stage = done ? 'results' : 'infer';
  const atMs = queue.nextAttemptAtMs;
  return [{ stage, event: 'retry', atMs, tone: 'bad', isNext: true, facts }];
}

const at = (atMs: number | null, draft: Omit<Draft, 'atMs'>): Draft[] =>
  atMs === null ? [] : [{ ...draft, atMs }];

const BAD_EVENTS: ReadonlySet<string> = new Set(['quarantined', 'held', 'refused']);
const WARN_EVENTS: ReadonlySet<string> = new Set([
  ...['declined', 'not-analysed', 'overdue', 'late', 'rejected'],
]);
const OK_EVENTS: ReadonlySet<string> = new Set(['delivered', 'status-delivered']);

/** Hops of a gateway's journal, in its own order. */
export function gatewayHops(journal: readonly GatewayHop[]): Hop[] {
  return numbered(
    journal.map(({ stage, event, atMs, detail }) => ({
      ...{ stage, event, atMs, tone: toneOfEvent(event) },
      // The state repeats the event; the product is the heading above the hops.
      facts: Object.entries(detail)
        .filter(([name, value]) => name !== 'state' && value !== false)
        .map(([name, value]) => factOf(name, value)),
    })),
  );
}

function toneOfEvent(event: string): Tone {
  if (BAD_EVENTS.has(event)) return 'bad';
  if (WARN_EVENTS.has(event)) return 'warn';
  return OK_EVENTS.has(event) ? 'ok' : 'quiet';
}

function factOf(name: string, value: string | number | boolean): Fact {
  if (typeof value === 'string' && /^[0-9a-f]{64}$/.test(value)) return digest(name, value);
  if (name === 'code' || name === 'lastFault') return code(name, String(value));
  if (typeof value !== 'number') return { name, kind: 'text', value: String(value) };
  if (/bytes$/i.test(name)) return size(name, value);
  return name.endsWith('Ms') ? { name, kind: 'time', value } : number(name, value);
}

function numbered(drafts: readonly Draft[]): Hop[] {
  return drafts.map((draft, index) => {
    const before = drafts[index - 1];
    const isNext = draft.isNext ?? false;
    const sinceMs = before && !isNext ? Math.max(0, draft.atMs - before.atMs) : null;
    return { ...draft, isNext, sinceMs, key: `${index}-${draft.stage}-${draft.event}` };
  });
}
