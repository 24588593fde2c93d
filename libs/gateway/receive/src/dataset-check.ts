/**
 * DatasetCheck: the strict walk of a dataset while it arrives.
 * Decides whether bytes are the whole, consistent object that its command announced. The raw bytes
 * are never changed; a deflated dataset is inflated for the walk only.
 * Source: PS3.4 B.2.3, PS3.5 A.4 and A.5; reliability specification F2, P0.
 */
import { createInflateRaw, type InflateRaw } from 'node:zlib';
import {
  ElementWalker,
  encodingOf,
  isDeflated,
  isEncapsulated,
  type DicomDataset,
} from '@aifi/dicom-core';
import { AifiError, isUid, LIMITS } from '@aifi/shared-kernel';

export interface AnnouncedObject {
  readonly affectedSopClassUid: string;
  readonly affectedSopInstanceUid: string;
  readonly transferSyntaxUid: string;
}

export class DatasetCheck {
  readonly #walker: ElementWalker;
  readonly #inflate: InflateRaw | undefined;
  #inflatedBytes = 0;
  #fault: unknown;
  /** Ends the wait for the step in hand. */
  #settle: (() => void) | undefined;

  constructor(private readonly announced: AnnouncedObject) {
    const { transferSyntaxUid } = announced;
    this.#walker = new ElementWalker(encodingOf(transferSyntaxUid));
    if (isDeflated(transferSyntaxUid)) this.#inflate = this.#inflater();
  }

  /** Takes the next bytes as received; DICOM_MALFORMED or LIMIT_EXCEEDED. */
  async write(chunk: Uint8Array): Promise<void> {
    if (!this.#inflate) {
      this.#walker.push(chunk);
      return;
    }
    await this.#inflating((done) => this.#inflate!.write(chunk, done));
  }

  /** The header of the whole dataset; DICOM_MALFORMED or DICOM_SOP_MISMATCH. */
  async end(): Promise<DicomDataset> {
    if (this.#inflate) await this.#inflating((done) => this.#endInflate(done));
    const { dataset, pixelData } = this.#walker.end();
    const { affectedSopClassUid, affectedSopInstanceUid, transferSyntaxUid } = this.announced;
    if (
      dataset.string('SOPClassUID') !== affectedSopClassUid ||
      dataset.string('SOPInstanceUID') !== affectedSopInstanceUid
    ) {
      throw new AifiError('DICOM_SOP_MISMATCH', 'command and dataset name different objects');
    }
    if (pixelData?.encapsulated && !isEncapsulated(transferSyntaxUid)) {
      throw new AifiError('DICOM_MALFORMED', 'encapsulated pixel data in a native syntax');
    }
    const isPlaced = ['StudyInstanceUID', 'SeriesInstanceUID'].every((keyword) =>
      isUid(dataset.string(keyword) ?? ''),
    );
    if (!isPlaced) throw new AifiError('DICOM_MALFORMED', 'no valid study or series UID');
    return dataset;
  }

  /** Frees what an unfinished inflation holds. */
  close(): void {
    this.#inflate?.destroy();
  }

  #inflater(): InflateRaw {
    const inflate = createInflateRaw();
    inflate.on('error', (cause) => {
      this.#fault ??= new AifiError('DICOM_MALFORMED', 'dataset does not inflate', { cause });
      this.#settle?.();
    });
    inflate.on('data', (bytes: Buffer) => {
      if (this.#fault !== undefined) return;
      this.#inflatedBytes += bytes.length;
      try {
        if (this.#inflatedBytes > LIMITS.objectBytesMax) {
          throw new AifiError('LIMIT_EXCEEDED', 'dataset inflates to too much');
        }
        this.#walker.push(bytes);
      } catch (error) {
        this.#fault = error;
      }
    });
    return inflate;
  }
  #endInflate(done: () => void): void {
    const inflate = this.#inflate!;
    // The deflated data ends before its padding byte: it may have been read to its end already.
    if (inflate.readableEnded) done();
    else inflate.once('end', done);
    inflate.end();
  }
  /** A step of the inflation; done when everything it gave has been walked. */
  async #inflating(step: (done: () => void) => void): Promise<void> {
    if (this.#fault === undefined) {
      await new Promise<void>((resolve) => {
        this.#settle = resolve;
        step(resolve);
      });
    }
    if (this.#fault !== undefined) throw this.#fault;
  }
}
