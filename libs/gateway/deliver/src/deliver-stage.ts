/**
 * The deliver stage: re-identified results into the PACS, each exactly once, to the right patient.
 * Decides the order: last look (C7), attempt on record, C-STORE, proof by an IMAGE level C-FIND;
 * the same for the status object of a study.
 * Invariants: one association at a time; the bytes sent are the bytes on record; after an unknown
 * outcome the PACS is asked before anything is sent again.
 * Source: reliability specification P6, C7, F6; architecture 2.
 */
import { readFile } from 'node:fs/promises';
import { decodePart10 } from '@aifi/dicom-core';
import { storeVerdict, type DimseScu, type StoreObject } from '@aifi/dicom-dimse';
import type { GatewayDatabase } from '@aifi/gateway-database';
import {
  AifiError,
  backoffMs,
  crashPoint,
  pollingStage,
  sha256Hex,
  type Clock,
  type Stage,
  type Wake,
} from '@aifi/shared-kernel';
import type { Logger } from '@aifi/shared-observability';
import { CircuitBreaker } from './circuit-breaker.js';
import { DeliveryStore, type DeliveryRow } from './delivery.store.js';
import { compareIdentity, type ResultIdentity } from './pacs-identity.js';

/** @unit ms */
const POLL_INTERVAL_MS = 1_000;
/** A study that was sent here before the PACS had it: it comes from the modality. @unit ms */
const STUDY_ABSENT_RETRY_MS = 15_000;
/** How long a status object waits for its study. @unit ms */
const STATUS_STUDY_ABSENT_MAX_MS = 86_400_000;
/** Looks for a stored object before it counts as lost: some PACS index late. */
const FIND_ATTEMPTS_MAX = 5;

/** What the stage asks of the PACS; DimseScu is the real one. */
export type PacsPeer = Pick<DimseScu, 'echo' | 'store' | 'findStudy' | 'findInstance'>;
export interface DeliverDependencies {
  readonly database: GatewayDatabase;
  readonly pacs: PacsPeer;
  readonly clock: Clock;
  readonly wake: Wake;
  readonly logger: Logger;
  /** Called after the commit that ended the delivery of a job. */
  readonly onDone: (jobId: string) => void;
}

export interface DeliverStage extends Stage {
  /** Whether the PACS is asked (closed), left alone (open) or about to be looked at (probe). */
  pacsState(): CircuitBreaker['state'];
}

export function createDeliverStage(dependencies: DeliverDependencies): DeliverStage {
  const logger = dependencies.logger.child({ stage: 'deliver' });
  const service = new DeliverService({ ...dependencies, logger });
  const stage = pollingStage({
    name: 'deliver',
    clock: dependencies.clock,
    wake: dependencies.wake,
    intervalMs: POLL_INTERVAL_MS,
    runOnce: () => service.runOnce(),
    onFault: (error) => logger.fault('delivery failed', error),
  });
  return { ...stage, pacsState: () => service.pacsState };
}

interface ResultObject extends StoreObject {
  readonly identity: ResultIdentity;
}

export class DeliverService {
  readonly #store: DeliveryStore;
  readonly #breaker: CircuitBreaker;

  constructor(private readonly dependencies: DeliverDependencies) {
    this.#store = new DeliveryStore(dependencies.database);
    this.#breaker = new CircuitBreaker(dependencies.clock);
  }

  get pacsState(): CircuitBreaker['state'] {
    return this.#breaker.state;
  }

  /** Handles the row that is due first; says how many that was. */
  async runOnce(): Promise<number> {
    const row = this.#store.next(this.dependencies.clock.nowMs());
    if (!row || !(await this.#isPacsUp())) return 0;
    await this.#handle(row);
    return 1;
  }

  async #isPacsUp(): Promise<boolean> {
    if (this.#breaker.state === 'closed') return true;
    if (this.#breaker.state === 'open') return false;
    try {
      await this.dependencies.pacs.echo();
    } catch {
      this.#breaker.failed();
      return false;
    }
    this.#breaker.succeeded();
    this.dependencies.logger.info('PACS answers again');
    return true;
  }

  async #handle(row: DeliveryRow): Promise<void> {
    const { logger, clock } = this.dependencies;
    try {
      await this.#deliver(row);
      this.#breaker.succeeded();
    } catch (error) {
      const fault = AifiError.from(error);
      if (fault.code === 'PEER_REFUSED') {
        await this.#refuse(row, undefined);
        return;
      }
      const [jobId, attempt] = [row.job_id, row.attempts];
      logger.fault('result is not delivered yet', error, { jobId, attempt });
      if (fault.retryClass !== 'permanent' && this.#breaker.failed()) {
        logger.warn('PACS does not answer, deliveries wait');
      }
      const atMs = clock.nowMs() + backoffMs(row.attempts + 1);
      await this.#store.postpone(row, { atMs, fault: fault.code });
    }
  }

  async #deliver(row: DeliveryRow): Promise<void> {
    const object = await readObject(row);
    if (!object) return this.#quarantine(row);
    if (row.state === 'STORED') return this.#verify(row, object);
    // The last attempt may have reached the PACS although we do not know (crash, silence).
    if (row.attempts > 0 && (await this.#isInPacs(row, object))) return this.#done(row);
    const { pacs, clock, logger } = this.dependencies;
    const { studyInstanceUid } = object.identity;
    const verdict = compareIdentity(object.identity, await pacs.findStudy(studyInstanceUid));
    if (verdict === 'different') {
      await this.#store.held(row, clock.nowMs());
      logger.warn('identity in the PACS differs, job is held', { jobId: row.job_id });
      return;
    }
    if (verdict === 'absent') return this.#waitForStudy(row);
    await this.#send(row, object);
  }

  /** Results wait until the deadline of their lane, which has passed for most status objects. */
  async #waitForStudy(row: DeliveryRow): Promise<void> {
    const { clock, logger } = this.dependencies;
    const nowMs = clock.nowMs();
    if (row.created_ms === null || nowMs - row.created_ms < STATUS_STUDY_ABSENT_MAX_MS) {
      return this.#store.postpone(row, { atMs: nowMs + STUDY_ABSENT_RETRY_MS });
    }
    logger.error('study never came to the PACS, its status is on the page', { jobId: row.job_id });
    await this.#store.abandoned(row, nowMs);
  }

  async #send(row: DeliveryRow, object: ResultObject): Promise<void> {
    await this.#store.countAttempt(row);
    crashPoint('gateway.deliver.before-store');
    const status = await this.dependencies.pacs.store(object);
    crashPoint('gateway.deliver.after-store');
    switch (storeVerdict(status)) {
      case 'stored':
      case 'duplicate':
        await this.#store.stored(row, status);
        crashPoint('gateway.deliver.after-row');
        return this.#verify({ ...row, state: 'STORED', attempts: 1 }, object);
      case 'refused':
        return this.#refuse(row, status);
      default:
        throw new AifiError('PEER_UNAVAILABLE', 'the PACS could not store now');
    }
  }

  async #verify(row: DeliveryRow, object: ResultObject): Promise<void> {
    if (await this.#isInPacs(row, object)) return this.#done(row);
    const { clock, logger } = this.dependencies;
    const isLost = row.attempts >= FIND_ATTEMPTS_MAX;
    if (isLost) logger.error('PACS lost a result that it had accepted', { jobId: row.job_id });
    const atMs = clock.nowMs() + backoffMs(row.attempts);
    await this.#store.postpone(row, isLost ? { atMs, state: 'QUEUED' } : { atMs });
  }

  #isInPacs(row: DeliveryRow, { identity }: ResultObject): Promise<boolean> {
    const { pacs } = this.dependencies;
    return pacs.findInstance(identity.studyInstanceUid, row.series_uid, row.sop_instance_uid);
  }

  async #done(row: DeliveryRow): Promise<void> {
    const isLast = await this.#store.verified(row, this.dependencies.clock.nowMs());
    crashPoint('gateway.deliver.after-verified');
    if (isLast) this.#finished(row, 'RESULT_IN_PACS');
  }
  async #quarantine(row: DeliveryRow): Promise<void> {
    const { clock, logger } = this.dependencies;
    logger.error('result on disk is damaged', { jobId: row.job_id });
    await this.#store.quarantined(row, clock.nowMs());
  }
  async #refuse(row: DeliveryRow, status: number | undefined): Promise<void> {
    const { clock, logger } = this.dependencies;
    await this.#store.refused(row, status, clock.nowMs());
    logger.error('PACS refused a result', {
      jobId: row.job_id,
      code: 'PACS_REFUSED',
      status: (status ?? 0).toString(16).padStart(4, '0'),
    });
    this.#finished(row, 'NOT_ANALYSED_NOTIFIED');
  }
  #finished(row: DeliveryRow, state: string): void {
    if (row.source === 'status_object') return;
    this.dependencies.logger.info('delivery ended', { jobId: row.job_id, state });
    this.dependencies.onDone(row.job_id);
  }
}

/** The object as re-identified; undefined when the file is not the one on record. */
async function readObject(row: DeliveryRow): Promise<ResultObject | undefined> {
  const bytes = await readFile(row.path);
  if (sha256Hex(bytes) !== row.sha256) return undefined;
  const { meta, dataset, datasetOffset } = decodePart10(bytes);
  return {
    sopClassUid: row.sop_class_uid,
    sopInstanceUid: row.sop_instance_uid,
    transferSyntaxUid: meta.transferSyntaxUid,
    dataset: bytes.subarray(datasetOffset),
    identity: {
      studyInstanceUid: dataset.string('StudyInstanceUID') ?? '',
      patientId: dataset.string('PatientID') ?? '',
      issuerOfPatientId: dataset.string('IssuerOfPatientID') ?? '',
      patientBirthDate: dataset.string('PatientBirthDate') ?? '',
    },
  };
}
