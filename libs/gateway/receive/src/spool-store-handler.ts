/**
 * SpoolStoreHandler: from a C-STORE dataset to a durable Part 10 file, in the listener child.
 * Decides that the answer waits for file and row (P0). Invariants: dataset bytes on disk are those
 * of the wire; the file is whole and synced before its record is offered; a refused dataset leaves
 * no file.
 * Source: PS3.10 7.1; reliability specification P0, F2, F10 (no wire value becomes a path).
 */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { encodeFileMeta } from '@aifi/dicom-core';
import type { StoreHandler, StoreRequest, StoreSink } from '@aifi/dicom-dimse';
import { AifiError, crashPoint, DurableWriter, isUid } from '@aifi/shared-kernel';
import { DatasetCheck } from './dataset-check.js';
import { readInstanceHeader } from './instance-header-reader.js';
import type { ReceivedInstance } from './listener-messages.js';

/** Makes the row; resolves with the DIMSE status when that is durable, or refused. */
export type RecordInstance = (instance: ReceivedInstance) => Promise<number>;

export class SpoolStoreHandler implements StoreHandler {
  constructor(
    private readonly incomingFolder: string,
    private readonly record: RecordInstance,
  ) {}

  async begin(request: StoreRequest): Promise<StoreSink> {
    const { affectedSopClassUid, affectedSopInstanceUid, transferSyntaxUid } = request;
    if (!isUid(affectedSopClassUid) || !isUid(affectedSopInstanceUid)) {
      throw new AifiError('INVALID_IDENTIFIER', 'the command has no valid UIDs');
    }
    const writer = await DurableWriter.open(this.incomingFolder);
    const meta = {
      sopClassUid: affectedSopClassUid,
      sopInstanceUid: affectedSopInstanceUid,
      transferSyntaxUid,
    };
    const check = new DatasetCheck(request);
    let isMetaWritten = false;
    return {
      write: async (chunk) => {
        await check.write(chunk);
        if (!isMetaWritten) await writer.append(encodeFileMeta(meta));
        isMetaWritten = true;
        await writer.append(chunk);
      },
      end: async () => this.#commit(request, writer, check),
      abort: async () => {
        check.close();
        await writer.discard();
      },
    };
  }

  async #commit(
    request: StoreRequest,
    writer: DurableWriter,
    check: DatasetCheck,
  ): Promise<number> {
    const dataset = await check.end();
    const fileName = `${randomUUID()}.dcm`;
    const path = join(this.incomingFolder, fileName);
    crashPoint('gateway.receive.before-file');
    const { sizeBytes, sha256 } = await writer.commit(path);
    crashPoint('gateway.receive.after-file');
    const status = await this.record({
      fileName,
      sizeBytes,
      sha256,
      studyInstanceUid: dataset.string('StudyInstanceUID')!,
      seriesInstanceUid: dataset.string('SeriesInstanceUID')!,
      sopInstanceUid: request.affectedSopInstanceUid,
      sopClassUid: request.affectedSopClassUid,
      transferSyntaxUid: request.transferSyntaxUid,
      callingAeTitle: request.callingAeTitle,
      header: readInstanceHeader(dataset),
    });
    crashPoint('gateway.receive.before-answer');
    return status;
  }
}
