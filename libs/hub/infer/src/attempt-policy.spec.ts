/**
 * Goal: every failure of a try leads to one next step, bounded in number and time.
 * Method: failures of each kind at each count.
 */
import { describe, expect, it } from '@jest/globals';
import { AifiError, LIMITS } from '@aifi/shared-kernel';
import { nextStep, type FailedTry } from './attempt-policy.js';
import { WorkerRefusal } from './worker-client.js';

const failed = (error: unknown, change: Partial<FailedTry> = {}): FailedTry => ({
  error,
  attempts: 0,
  ageMs: 0,
  deadlineMs: 1_000,
  ...change,
});
const last = { attempts: LIMITS.inferenceAttemptsMax - 1 };

describe(nextStep.name, () => {
  it('ends at once what the same bytes would give again', () => {
    for (const code of ['INPUT_INCOMPLETE', 'COVERAGE_INSUFFICIENT', 'MALFORMED'] as const) {
      expect(nextStep(failed(new WorkerRefusal(code)))).toEqual({ kind: 'conclude', code });
    }
  });

  it('tries a crash again until the attempts are used, then ends with MODEL_FAILED', () => {
    const crash = new AifiError('MODEL_FAILED', 'broke off');
    expect(nextStep(failed(crash))).toMatchObject({ kind: 'retry', failed: true });
    expect(nextStep(failed(crash, last))).toEqual({ kind: 'conclude', code: 'MODEL_FAILED' });
  });

  it('ends with the code that the worker gave', () => {
    const refusal = new WorkerRefusal('OUTPUT_INVALID');
    expect(nextStep(failed(refusal, last))).toEqual({ kind: 'conclude', code: 'OUTPUT_INVALID' });
  });

  it('calls a worker that is too slow a TIMEOUT', () => {
    const slow = new AifiError('DEADLINE_EXCEEDED', 'too slow');
    expect(nextStep(failed(slow, last))).toEqual({ kind: 'conclude', code: 'TIMEOUT' });
  });

  it('does not count a worker that is away, and ends at the deadline', () => {
    const away = new AifiError('PEER_UNAVAILABLE', 'away');
    expect(nextStep(failed(away, { attempts: 99 }))).toMatchObject({
      kind: 'retry',
      failed: false,
    });
    expect(nextStep(failed(away, { ageMs: 1_000 }))).toEqual({ kind: 'conclude', code: 'TIMEOUT' });
  });
});
