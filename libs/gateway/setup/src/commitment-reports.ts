/**
 * CommitmentReports: whose report of storage commitment the set-up waits for.
 * Decides that a report of a transaction of ours ends its wait and goes no further; every other one
 * is the delivery's. Invariant: nothing is kept of a transaction that nobody waits for.
 * Source: PS3.4 J.3.3 (the report may come on an association of the PACS).
 */
import type { CommitmentReport } from '@aifi/dicom-dimse';

export class CommitmentReports {
  readonly #waiting = new Map<string, (report: CommitmentReport) => void>();

  /** True when it was ours. */
  take(report: CommitmentReport): boolean {
    const waiting = this.#waiting.get(report.transactionUid);
    waiting?.(report);
    return waiting !== undefined;
  }

  /** `came` resolves with the report; `end` must be called. */
  expect(transactionUid: string): {
    readonly came: Promise<CommitmentReport>;
    readonly end: () => void;
  } {
    const { promise, resolve } = Promise.withResolvers<CommitmentReport>();
    this.#waiting.set(transactionUid, resolve);
    return { came: promise, end: () => void this.#waiting.delete(transactionUid) };
  }
}
