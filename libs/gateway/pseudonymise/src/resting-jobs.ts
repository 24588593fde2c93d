/**
 * RestingJobs: jobs that failed a moment ago.
 * Decides how long one that failed is left alone: a second, then twice as long each time, up to
 * ten, so that jobs which fail each time cannot fill every batch. Only in memory: after a start
 * everything is tried again.
 */
import type { Clock, JobId } from '@aifi/shared-kernel';

/** @unit ms */
const FIRST_MS = 1_000;
const LONGEST_MS = 10_000;

export class RestingJobs {
  readonly #resting = new Map<JobId, { readonly untilMs: number; readonly restMs: number }>();

  constructor(private readonly clock: Pick<Clock, 'monotonicMs'>) {}

  failed(jobId: JobId): void {
    const before = this.#resting.get(jobId)?.restMs;
    const restMs = before === undefined ? FIRST_MS : Math.min(LONGEST_MS, 2 * before);
    this.#resting.set(jobId, { restMs, untilMs: this.clock.monotonicMs() + restMs });
  }
  done(jobId: JobId): void {
    this.#resting.delete(jobId);
  }
  now(): JobId[] {
    const nowMs = this.clock.monotonicMs();
    return [...this.#resting].flatMap(([jobId, { untilMs }]) => (untilMs > nowMs ? [jobId] : []));
  }
}
