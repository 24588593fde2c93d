/**
 * Goal: acute before routine at every moment, never more than four streams, nobody forgotten.
 * Method: single decisions, then random states of which each decision must keep the rules.
 */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  batchLength,
  decideUploads,
  ROUTINE_STREAMS_MAX,
  STREAMS_MAX,
  type RunningJob,
  type WaitingJob,
} from './upload-schedule.js';

const NOW = 1_000;
const ALL = Number.POSITIVE_INFINITY;
const waits = (jobId: string, change: Partial<WaitingJob> = {}): WaitingJob => ({
  ...{ jobId, lane: 'routine', order: Number(jobId.slice(1)), deadlineMs: NOW + 1 },
  ...change,
});
const runs = (jobId: string, change: Partial<RunningJob> = {}): RunningJob => ({
  ...{ ...waits(jobId), streams: 0, hasMore: true, isEnding: false },
  ...change,
});
const decide = (
  waiting: readonly WaitingJob[],
  running: readonly RunningJob[] = [],
  callsMax = ALL,
): ReturnType<typeof decideUploads> => decideUploads({ waiting, running, callsMax, nowMs: NOW });

describe(decideUploads.name, () => {
  it('opens in the order of arrival and leaves one place to acute', () => {
    const waiting = ['r5', 'r2', 'r9', 'r1'].map((jobId) => waits(jobId));
    expect(decide(waiting).open).toEqual(['r1', 'r2', 'r5']);
  });

  it('opens acute first, and no routine beside it', () => {
    const waiting = [waits('r1'), waits('a9', { lane: 'acute' }), waits('a3', { lane: 'acute' })];
    expect(decide(waiting).open).toEqual(['a3', 'a9']);
  });

  it('gives a job that is alone all streams of its lane', () => {
    expect(decide([], [runs('r1')]).stream).toEqual(['r1', 'r1', 'r1']);
    expect(decide([], [runs('a1', { lane: 'acute' })]).stream).toHaveLength(STREAMS_MAX);
  });

  it('gives each job one stream before the first gets more', () => {
    expect(decide([], [runs('r1'), runs('r2')]).stream).toEqual(['r1', 'r2', 'r1']);
  });

  it('begins no routine stream while acute has bytes to send', () => {
    const running = [runs('r1'), runs('a2', { lane: 'acute', hasMore: false, streams: 1 })];
    expect(decide([], running).stream).toEqual([]);
  });

  it('puts back the youngest routine jobs for acute ones that find no place', () => {
    const running = ['r1', 'r2', 'r3'].map((jobId) => runs(jobId, { streams: 1 }));
    const acute = ['a4', 'a5'].map((jobId) => waits(jobId, { lane: 'acute' }));
    const first = decide(acute, running);
    expect(first).toMatchObject({ open: ['a4'], putBack: ['r3'] });
    const ending = running.map((job) => ({ ...job, isEnding: job.jobId === 'r3' }));
    const opened = runs('a4', { lane: 'acute', streams: 1 });
    expect(decide(acute.slice(1), [...ending, opened]).putBack).toEqual([]);
  });

  it('sends nothing whose deadline has passed, and stops what is under way', () => {
    const late = { deadlineMs: NOW };
    const decision = decide([waits('r1', late)], [runs('r2', { ...late, streams: 1 })]);
    expect(decision).toEqual({ open: [], stream: [], putBack: ['r2'] });
  });

  it('asks a hub that failed one thing at a time, and nothing before its time', () => {
    const waiting = [waits('a1', { lane: 'acute' }), waits('a2', { lane: 'acute' })];
    expect(decide(waiting, [], 1).open).toEqual(['a1']);
    expect(decide(waiting, [runs('a3', { lane: 'acute' })], 1)).toMatchObject({
      ...{ open: [], stream: ['a3'], putBack: [] },
    });
    expect(decide(waiting, [runs('a3')], 0)).toEqual({ open: [], stream: [], putBack: [] });
  });

  it('keeps its rules in every state', () => {
    const job = fc.record({
      lane: fc.constantFrom('acute' as const, 'routine' as const),
      deadlineMs: fc.constantFrom(NOW - 1, NOW + 1),
    });
    const running = fc.array(
      fc.record({
        ...{ job, hasMore: fc.boolean(), isEnding: fc.boolean() },
        streams: fc.nat({ max: 1 }),
      }),
      { maxLength: STREAMS_MAX },
    );
    const property = fc.property(
      fc.array(job, { maxLength: 8 }),
      running,
      fc.constantFrom(0, 1, ALL),
      (jobs, under, callsMax) => {
        const input = {
          waiting: jobs.map((change, index) => waits(`w${index}`, change)),
          running: under.map(({ job: change, ...rest }, index) =>
            runs(`x${index + 100}`, { ...change, ...rest }),
          ),
          ...{ callsMax, nowMs: NOW },
        };
        const { open, stream, putBack } = decideUploads(input);
        const byId = new Map([...input.waiting, ...input.running].map((one) => [one.jobId, one]));
        const laneOf = (jobId: string): string => byId.get(jobId)!.lane;
        const used = input.running.reduce((sum, one) => sum + one.streams, 0);
        expect(used + stream.length).toBeLessThanOrEqual(Math.max(used, STREAMS_MAX));
        expect(input.running.length + open.length).toBeLessThanOrEqual(
          Math.max(input.running.length, STREAMS_MAX),
        );
        const routine = input.running.filter((one) => one.lane === 'routine').length;
        const opened = open.filter((jobId) => laneOf(jobId) === 'routine').length;
        expect(routine + opened).toBeLessThanOrEqual(Math.max(routine, ROUTINE_STREAMS_MAX));
        for (const jobId of [...open, ...stream]) {
          expect(byId.get(jobId)!.deadlineMs).toBeGreaterThan(NOW);
          expect(putBack).not.toContain(jobId);
        }
        if (callsMax === 0) expect([...open, ...stream]).toEqual([]);
        const isDue = (one: WaitingJob): boolean => one.lane === 'acute' && one.deadlineMs > NOW;
        if (input.waiting.some(isDue)) expect(open.map(laneOf)).not.toContain('routine');
      },
    );
    fc.assert(property, { numRuns: 2_000 });
  });
});

describe(batchLength.name, () => {
  const MIB = 1024 ** 2;
  it('shares what is left between the streams, in pieces of at most 64 MiB', () => {
    const slices = Array.from({ length: 600 }, () => ({ sizeBytes: MIB / 2 }));
    expect(batchLength(slices, 3)).toBe(128);
    expect(batchLength(slices.slice(0, 60), 3)).toBe(20);
    expect(batchLength(slices.slice(0, 6), 3)).toBe(6);
  });
  it('takes at least one object, however large, and none when there is none', () => {
    expect(batchLength([{ sizeBytes: 4096 * MIB }, { sizeBytes: 1 }], 3)).toBe(1);
    expect(batchLength([], 1)).toBe(0);
  });
});
