/**
 * InstanceSource: a received file, read once from its first byte to its last.
 * Decides what the writer sees of it, and when: the header as soon as it is complete, then the
 * bytes of the pixel data, and at the end whether all of it was one whole, consistent dataset.
 * Invariants: no byte that follows the pixel data is shown; memory is one chunk, whatever the size;
 * what the walker or the digest does not confirm is never called whole.
 * Source: PS3.5 7.1, A.4, A.5; PS3.10 7.1; reliability specification F2, P1.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { Readable } from 'node:stream';
import { createInflateRaw } from 'node:zlib';
import {
  decodeFileMeta,
  type DicomDataset,
  ElementWalker,
  encodingOf,
  isDeflated,
  type FileMeta,
  type Part10Head,
  type PixelDataRange,
  type WalkResult,
} from '@aifi/dicom-core';
import type { Part10InMemory } from '@aifi/dicom-pixels';
import { AifiError, fileFault, LIMITS, type Sha256 } from '@aifi/shared-kernel';
import { sharedBytes, ThreadedOutput } from './writer-thread.js';

/** Most CT and MR slices in one read; larger chunks were no faster (measured). @unit bytes */
const CHUNK_BYTES = 1024 * 1024;
/** File meta is shorter, as for every reader of ours. @unit bytes */
const META_BYTES_MAX = 64 * 1024;
/** Groups 0000 and 0002 are of messages and of the file meta (PS3.5 7.1, PS3.10 7.1). */
const DATASET = { lowestGroup: 0x0004 };

export interface SourceHeader {
  readonly meta: FileMeta;
  /** Group 0002 as received. */
  readonly metaDataset: DicomDataset;
  /** The elements that precede the pixel data; all of them when there is none. */
  readonly dataset: DicomDataset;
  /** Undefined when the object has none; its length is final only for native pixel data. */
  readonly pixelData: PixelDataRange | undefined;
  /** All of the file, when it came with the header; valid until the pixels are asked for. */
  readonly whole: Part10InMemory | undefined;
}

/**
 * Files that are read and looked through at the same time; others may wait for the disk meanwhile.
 * What is examined is memory too, so that this bounds it.
 */
const CHUNKS_MAX = 2;

/** Chunks that are used again: a new one for each file would cost more than reading it. */
export class ChunkPool {
  readonly #free: Buffer[] = [];
  readonly #waiting: ((chunk: Buffer) => void)[] = [];
  #made = 0;

  /** A chunk as soon as there is one, first come, first served. */
  take(): Promise<Buffer> {
    const free = this.#free.pop();
    if (free) return Promise.resolve(free);
    if (this.#made >= CHUNKS_MAX) return new Promise((resolve) => this.#waiting.push(resolve));
    this.#made += 1;
    return Promise.resolve(sharedBytes(CHUNK_BYTES));
  }
  give(chunk: Buffer): void {
    const next = this.#waiting.shift();
    if (next) next(chunk);
    else this.#free.push(chunk);
  }
}

export interface WholePixels {
  /** As of `pixels`, in one piece; empty when there are none. */
  readonly pixels: Uint8Array;
  /** The file, when it has to have a certain digest. */
  readonly undigested: Uint8Array | undefined;
}
const NO_PIXELS = { valueOffset: 0, valueLength: 0 };

/** The bytes have another digest than the one that was recorded. */
export class NotAsReceived extends Error {}

export class InstanceSource {
  readonly #digest: ThreadedOutput | undefined;
  /** Settles when the bytes of the chunk have been digested. */
  #digesting: Promise<void> | undefined;
  /** Of the chunk, not given to the digest yet. */
  #undigested: Uint8Array | undefined;
  #chunks: AsyncIterator<Uint8Array> | undefined;
  #walker: ElementWalker | undefined;
  /** What was walked last, and the offset of its first byte in the (inflated) dataset. */
  #bytes: Uint8Array | undefined;
  #offset = 0;
  /** The last read gave less than it could: most likely the file has ended. */
  #isShort = false;
  /** All of it is in the chunk, and is one dataset. */
  #isWhole = false;
  #isClosed = false;

  private constructor(
    private readonly file: number,
    private readonly chunk: Buffer,
    private readonly pool: ChunkPool,
    private readonly expectedSha256: Sha256 | undefined,
  ) {
    this.#digest = expectedSha256 === undefined ? undefined : new ThreadedOutput();
  }

  /** Waits for its turn; `close` gives the turn to the next one. */
  static async open(
    path: string,
    pool: ChunkPool,
    expectedSha256: Sha256 | undefined,
  ): Promise<InstanceSource> {
    const chunk = await pool.take();
    try {
      return new InstanceSource(openSync(path, 'r'), chunk, pool, expectedSha256);
    } catch (error) {
      pool.give(chunk);
      throw fileFault(error);
    }
  }

  /** Reads until the header is complete. Throws DICOM_MALFORMED or LIMIT_EXCEEDED. */
  async header(): Promise<SourceHeader> {
    const start = await this.#read();
    const head = decodeFileMeta(start.subarray(0, META_BYTES_MAX));
    const { meta, metaDataset, datasetOffset } = head;
    const walker = new ElementWalker(encodingOf(meta.transferSyntaxUid), DATASET);
    const rest = this.#raw(start.subarray(datasetOffset));
    const chunks = isDeflated(meta.transferSyntaxUid) ? inflated(rest) : rest;
    this.#walker = walker;
    this.#chunks = chunks[Symbol.asyncIterator]();
    while (!walker.inPixelData && (await this.#next())) {
      // Until pixel data begins or the dataset ends.
    }
    if (!walker.inPixelData) walker.end();
    const whole = this.#wholeFile(head);
    const { dataset, pixelDataSoFar: pixelData } = walker;
    return { meta, metaDataset, dataset, pixelData, whole };
  }

  /** The file in memory: read with one reading, not deflated, and a whole dataset. */
  #wholeFile(head: Part10Head): Part10InMemory | undefined {
    const dataset = this.#bytes;
    if (!dataset || !this.#isShort || this.#offset > 0) return undefined;
    if (isDeflated(head.meta.transferSyntaxUid)) return undefined;
    const walked = this.#walked();
    this.#isWhole = walked !== undefined;
    return walked && { file: { ...head, ...walked }, dataset };
  }

  /**
   * The value of the pixel data; of encapsulated pixel data all items and the closing delimiter.
   * A piece is valid until the next one is asked for. Ends when the whole file has been walked:
   * throws DICOM_MALFORMED or LIMIT_EXCEEDED when it is not whole or not what was received.
   */
  async *pixels(): AsyncGenerator<Uint8Array> {
    const walker = this.#walker!;
    let hasMore = true;
    while (walker.inPixelData && hasMore) {
      const { valueOffset, valueLength, encapsulated } = walker.pixelDataSoFar!;
      // The length of encapsulated pixel data is known when their delimiter has been read.
      const isOpen = encapsulated && valueLength === 0;
      const end = isOpen ? Number.POSITIVE_INFINITY : valueOffset + valueLength;
      const from = Math.max(0, valueOffset - this.#offset);
      const bytes = this.#bytes!.subarray(from, Math.max(from, end - this.#offset));
      if (bytes.length > 0) yield bytes;
      hasMore = await this.#next();
    }
    walker.end();
    await this.#checkDigest();
  }

  /**
   * The same at once, when the whole file came with the header: then nothing else is left to ask
   * for but `confirm`, with the digest of `undigested` when there is something.
   */
  wholePixels(): WholePixels | undefined {
    if (!this.#isWhole) return undefined;
    const { valueOffset, valueLength } = this.#walker!.pixelDataSoFar ?? NO_PIXELS;
    const pixels = this.#bytes!.subarray(valueOffset, valueOffset + valueLength);
    return { pixels, undigested: this.#undigested };
  }
  /** Throws when the digest is not the one that was recorded. */
  confirm(sha256: Sha256 | undefined): void {
    if (this.expectedSha256 === undefined || sha256 === this.expectedSha256) return;
    throw new NotAsReceived('the stored file is not what was received');
  }

  /** Walks to the end without showing anything; throws as `pixels`. */
  async skipPixels(): Promise<void> {
    const pixels = this.pixels();
    while (!(await pixels.next()).done);
  }

  /** May be called twice. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#chunks?.return?.();
    closeSync(this.file);
    await this.#digesting?.catch(() => undefined);
    void this.#digest?.discard().catch(() => undefined);
    this.pool.give(this.chunk);
  }

  /** Walks the next chunk of the dataset; false at its end. */
  async #next(): Promise<boolean> {
    const next = await this.#chunks!.next();
    if (next.done) return false;
    this.#offset += this.#bytes?.length ?? 0;
    if (this.#offset > LIMITS.objectBytesMax) {
      throw new AifiError('LIMIT_EXCEEDED', 'the object is too large');
    }
    this.#bytes = next.value;
    this.#walker!.push(next.value);
    return true;
  }

  /** The next bytes of the file; empty at its end. They are overwritten by the next call. */
  async #read(): Promise<Uint8Array> {
    // The chunk is written over.
    this.#digestRest();
    await this.#digesting;
    let length: number;
    try {
      length = readSync(this.file, this.chunk, 0, CHUNK_BYTES, null);
    } catch (error) {
      throw fileFault(error);
    }
    const bytes = this.chunk.subarray(0, length);
    this.#isShort = length < CHUNK_BYTES;
    if (this.#digest) this.#undigested = bytes;
    // Of a file of one chunk the output is digested as well: both are asked for together.
    if (!this.#isShort) this.#digestRest();
    return bytes;
  }
  #digestRest(): void {
    if (!this.#undigested) return;
    this.#digesting = this.#digest?.append(this.#undigested);
    this.#undigested = undefined;
    // Its fault shows where it is waited for.
    this.#digesting?.catch(() => undefined);
  }

  async *#raw(first: Uint8Array): AsyncGenerator<Uint8Array> {
    for (let bytes = first; bytes.length > 0; bytes = await this.#read()) {
      yield bytes;
      // The file ended with a whole dataset: asking for more would only tell so.
      if (this.#isShort && this.#walked()) return;
    }
  }
  /** What has been walked, when that is a whole dataset. */
  #walked(): WalkResult | undefined {
    try {
      return this.#walker!.end();
    } catch {
      return undefined;
    }
  }

  async #checkDigest(): Promise<void> {
    if (!this.#digest) return;
    // Bytes behind the end of a deflated stream belong to the file as well.
    while ((await this.#read()).length > 0);
    await this.#digesting;
    this.confirm((await this.#digest.end().ended).sha256);
  }
}

/** The inflated bytes. DICOM_MALFORMED when they do not inflate. */
async function* inflated(raw: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  // The inflater takes pieces ahead, so each has to be a copy.
  const copies = async function* (): AsyncGenerator<Buffer> {
    for await (const bytes of raw) yield Buffer.from(bytes);
  };
  const source = Readable.from(copies(), { highWaterMark: 1 });
  const stream = createInflateRaw();
  source.on('error', (error) => stream.destroy(error));
  try {
    for await (const bytes of source.pipe(stream)) yield bytes as Buffer;
  } catch (error) {
    // zlib names its codes Z_*; anything else is a fault of the disk, which a retry may heal.
    if (!String((error as NodeJS.ErrnoException).code).startsWith('Z_')) throw fileFault(error);
    throw new AifiError('DICOM_MALFORMED', 'dataset does not inflate', { cause: error });
  } finally {
    source.destroy();
    stream.destroy();
  }
}
