/**
 * Attempt policy: what follows from a failed try.
 * Decides between another try and the end of the job, by code and count only, never by text.
 * Invariants: pure; a job ends after a bounded number of failures or at its deadline; a worker that
 * is away is not the job's failure. Source: reliability specification P4 (retry 2, then FAILED).
 */
import { AifiError, backoffMs, LIMITS, type ReasonCode } from '@aifi/shared-kernel';
import { WorkerRefusal } from './worker-client.js';

export interface FailedTry {
  readonly error: unknown;
  /** Failed tries before this one. */
  readonly attempts: number;
  /** Since the job was queued. @unit ms */
  readonly ageMs: number;
  /** @unit ms */
  readonly deadlineMs: number;
}
export type NextStep =
  | { readonly kind: 'retry'; readonly delayMs: number; readonly failed: boolean }
  | { readonly kind: 'conclude'; readonly code: ReasonCode };

/** Verdicts on the study itself: the same bytes give the same answer again. */
const FINAL: ReadonlySet<ReasonCode> = new Set([
  'INPUT_INCOMPLETE',
  'COVERAGE_INSUFFICIENT',
  'MALFORMED',
]);

export function nextStep({ error, attempts, ageMs, deadlineMs }: FailedTry): NextStep {
  const code = codeOf(error);
  if (code && FINAL.has(code)) return { kind: 'conclude', code };
  const tries = attempts + 1;
  if (code && tries >= LIMITS.inferenceAttemptsMax) return { kind: 'conclude', code };
  if (ageMs >= deadlineMs) return { kind: 'conclude', code: 'TIMEOUT' };
  return { kind: 'retry', delayMs: backoffMs(tries), failed: code !== undefined };
}

/** The code under which a failure would end the job; undefined when it is not the job's. */
function codeOf(error: unknown): ReasonCode | undefined {
  if (error instanceof WorkerRefusal) return error.code;
  const fault = AifiError.from(error);
  if (fault.code === 'PEER_UNAVAILABLE' || fault.code === 'OUT_OF_RESOURCES') return undefined;
  return fault.code === 'DEADLINE_EXCEEDED' ? 'TIMEOUT' : 'MODEL_FAILED';
}
