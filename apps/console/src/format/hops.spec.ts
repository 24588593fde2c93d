/**
 * Goal: a trace reads in the order of the data, and every number in it is one of the answer.
 * Method: jobs of the hub in each state, and a journal whose clock went back.
 */
import { describe, expect, it } from '@jest/globals';
import type { GatewayHop, HubJob } from '@aifi/contracts-rest';
import { gatewayHops, hubHops } from './hops.js';

const DIGEST = 'd'.repeat(64);
const OPEN: HubJob = {
  ...{ siteId: 'noord', jobId: 'a'.repeat(32), product: 'bone-age', version: '1.0.0' },
  ...{ modelDigest: DIGEST, lane: 'routine', revision: 1, state: 'OPEN', code: null },
  ...{ manifestSha256: DIGEST, objects: { declared: 2, held: 1, bytes: 10 } },
  times: {
    ...{ openedAtMs: 1_000, storedAtMs: null, queuedAtMs: null, inferredAtMs: null },
    ...{ concludedAtMs: null, acknowledgedAtMs: null },
  },
  ...{ queue: null, inference: null, outcomes: [] },
};
const QUEUE = {
  ...{ state: 'QUEUED', leaseEpoch: 3, attempts: 2, leaseUntilMs: null },
  ...{ nextAttemptAtMs: 9_000, lastFault: 'MODEL_FAILED' },
};
const DONE: HubJob = {
  ...OPEN,
  state: 'ACKNOWLEDGED',
  times: {
    ...{ openedAtMs: 1_000, storedAtMs: 1_400, queuedAtMs: 1_500, inferredAtMs: 4_000 },
    ...{ concludedAtMs: 4_500, acknowledgedAtMs: 6_000 },
  },
  queue: { ...QUEUE, state: 'DONE' },
  inference: {
    ...{ modelDigest: DIGEST, inputDigest: DIGEST, outputSha256: DIGEST, outputBytes: 9 },
    ...{ leaseEpoch: 2, startedAtMs: 2_000, finishedAtMs: 3_900 },
  },
  outcomes: [
    {
      ...{ issue: 0, sequence: 7, createdAtMs: 4_500, acknowledgedAtMs: 6_000 },
      objects: [{ index: 0, sha256: DIGEST, bytes: 9 }],
    },
  ],
};
const read = (hops: readonly { stage: string; event: string; sinceMs: number | null }[]) =>
  hops.map(({ stage, event, sinceMs }) => [`${stage} ${event}`, sinceMs]);

describe(hubHops.name, () => {
  it('shows one hop of a job that has just come in', () => {
    expect(read(hubHops(OPEN))).toEqual([['ingest opened', null]]);
  });
  it('shows every hop of a job that was fetched, with the time since the one before', () => {
    expect(read(hubHops(DONE))).toEqual([
      ['ingest opened', null],
      ['ingest stored', 400],
      ['route queued', 100],
      ['infer inferred', 2_500],
      ['results concluded', 500],
      ['downlink acknowledged', 1_500],
    ]);
  });
  it('keeps digests, claims and failed tries with the hop that they belong to', () => {
    const inferred = hubHops(DONE).find(({ event }) => event === 'inferred');
    expect(inferred?.facts.map(({ name }) => name)).toEqual([
      ...['claims', 'attempts', 'workerTime', 'inputDigest', 'outputSha256', 'outputBytes'],
      'modelDigest',
    ]);
  });
  it('shows the next attempt as still to come, with its fault', () => {
    const hops = hubHops({ ...OPEN, state: 'QUEUED', queue: QUEUE });
    expect(hops.at(-1)).toMatchObject({
      ...{ stage: 'infer', event: 'retry', isNext: true, sinceMs: null, tone: 'bad' },
    });
    expect(hops.at(-1)?.facts).toContainEqual({
      ...{ name: 'lastFault', kind: 'code', value: 'MODEL_FAILED' },
    });
  });
  it('promises no next attempt once a job is concluded', () => {
    const concluded = hubHops({ ...DONE, state: 'CONCLUDED' });
    expect(concluded.some(({ isNext }) => isNext)).toBe(false);
  });
  it('names the stage that ended a job without a result', () => {
    const outcomes = DONE.outcomes.map((one) => ({ ...one, objects: [] }));
    const ended = { ...DONE, code: 'MODEL_FAILED', inference: null, outcomes };
    expect(hubHops(ended).find(({ event }) => event === 'concluded')).toMatchObject({
      ...{ stage: 'infer', tone: 'warn' },
    });
    expect(
      hubHops({ ...ended, queue: null }).find(({ event }) => event === 'concluded')?.stage,
    ).toBe('route');
  });
});

describe(gatewayHops.name, () => {
  const hop = (event: string, atMs: number, detail: GatewayHop['detail'] = {}): GatewayHop => ({
    ...{ stage: 'deliver', event, jobId: null, atMs, detail },
  });
  it('keeps the order of the journal, whatever the clock did', () => {
    const hops = gatewayHops([hop('received', 5_000), hop('closed', 4_000), hop('late', 4_500)]);
    expect(hops.map(({ event, sinceMs }) => [event, sinceMs])).toEqual([
      ['received', null],
      ['closed', 0],
      ['late', 500],
    ]);
  });
  it('knows digests, sizes, codes and counts, and leaves out what only repeats', () => {
    const detail = {
      ...{ manifestSha256: DIGEST, sizeBytes: 10, code: 'TIMEOUT', objects: 2 },
      ...{ state: 'SPOOLED', conflict: false, outcome: 'result' },
    };
    const facts = gatewayHops([hop('spooled', 1, detail)])[0]?.facts;
    expect(facts?.map(({ name, kind }) => [name, kind])).toEqual([
      ['manifestSha256', 'digest'],
      ['sizeBytes', 'size'],
      ['code', 'code'],
      ['objects', 'number'],
      ['outcome', 'text'],
    ]);
  });
  it('marks what needs a person and what ended well', () => {
    const tones = gatewayHops([
      ...[hop('quarantined', 1), hop('not-analysed', 2), hop('delivered', 3), hop('spooled', 4)],
    ]).map(({ tone }) => tone);
    expect(tones).toEqual(['bad', 'warn', 'ok', 'quiet']);
  });
});
