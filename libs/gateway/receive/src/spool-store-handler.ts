/**
 * SpoolStoreHandler: from a C-STORE dataset to a durable Part 10 file, in the listener child.
 * Decides that the answer waits for file and row (P0). Invariants: dataset bytes on disk are those
 * of the wire; the file is whole and synced before its record is offered; a refused dataset leaves
 * no file; a file names its object before the walk sees a byte of it, so that an object which ends
 * this process is known afterwards.
 * Source: PS3.10 7.1; reliability specification P0, F2, F10 (no wire value becomes a path).
 */
import { encodeFileMeta } from '@aifi/dicom-core';
import type { StoreHandler, StoreRequest, StoreSink } from '@aifi/dicom-dimse';
import type { IntakeWay } from '@aifi/gateway-database';
import { AifiError, crashPoint, isUid, LIMITS } from '@aifi/shared-kernel';
import { DatasetCheck } from './dataset-check.js';
import { isOwnObject, readInstanceHeader, readPatientWords } from './instance-header-reader.js';
import type { DiskLevel, ReceivedInstance } from './listener-messages.js';
import type { Lane } from './receive.config.js';
import { SpoolFile, type SpoolFilePool } from './spool-file-pool.js';

/** Makes the row; resolves with the DIMSE status when that is durable, or refused. */
export type RecordInstance = (instance: ReceivedInstance) => Promise<number>;

export interface SpoolStoreDependencies {
  readonly pool: SpoolFilePool;
  readonly record: RecordInstance;
  readonly laneOf: (callingAeTitle: string) => Lane;
  readonly diskLevel: () => DiskLevel;
  /** SOP Instance UIDs that are not looked at. */
  readonly poison: ReadonlySet<string>;
}

/** An object on its way in. */
export interface IntakeRequest extends StoreRequest {
  /** @default 'dimse' */
  readonly way?: IntakeWay;
  /** @default that of the calling AE title */
  readonly lane?: Lane;
  /** Study that the dataset has to be of. @default any */
  readonly studyInstanceUid?: string;
}

export class SpoolStoreHandler implements StoreHandler {
  constructor(private readonly dependencies: SpoolStoreDependencies) {}

  /** Room for what such a caller sends; with none, `begin` refuses. */
  isOpenTo({ callingAeTitle, lane }: Pick<IntakeRequest, 'callingAeTitle' | 'lane'>): boolean {
    const { diskLevel, laneOf } = this.dependencies;
    const level = diskLevel();
    if (level === 'refuse-all') return false;
    return level !== 'refuse-routine' || (lane ?? laneOf(callingAeTitle)) !== 'routine';
  }

  begin(request: IntakeRequest): StoreSink | Promise<StoreSink> {
    this.#admit(request);
    const file = this.dependencies.pool.take();
    if (file instanceof SpoolFile) return this.#sink(request, file);
    return file.then((taken) => this.#sink(request, taken));
  }

  /** What is refused before a byte of the dataset is stored. */
  #admit(request: IntakeRequest): void {
    const { affectedSopClassUid, affectedSopInstanceUid } = request;
    // The parent ends a listener that names anything else.
    if (![affectedSopClassUid, affectedSopInstanceUid, request.transferSyntaxUid].every(isUid)) {
      throw new AifiError('INVALID_IDENTIFIER', 'the request has no valid UIDs');
    }
    if (!this.isOpenTo(request)) {
      throw new AifiError('OUT_OF_RESOURCES', 'the disk is too full for this lane');
    }
    if (this.dependencies.poison.has(affectedSopInstanceUid)) {
      throw new AifiError('POISON_INPUT', 'this object ended the listener before');
    }
  }

  #sink(request: IntakeRequest, file: SpoolFile): StoreSink {
    let check: DatasetCheck;
    try {
      const { affectedSopClassUid, affectedSopInstanceUid, transferSyntaxUid } = request;
      const uids = { sopClassUid: affectedSopClassUid, sopInstanceUid: affectedSopInstanceUid };
      file.append(encodeFileMeta({ ...uids, transferSyntaxUid }));
      file.flush();
      check = new DatasetCheck(request);
    } catch (error) {
      file.discard();
      throw error;
    }
    const { diskLevel } = this.dependencies;
    const append = (chunk: Uint8Array): void => {
      // What is in hand must not eat the room that results and records are owed.
      if (diskLevel() === 'refuse-all') {
        throw new AifiError('OUT_OF_RESOURCES', 'the disk is full');
      }
      file.append(chunk);
      if (file.sizeBytes > LIMITS.objectBytesMax) {
        throw new AifiError('LIMIT_EXCEEDED', 'the object is too long');
      }
    };
    return {
      write: (chunk) => {
        crashPoint('gateway.receive.walk');
        const walked = check.write(chunk);
        if (walked) return walked.then(() => append(chunk));
        append(chunk);
      },
      end: () => this.#commit(request, file, check),
      abort: () => {
        check.close();
        file.discard();
        return Promise.resolve();
      },
    };
  }

  async #commit(request: IntakeRequest, file: SpoolFile, check: DatasetCheck): Promise<number> {
    const { dataset, ...placed } = await check.end();
    check.close();
    const { studyInstanceUid = placed.studyInstanceUid } = request;
    if (studyInstanceUid !== placed.studyInstanceUid) {
      throw new AifiError('DICOM_SOP_MISMATCH', 'the dataset is of another study than was named');
    }
    crashPoint('gateway.receive.before-file');
    const stored = await file.commit();
    crashPoint('gateway.receive.after-file');
    const status = await this.dependencies.record({
      ...stored,
      ...placed,
      sopInstanceUid: request.affectedSopInstanceUid,
      sopClassUid: request.affectedSopClassUid,
      transferSyntaxUid: request.transferSyntaxUid,
      callingAeTitle: request.callingAeTitle,
      calledAeTitle: request.calledAeTitle,
      way: request.way ?? 'dimse',
      isOwn: isOwnObject(dataset),
      patient: readPatientWords(dataset),
      header: readInstanceHeader(dataset),
    });
    crashPoint('gateway.receive.before-answer');
    return status;
  }
}
