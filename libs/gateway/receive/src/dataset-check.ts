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
  tagOf,
  type DicomDataset,
  type WalkOptions,
} from '@aifi/dicom-core';
import { AifiError, isUid, LIMITS } from '@aifi/shared-kernel';
import { INSTANCE_HEADER_TAGS } from './instance-header-reader.js';

const SOP_CLASS_UID = tagOf('SOPClassUID');
const SOP_INSTANCE_UID = tagOf('SOPInstanceUID');
const STUDY_INSTANCE_UID = tagOf('StudyInstanceUID');
const SERIES_INSTANCE_UID = tagOf('SeriesInstanceUID');
const UIDS = [SOP_CLASS_UID, SOP_INSTANCE_UID, STUDY_INSTANCE_UID, SERIES_INSTANCE_UID];
/** Lower groups are of messages, files and directories; no object that is stored has them. */
const WALK: WalkOptions = {
  keep: new Set([...UIDS, ...INSTANCE_HEADER_TAGS]),
  lowestGroup: 0x0008,
};
/** Inflated bytes that come at once: larger pieces cost fewer changes of thread. @unit bytes */
const INFLATED_CHUNK_BYTES = 128 * 1024;

/** A dataset that is what its command announced. */
export interface CheckedDataset {
  /** The attributes of the instance header. */
  readonly dataset: DicomDataset;
  readonly studyInstanceUid: string;
  readonly seriesInstanceUid: string;
}
export interface AnnouncedObject {
  readonly affectedSopClassUid: string;
  readonly affectedSopInstanceUid: string;
  readonly transferSyntaxUid: string;
}

export class DatasetCheck {
  readonly #walker: ElementWalker;
  readonly #inflate: InflateRaw | undefined;
  #deflatedBytes = 0;
  #inflatedBytes = 0;
  #fault: unknown;
  /** Ends the wait for the step in hand. */
  #settle: (() => void) | undefined;

  constructor(private readonly announced: AnnouncedObject) {
    const { transferSyntaxUid } = announced;
    this.#walker = new ElementWalker(encodingOf(transferSyntaxUid), WALK);
    if (isDeflated(transferSyntaxUid)) this.#inflate = this.#inflater();
  }

  /** Takes the next bytes as received; DICOM_MALFORMED or LIMIT_EXCEEDED. */
  write(chunk: Uint8Array): void | Promise<void> {
    if (!this.#inflate) return this.#walker.push(chunk);
    this.#deflatedBytes += chunk.length;
    return this.#inflating((done) => this.#inflate!.write(chunk, done));
  }

  /** DICOM_MALFORMED or DICOM_SOP_MISMATCH when it is not whole, or not what was announced. */
  async end(): Promise<CheckedDataset> {
    if (this.#inflate) {
      await this.#inflating((done) => this.#endInflate(done));
      // PS3.5 A.5: one byte may follow, for an even length. More would be seen by nobody.
      if (this.#deflatedBytes - this.#inflate.bytesWritten > 1) {
        throw new AifiError('DICOM_MALFORMED', 'bytes after the deflated dataset');
      }
    }
    const { dataset, pixelData } = this.#walker.end();
    const { affectedSopClassUid, affectedSopInstanceUid, transferSyntaxUid } = this.announced;
    if (
      uidOf(dataset, SOP_CLASS_UID) !== affectedSopClassUid ||
      uidOf(dataset, SOP_INSTANCE_UID) !== affectedSopInstanceUid
    ) {
      throw new AifiError('DICOM_SOP_MISMATCH', 'command and dataset name different objects');
    }
    if (pixelData?.encapsulated && !isEncapsulated(transferSyntaxUid)) {
      throw new AifiError('DICOM_MALFORMED', 'encapsulated pixel data in a native syntax');
    }
    const studyInstanceUid = uidOf(dataset, STUDY_INSTANCE_UID);
    const seriesInstanceUid = uidOf(dataset, SERIES_INSTANCE_UID);
    if (studyInstanceUid === undefined || seriesInstanceUid === undefined) {
      throw new AifiError('DICOM_MALFORMED', 'no valid study or series UID');
    }
    return { dataset, studyInstanceUid, seriesInstanceUid };
  }

  /** Frees what an unfinished inflation holds. */
  close(): void {
    this.#inflate?.destroy();
  }

  #inflater(): InflateRaw {
    const inflate = createInflateRaw({ chunkSize: INFLATED_CHUNK_BYTES });
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

/**
 * One UID of VR UI, or of UN as PS3.5 6.2.2 allows, padded with NUL or, by some, with a space;
 * undefined otherwise.
 */
function uidOf(dataset: DicomDataset, tag: number): string | undefined {
  const element = dataset.get(tag);
  if (element?.vr !== 'UI' && element?.vr !== 'UN') return undefined;
  if (!(element.value instanceof Uint8Array)) return undefined;
  const text = Buffer.from(element.value).toString('latin1');
  const uid = /[\0 ]$/.test(text) ? text.slice(0, -1) : text;
  return isUid(uid) ? uid : undefined;
}
