/**
 * Dataset bytes: ranges of the dataset of a Part 10 file.
 * Decides how a part of the pixel data comes into memory: a plain file is read in place; a deflated
 * one is inflated from its start to the range, and on from there while ranges ascend.
 * Invariant: only the range that was asked for is held.
 * Source: PS3.5 A.5 (deflated), PS3.10 7.1.
 */
import { open } from 'node:fs/promises';
import { inflateRawSync } from 'node:zlib';
import {
  decodeFileMeta,
  decodePart10,
  ElementWalker,
  encodingOf,
  isDeflated,
  readDatasetRange,
  readPart10,
  type Part10File,
} from '@aifi/dicom-core';
import { AifiError, fileFault } from '@aifi/shared-kernel';

export interface DatasetBytes {
  /** Offsets count from the first byte of the (inflated) dataset. @unit bytes */
  readonly read: (offset: number, length: number) => Promise<Uint8Array>;
  readonly close: () => Promise<void>;
}
export interface OpenedPart10 {
  readonly file: Part10File;
  readonly bytes: DatasetBytes;
}

/** Groups 0000 and 0002 have no place in a dataset (PS3.5 7.1). */
const DATASET = { lowestGroup: 0x0004 };

/** Walks the whole file strictly, then keeps it open. Throws as `readPart10` does. */
export async function openPart10(path: string): Promise<OpenedPart10> {
  const file = await readPart10(path);
  const isInflated = isDeflated(file.meta.transferSyntaxUid);
  return { file, bytes: isInflated ? new InflatedBytes(path, file) : await plainBytes(path, file) };
}

/** The same of bytes in memory: the digest of these very bytes can be taken. */
export function part10InMemory(bytes: Uint8Array, datasetBytesMax: number): OpenedPart10 {
  const head = decodeFileMeta(bytes);
  const plain = bytes.subarray(head.datasetOffset);
  if (!isDeflated(head.meta.transferSyntaxUid)) {
    return { file: decodePart10(bytes), bytes: bytesInMemory(plain) };
  }
  const dataset = inflated(plain, datasetBytesMax);
  const walker = new ElementWalker(encodingOf(head.meta.transferSyntaxUid), DATASET);
  walker.push(dataset);
  return { file: { ...head, ...walker.end() }, bytes: bytesInMemory(dataset) };
}

function inflated(bytes: Uint8Array, maxOutputLength: number): Uint8Array {
  try {
    return inflateRawSync(bytes, { maxOutputLength });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') {
      throw new AifiError('LIMIT_EXCEEDED', 'a dataset inflates beyond all use');
    }
    throw new AifiError('DICOM_MALFORMED', 'dataset does not inflate', { cause: error });
  }
}

/** Parts of bytes that somebody else holds: not to be changed. */
export function bytesInMemory(dataset: Uint8Array): DatasetBytes {
  return {
    read: (offset, length) => Promise.resolve(dataset.subarray(offset, offset + length)),
    close: () => Promise.resolve(),
  };
}

async function plainBytes(path: string, { datasetOffset }: Part10File): Promise<DatasetBytes> {
  const handle = await open(path, 'r').catch((error: unknown) => {
    throw fileFault(error);
  });
  const read = async (offset: number, length: number): Promise<Uint8Array> => {
    const out = Buffer.allocUnsafeSlow(length);
    for (let have = 0; have < length;) {
      const at = datasetOffset + offset + have;
      const { bytesRead } = await handle.read(out, have, length - have, at);
      if (bytesRead === 0) throw new AifiError('DICOM_MALFORMED', 'the file has become shorter');
      have += bytesRead;
    }
    return out;
  };
  return { read, close: () => handle.close() };
}

class InflatedBytes implements DatasetBytes {
  readonly #path: string;
  readonly #file: Part10File;
  #stream: AsyncGenerator<Uint8Array> | undefined;
  /** What the stream gave beyond the last range, and its place. */
  #rest: Uint8Array = new Uint8Array(0);
  #offset = 0;

  constructor(path: string, file: Part10File) {
    this.#path = path;
    this.#file = file;
  }

  readonly read = async (offset: number, length: number): Promise<Uint8Array> => {
    if (!this.#stream || offset < this.#offset) await this.#restart(offset);
    const out = Buffer.alloc(length);
    let have = 0;
    while (have < length) {
      if (this.#rest.length === 0) await this.#more();
      const ahead = offset + have - this.#offset;
      const wanted = this.#rest.subarray(ahead, ahead + length - have);
      out.set(wanted, have);
      have += wanted.length;
      const used = Math.min(this.#rest.length, ahead + wanted.length);
      this.#rest = this.#rest.subarray(used);
      this.#offset += used;
    }
    return out;
  };

  readonly close = async (): Promise<void> => {
    await this.#stream?.return(undefined);
    this.#stream = undefined;
  };

  async #restart(offset: number): Promise<void> {
    await this.close();
    const length = this.#file.sizeBytes - offset;
    this.#stream = readDatasetRange(this.#path, this.#file, { offset, length });
    [this.#rest, this.#offset] = [new Uint8Array(0), offset];
  }

  async #more(): Promise<void> {
    const next = await this.#stream!.next();
    if (next.done) throw new AifiError('DICOM_MALFORMED', 'the file has become shorter');
    this.#rest = next.value;
  }
}
