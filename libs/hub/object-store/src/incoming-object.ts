/**
 * IncomingObject: the bytes of one object on their way to the disk.
 * Decides that bytes are gathered into large writes which run beside the network, that a long
 * object is synced as it comes, and that the digest is taken over what came, the kept beginning
 * included.
 * Invariants: never more bytes than declared; what `finish` leaves is whole, synced and has the
 * declared digest; a file whose sync failed is never synced again.
 * Source: reliability specification 2 (DURABLE(file)), P2.
 */
import { createHash } from 'node:crypto';
import { open, rm, type FileHandle } from 'node:fs/promises';
import { AifiError, crashPoint, fileFault, LIMITS, syncFault } from '@aifi/shared-kernel';
import type { StoredObject } from './folder-object-store.js';
import { GatheredBytes } from './gathered-bytes.js';

/** One write: fewer turns of the thread pool; 4 MiB were no faster. @unit bytes */
const WRITE_BYTES = 1024 * 1024;
/** What may wait for the disk before the network has to wait. @unit bytes */
const UNWRITTEN_BYTES_MAX = 4 * WRITE_BYTES;
/** A power cut takes back at most this much of a long object. @unit bytes */
const SYNC_EVERY_BYTES = 4 * 1024 * 1024;

export class IncomingObject {
  readonly #hash = createHash('sha256');
  #sizeBytes = 0;
  readonly #gathered = new GatheredBytes();
  #unwrittenBytes = 0;
  #unsyncedBytes = 0;
  /** Writes in their order; rejects for good when one fails. */
  #writing: Promise<void> = Promise.resolve();
  /** Syncs of a long object, beside its writes. */
  #syncing: Promise<void> = Promise.resolve();

  private constructor(
    private readonly handle: FileHandle,
    /** Where the bytes lie until the object has its name. */
    readonly path: string,
    readonly expected: StoredObject,
  ) {}

  /** Goes on after the first `beginningBytes` of the file, which are read and digested. */
  static async open(
    path: string,
    expected: StoredObject,
    beginningBytes: number,
  ): Promise<IncomingObject> {
    const mode = beginningBytes > 0 ? 'r+' : 'wx';
    const handle = await open(path, mode, 0o600).catch((error: unknown) => {
      throw fileFault(error);
    });
    const object = new IncomingObject(handle, path, expected);
    try {
      if (beginningBytes > 0) await object.#readBeginning(beginningBytes);
      return object;
    } catch (error) {
      // Nobody else knows of it: what cannot be read is of no use, and is sent again.
      await object.discard();
      throw fileFault(error);
    }
  }

  /** Taken so far, the beginning included. @unit bytes */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }
  get isWhole(): boolean {
    return this.#sizeBytes === this.expected.sizeBytes;
  }

  /** The bytes may not change any more. Resolves, or answers nothing, when there is room again. */
  append(bytes: Uint8Array): Promise<void> | undefined {
    if (this.#sizeBytes + bytes.length > this.expected.sizeBytes) {
      throw new AifiError('INVALID_ARGUMENT', 'the object is longer than declared');
    }
    this.#hash.update(bytes);
    this.#sizeBytes += bytes.length;
    this.#gathered.add(bytes);
    this.#unwrittenBytes += bytes.length;
    if (this.#gathered.length >= WRITE_BYTES) this.#write();
    return this.#unwrittenBytes >= UNWRITTEN_BYTES_MAX ? this.#writing : undefined;
  }

  /** Whole, synced and checked on return: DIGEST_MISMATCH when it is another object. */
  async finish(): Promise<void> {
    this.#write();
    const isExpected = this.#hash.digest('hex') === this.expected.sha256 && this.isWhole;
    await this.#writing;
    if (!isExpected) {
      throw new AifiError('DIGEST_MISMATCH', 'the bytes are not those that were declared');
    }
    try {
      const { size } = await this.handle.stat();
      if (size !== this.#sizeBytes) throw new AifiError('DIGEST_MISMATCH', 'short file on disk');
      await this.#syncing;
      crashPoint('hub.objects.before-sync');
      await this.handle.datasync();
      crashPoint('hub.objects.after-sync');
      await this.handle.close();
    } catch (error) {
      throw syncFault(error);
    }
  }

  /** Syncs what has come, for a later connection to go on after it. @returns bytes on the disk */
  async pause(): Promise<number> {
    this.#write();
    try {
      await this.#writing;
      await this.#syncing;
      await this.handle.datasync();
      return this.#sizeBytes;
    } catch (error) {
      throw syncFault(error);
    } finally {
      await this.handle.close().catch(() => undefined);
    }
  }

  /** Forgets the object and its file. */
  async discard(): Promise<void> {
    await Promise.allSettled([this.#writing, this.#syncing]);
    await this.handle.close().catch(() => undefined);
    await rm(this.path, { force: true });
  }

  async #readBeginning(length: number): Promise<void> {
    const buffer = Buffer.allocUnsafe(LIMITS.linkChunkBytesMax);
    while (this.#sizeBytes < length) {
      const wanted = Math.min(buffer.length, length - this.#sizeBytes);
      const { bytesRead } = await this.handle.read(buffer, 0, wanted, this.#sizeBytes);
      if (bytesRead === 0) throw new AifiError('DIGEST_MISMATCH', 'short file on disk');
      this.#hash.update(buffer.subarray(0, bytesRead));
      this.#sizeBytes += bytesRead;
    }
    await this.handle.truncate(length);
  }

  #write(): void {
    const { length } = this.#gathered;
    if (length === 0) return;
    const position = this.#sizeBytes - length;
    const pieces = this.#gathered.take();
    this.#writing = this.#writing.then(() => this.#writeNow(pieces, length, position));
    // Whoever appends, finishes or pauses sees it.
    this.#writing.catch(() => undefined);
  }

  async #writeNow(pieces: Uint8Array[], length: number, position: number): Promise<void> {
    try {
      crashPoint('hub.objects.before-write');
      const { bytesWritten } = await this.handle.writev(pieces, position);
      // A full disk may take a part of it, and says why only when asked again.
      if (bytesWritten < length)
        await this.#writeRest(Buffer.concat(pieces), bytesWritten, position);
      crashPoint('hub.objects.after-write');
      this.#unwrittenBytes -= length;
      this.#unsyncedBytes += length;
      if (this.#unsyncedBytes < SYNC_EVERY_BYTES) return;
      this.#unsyncedBytes = 0;
      this.#syncBesideWrites();
    } catch (error) {
      throw fileFault(error);
    }
  }

  /** One at a time; what is left for the last sync is little then. */
  #syncBesideWrites(): void {
    const sync = async (): Promise<void> => {
      await this.handle.datasync().catch((error: unknown) => {
        throw syncFault(error);
      });
      crashPoint('hub.objects.beginning-synced');
    };
    this.#syncing = this.#syncing.then(sync);
    // Whoever finishes or pauses sees it: a failed sync is never tried again.
    this.#syncing.catch(() => undefined);
  }

  async #writeRest(bytes: Buffer, written: number, position: number): Promise<void> {
    for (let at = written; at < bytes.length;) {
      const { bytesWritten } = await this.handle.write(bytes, at, bytes.length - at, position + at);
      at += bytesWritten;
    }
  }
}
