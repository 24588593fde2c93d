/**
 * Verification: is an object that the PACS accepted really there?
 * Decides who is believed: the report of a storage commitment where the PACS offers it, else an
 * IMAGE level C-FIND, looked at several times because some PACS index late. One transaction a row:
 * a row is the unit of sending again, so a report never speaks for an object that was sent anew.
 * Invariants: an object that is lost is found to be within 15 minutes and is sent again a bounded
 * number of times; a report changes only the row that waits for it, and only once.
 * Source: reliability specification P6 (storage commitment, 24 h, then C-FIND); PS3.4 J.3.
 */
import { randomBytes } from 'node:crypto';
import { PeerStatus, peerFaultOf, type CommitmentReport } from '@aifi/dicom-dimse';
import type { GatewayDatabase } from '@aifi/gateway-database';
import { AifiError, crashPoint, uidFromBytes, type Clock } from '@aifi/shared-kernel';
import type { Logger } from '@aifi/shared-observability';
import type { CommitmentConfig } from './deliver.config.js';
import { rowOfCommitment, type DeliveryRow } from './delivery-row.js';
import type { DeliveryStore, JobEnd } from './delivery.store.js';
import type { PacsPeer } from './pacs-peer.js';
import { lookDelayMs, retryDelayMs, type RetryCause } from './retry-policy.js';

/** Requests that nothing is heard of before the PACS is asked by C-FIND instead. */
const REQUESTS_MAX = 3;
/** Without a word on the request, which may not have left, it is made anew. @unit ms */
const REQUEST_RETRY_MS = 120_000;
/** The next status of a study waits for the one before: no report keeps it longer. @unit ms */
const STATUS_REPORT_MAX_MS = 600_000;
/** A lane's deadline is not missed for want of a report. @unit ms */
const DEADLINE_MARGIN_MS = 60_000;

/** Failure Reason (0008,1197), PS3.4 J.3.3: for these the object is sent again. */
const AGAIN: ReadonlyMap<number, RetryCause> = new Map([
  [0x0110, 'processing-failure'],
  [0x0112, 'lost'],
  [0x0213, 'out-of-resources'],
]);

export interface VerificationDependencies {
  readonly database: GatewayDatabase;
  readonly store: DeliveryStore;
  readonly pacs: PacsPeer;
  readonly commitment?: CommitmentConfig | undefined;
  readonly deadlines?: LaneDeadlines | undefined;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  /** Called after the commit that ended a job. */
  readonly onEnd: (row: DeliveryRow, end: JobEnd) => void;
}
/** Times after which a job is given up. @unit ms */
export interface LaneDeadlines {
  readonly acuteMs: number;
  readonly routineMs: number;
}

export class Verification {
  /** Requests whose association is still open for the report, by transaction. */
  readonly #waiting = new Map<string, AbortController>();

  constructor(private readonly dependencies: VerificationDependencies) {}

  /** One step for a row in STORED; throws when the PACS does not answer. */
  async step(row: DeliveryRow): Promise<void> {
    const { pacs, commitment } = this.dependencies;
    const isAsked = commitment && pacs.requestCommitment && row.commitment !== 'EXPIRED';
    if (!isAsked) return this.#look(row);
    if (row.commitment === 'REQUESTED' && this.#nowMs >= this.#untilMs(row, row.requested_ms!)) {
      this.dependencies.logger.warn('no report of a storage commitment', { jobId: row.job_id });
      return this.#look(await this.dependencies.store.expired(row));
    }
    if (row.attempts > REQUESTS_MAX) return this.#look(await this.#giveUp(row));
    await this.#request(row, commitment);
  }

  /**
   * A report, on whichever association it came. An unknown or settled transaction changes nothing,
   * nor does a report that does not name our object.
   */
  async onReport(report: CommitmentReport): Promise<void> {
    const { database, logger } = this.dependencies;
    const row = rowOfCommitment(database, report.transactionUid);
    this.#waiting.get(report.transactionUid)?.abort();
    const isOurs = (object: { readonly sopInstanceUid: string; readonly sopClassUid: string }) =>
      object.sopInstanceUid === row?.sop_instance_uid && object.sopClassUid === row.sop_class_uid;
    const failed = report.failed.find(isOurs);
    if (!row || (!failed && !report.committed.some(isOurs))) {
      logger.warn('report of a storage commitment that nothing waits for');
      // It may be about what a C-FIND has proved meanwhile: people must look.
      const count = report.failed.length;
      if (count > 0) logger.error('PACS does not vouch for objects, too late', { count });
      return;
    }
    try {
      if (failed) await this.#disowned(row, failed.reason);
      else await this.verified(row);
    } catch (error) {
      // The same report again, or the deadline came between: what was first stands.
      if (AifiError.from(error).code !== 'STATE_CONFLICT') throw error;
    }
  }

  async verified(row: DeliveryRow): Promise<void> {
    const end = await this.dependencies.store.verified(row, this.#nowMs);
    crashPoint('gateway.deliver.after-verified');
    if (end) this.dependencies.onEnd(row, end);
  }

  get #nowMs(): number {
    return this.dependencies.clock.nowMs();
  }

  async #request(row: DeliveryRow, config: CommitmentConfig): Promise<void> {
    const { store, pacs, logger } = this.dependencies;
    const nowMs = this.#nowMs;
    const transactionUid = uidFromBytes(randomBytes(16));
    const retryAtMs = nowMs + config.waitMs + REQUEST_RETRY_MS;
    const asked = await store.requested(row, { transactionUid, atMs: nowMs, retryAtMs });
    crashPoint('gateway.deliver.commitment-on-record');
    const { sop_class_uid: sopClassUid, sop_instance_uid: sopInstanceUid } = row;
    const request = { transactionUid, objects: [{ sopClassUid, sopInstanceUid }] };
    const reported = new AbortController();
    this.#waiting.set(transactionUid, reported);
    let report: CommitmentReport | undefined;
    try {
      report = await pacs.requestCommitment!(request, config.waitMs, reported.signal);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      logger.warn('PACS refused a storage commitment', { jobId: row.job_id });
      return this.#look(await store.expired(asked));
    } finally {
      this.#waiting.delete(transactionUid);
    }
    crashPoint('gateway.deliver.after-commitment-request');
    if (report) await this.onReport(report);
    const untilMs = this.#untilMs(row, nowMs);
    // Without effect when a report has settled the row.
    if (this.#nowMs < untilMs) return store.wait(asked, untilMs);
    const isOpen = rowOfCommitment(this.dependencies.database, transactionUid) !== undefined;
    if (isOpen) await this.#look(await store.expired(asked));
  }

  /** Until when a report is waited for. */
  #untilMs(row: DeliveryRow, requestedMs: number): number {
    const { commitment, deadlines } = this.dependencies;
    const untilMs = requestedMs + commitment!.timeoutMs;
    if (!row.lane) return Math.min(untilMs, requestedMs + STATUS_REPORT_MAX_MS);
    const laneMs = row.lane === 'acute' ? deadlines?.acuteMs : deadlines?.routineMs;
    if (laneMs === undefined) return untilMs;
    return Math.min(untilMs, row.since_ms + laneMs - DEADLINE_MARGIN_MS);
  }

  async #giveUp(row: DeliveryRow): Promise<DeliveryRow> {
    const expired = await this.dependencies.store.expired(row);
    // The looks begin anew.
    return { ...expired, attempts: 1 };
  }

  async #look(row: DeliveryRow): Promise<void> {
    const { pacs, store, random, logger } = this.dependencies;
    if (await pacs.findInstance(row.study_uid, row.series_uid, row.sop_instance_uid)) {
      return this.verified(row);
    }
    const delayMs = lookDelayMs(row.attempts, random);
    const attempts = row.attempts + 1;
    if (delayMs !== undefined) {
      return store.postpone(row, { atMs: this.#nowMs + delayMs, attempts });
    }
    if (row.dimse_status === DUPLICATE) {
      logger.error('PACS says that it has a result and does not list it', { jobId: row.job_id });
      return this.#bury(row, 'RESULT_NOT_LISTED');
    }
    await this.#lost(row, { cause: 'lost', isDisowned: false });
  }

  /** The PACS does not vouch for the object. */
  async #disowned(row: DeliveryRow, reason: number): Promise<void> {
    const cause = AGAIN.get(reason);
    const status = reason.toString(16).padStart(4, '0');
    if (cause) return this.#lost(row, { cause, isDisowned: true });
    const { logger } = this.dependencies;
    logger.error('PACS does not commit itself to a result', { jobId: row.job_id, status });
    await this.#bury(row, 'COMMITMENT_FAILED');
  }

  async #lost(
    row: DeliveryRow,
    { cause, isDisowned }: { readonly cause: RetryCause; readonly isDisowned: boolean },
  ): Promise<void> {
    const { store, random, logger, onEnd } = this.dependencies;
    logger.error('PACS lost a result that it had accepted', { jobId: row.job_id });
    const nowMs = this.#nowMs;
    const atMs = nowMs + retryDelayMs(cause, 1, random);
    const end = await store.lost(row, { nowMs, atMs, isDisowned });
    crashPoint('gateway.deliver.after-lost');
    if (end) onEnd(row, end);
  }
  async #bury(row: DeliveryRow, code: 'RESULT_NOT_LISTED' | 'COMMITMENT_FAILED'): Promise<void> {
    const end = await this.dependencies.store.dead(row, { code, atMs: this.#nowMs });
    if (end) this.dependencies.onEnd(row, end);
  }
}

const DUPLICATE = 0x0111;

/** Class not offered, or the request answered with a failure: there will be no report. */
function isRefusal(error: unknown): boolean {
  return AifiError.from(error).code === 'PEER_REFUSED' || peerFaultOf(error) instanceof PeerStatus;
}
