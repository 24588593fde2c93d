/**
 * BreakCount: how often the link broke under a job that the hub had begun to take.
 * Decides that a broken link postpones no job, so that the most urgent one goes first when it is
 * back; but that a job under which it breaks again and again, without anything of it being taken,
 * waits for itself: perhaps it is what breaks the link, and the others must pass.
 * Invariants: a hub that does not answer counts against no job; what is remembered is bounded, and
 * forgotten with the process. Source: reliability specification P2 (full jitter), H6.
 */
import { backoffMs } from '@aifi/shared-kernel';

/** Breaks in a row that are the link's own. */
const BREAKS_FREE = 2;
/** Jobs under way when links broke; one more forgets the oldest. */
const JOBS_MAX = 1_000;

/** What is asked of an upload that the link has ended. */
export interface BrokenUpload {
  readonly job: { readonly jobId: string };
  readonly wasAnswered: boolean;
  readonly hasProgress: boolean;
}

export class BreakCount {
  readonly #breaks = new Map<string, number>();

  /** How long the job waits beyond the link itself. @unit ms */
  waitMs(upload: BrokenUpload, random: () => number): number {
    const { jobId } = upload.job;
    if (!upload.wasAnswered) return 0;
    const breaks = upload.hasProgress ? 0 : (this.#breaks.get(jobId) ?? 0) + 1;
    this.forget(jobId);
    if (breaks === 0) return 0;
    this.#breaks.set(jobId, breaks);
    const [oldest] = this.#breaks.keys();
    if (this.#breaks.size > JOBS_MAX && oldest !== undefined) this.forget(oldest);
    return breaks <= BREAKS_FREE ? 0 : backoffMs(breaks - BREAKS_FREE, { random });
  }
  /** The hub has answered for it, whatever it said. */
  forget(jobId: string): void {
    this.#breaks.delete(jobId);
  }
}
