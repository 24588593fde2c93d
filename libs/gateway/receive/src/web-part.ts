/**
 * WebPart: one object of a STOW-RS request, from the first byte of its Part 10 file to its status.
 * Decides what is said of it, by the same rules as of a C-STORE: the file meta stands in for the
 * command. Invariants: preamble and file meta are dropped, the dataset goes on as it came; of the
 * head at most META_BYTES_MAX are held; a sink is ended or aborted; after a fault nothing is looked
 * at any more.
 * Source: PS3.10 7.1; PS3.18 10.5.3 and I.2; PS3.4 B.2.3; reliability specification P0, F5.
 */
import { decodeFileMeta, type Part10Head } from '@aifi/dicom-core';
import type { InstanceName } from '@aifi/dicom-dicomweb';
import { isCarried, isStorageSopClass, type StoreSink } from '@aifi/dicom-dimse';
import { AifiError, isUid } from '@aifi/shared-kernel';
import type { IntakeRequest, SpoolStoreHandler } from './spool-store-handler.js';

/** What is the same for all objects of a request. */
export type WebOrigin = Omit<
  IntakeRequest,
  'affectedSopClassUid' | 'affectedSopInstanceUid' | 'transferSyntaxUid'
>;
export interface PartOutcome {
  readonly status: number;
  /** Absent when it was not read that far. */
  readonly name: InstanceName | undefined;
  readonly fault: AifiError | undefined;
}

/** Preamble, prefix and the group length of group 0002 (PS3.10 7.1). @unit bytes */
const START_BYTES = 144;
/** File meta of a real object has under 1 KiB; private information may be longer. @unit bytes */
const META_BYTES_MAX = 16 * 1024;
/** PS3.18 I.2.2: the transfer syntax is not supported. */
const SYNTAX_NOT_SUPPORTED = 0xc122;

export class WebPart {
  #head: Buffer[] = [];
  #headBytes = 0;
  #sink: StoreSink | undefined;
  #name: InstanceName | undefined;
  #fault: AifiError | undefined;
  #status: number | undefined;

  constructor(
    private readonly handler: Pick<SpoolStoreHandler, 'begin'>,
    private readonly origin: WebOrigin,
  ) {}

  /** Takes the next bytes; never rejects. */
  write(bytes: Uint8Array): void | Promise<void> {
    if (this.#fault) return undefined;
    try {
      const wait = this.#sink ? this.#sink.write(bytes) : this.#begin(bytes);
      return wait ? wait.catch((error: unknown) => this.#failed(error)) : undefined;
    } catch (error) {
      return this.#failed(error);
    }
  }

  /** The part is over: what is said of it; never rejects. */
  async end(): Promise<PartOutcome> {
    try {
      if (!this.#fault && !this.#sink) {
        throw new AifiError('DICOM_MALFORMED', 'the part ends in its file meta');
      }
      if (!this.#fault) {
        this.#status = await this.#sink!.end();
        this.#sink = undefined;
      }
    } catch (error) {
      await this.#failed(error);
    }
    const fault = this.#fault;
    return { status: this.#status ?? fault!.dimseStatus, name: this.#name, fault };
  }

  /** The rest will not come. What cannot be removed now is swept later. */
  async abort(): Promise<void> {
    const sink = this.#sink;
    this.#sink = undefined;
    try {
      await sink?.abort();
    } catch {
      // A fault of the disk: the file has no row.
    }
  }

  /** Gathers the head; then the first bytes of the dataset go on. */
  #begin(bytes: Uint8Array): void | Promise<void> {
    this.#head.push(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    this.#headBytes += bytes.length;
    if (this.#headBytes < START_BYTES) return undefined;
    const start = Buffer.concat(this.#head);
    const metaEnd = START_BYTES + start.readUInt32LE(START_BYTES - 4);
    if (start.toString('latin1', 128, 132) === 'DICM' && metaEnd > META_BYTES_MAX) {
      throw new AifiError('LIMIT_EXCEEDED', 'the file meta is too long');
    }
    this.#head = [start];
    if (start.length < metaEnd && start.length <= META_BYTES_MAX) return undefined;
    const head = decodeFileMeta(start);
    this.#head = [];
    const opened = this.handler.begin(this.#announced(head));
    const rest = start.subarray(head.datasetOffset);
    if ('then' in opened) return opened.then((sink) => this.#open(sink, rest));
    return this.#open(opened, rest);
  }
  #open(sink: StoreSink, rest: Uint8Array): void | Promise<void> {
    this.#sink = sink;
    return rest.length > 0 ? sink.write(rest) : undefined;
  }

  #announced({ meta, metaDataset }: Part10Head): IntakeRequest {
    const { sopClassUid, sopInstanceUid, transferSyntaxUid } = meta;
    const isMeta = [...metaDataset].every(({ tag }) => tag >>> 16 === 0x0002);
    if (!isMeta || ![sopClassUid, sopInstanceUid, transferSyntaxUid].every(isUid)) {
      throw new AifiError('DICOM_MALFORMED', 'the file meta names no object');
    }
    this.#name = { sopClassUid, sopInstanceUid };
    if (!isStorageSopClass(sopClassUid)) {
      throw new AifiError('DICOM_SOP_CLASS_UNSUPPORTED', 'the SOP class is not taken');
    }
    if (!isCarried(transferSyntaxUid)) {
      this.#status = SYNTAX_NOT_SUPPORTED;
      throw new AifiError('DICOM_SOP_CLASS_UNSUPPORTED', 'the transfer syntax is not taken');
    }
    return {
      ...this.origin,
      affectedSopClassUid: sopClassUid,
      affectedSopInstanceUid: sopInstanceUid,
      transferSyntaxUid,
    };
  }

  async #failed(error: unknown): Promise<void> {
    this.#fault = AifiError.from(error);
    this.#head = [];
    await this.abort();
  }
}
