/**
 * SpoolFilePool: files that lie ready for what is received, and what makes one of them durable.
 * Decides that a file gets its name and its place in the folder before an object comes, so that an
 * object costs one fdatasync and no rename. Invariants: nothing is durable before `commit`
 * resolves; a file without a row is nobody's and goes in the sweep; a failed sync is never tried
 * again on the same descriptor but ends the process.
 * Source: reliability specification 2 (P0, DURABLE(file)); ADR on the receive spool.
 */
import { createHash, randomUUID } from 'node:crypto';
import {
  closeSync,
  fdatasync,
  fdatasyncSync,
  fstatSync,
  fsync,
  openSync,
  rmSync,
  writevSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { AifiError, fileFault } from '@aifi/shared-kernel';

/** Files made ahead with one sync of the folder: two of them share 16 objects' wait. */
const FILES = 16;
/** Bytes held of an object before they are written. @unit bytes */
const WRITE_BYTES = 1024 * 1024;
/** Pieces held before they are written: small ones cost more memory than they have bytes. */
const WRITE_PIECES = 256;

const syncData = promisify(fdatasync);
const syncAll = promisify(fsync);

/** Ends the process: what the disk holds is not known any more. */
export type DiskFatal = (error: unknown) => never;

export interface SpoolFileContent {
  readonly fileName: string;
  readonly sizeBytes: number;
  readonly sha256: string;
}

export class SpoolFilePool {
  readonly #folderDescriptor: number;
  #ready: SpoolFile[] = [];
  #filling: Promise<void> | undefined;
  #taken = 0;

  private constructor(
    private readonly folder: string,
    private readonly onFatal: DiskFatal,
  ) {
    this.#folderDescriptor = openSync(folder, 'r');
  }

  /** OUT_OF_RESOURCES when there is no space for files; the next taker tries again. */
  static async open(folder: string, onFatal: DiskFatal): Promise<SpoolFilePool> {
    const pool = new SpoolFilePool(folder, onFatal);
    await pool.#fill().catch(() => undefined);
    return pool;
  }

  /** Objects being received. */
  get taken(): number {
    return this.#taken;
  }

  /** An empty file that is in the folder for good. */
  take(): SpoolFile | Promise<SpoolFile> {
    const file = this.#ready.pop();
    // A fault while making files ahead is nobody's yet; whoever has to wait for files gets it.
    if (this.#ready.length < FILES / 2) void this.#fill().catch(() => undefined);
    if (!file) return this.#wait();
    this.#taken += 1;
    return file;
  }
  async #wait(): Promise<SpoolFile> {
    for (;;) {
      await this.#fill();
      const file = this.#ready.pop();
      if (!file) continue;
      this.#taken += 1;
      return file;
    }
  }

  #fill(): Promise<void> {
    this.#filling ??= this.#make().finally(() => (this.#filling = undefined));
    return this.#filling;
  }
  async #make(): Promise<void> {
    const made: SpoolFile[] = [];
    let fault: AifiError | undefined;
    try {
      while (this.#ready.length + made.length < FILES) {
        made.push(new SpoolFile(this.folder, this.onFatal, () => (this.#taken -= 1)));
      }
    } catch (error) {
      fault = fileFault(error);
    }
    if (made.length > 0) await syncAll(this.#folderDescriptor).catch(this.onFatal);
    this.#ready.push(...made);
    if (this.#ready.length === 0 && fault) throw fault;
  }

  /** Removes the files that nobody took. */
  close(): void {
    for (const file of this.#ready.splice(0)) file.discard();
    closeSync(this.#folderDescriptor);
  }
}

/** One file: append, then commit or discard. */
export class SpoolFile {
  readonly #fileName = `${randomUUID()}.dcm`;
  readonly #path: string;
  readonly #descriptor: number;
  readonly #hash = createHash('sha256');
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;
  #sizeBytes = 0;
  #state: 'open' | 'committing' | 'closed' = 'open';

  constructor(
    folder: string,
    private readonly onFatal: DiskFatal,
    private readonly onDone: () => void,
  ) {
    this.#path = join(folder, this.#fileName);
    this.#descriptor = openSync(this.#path, 'wx', 0o600);
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** Takes the bytes, which must not change any more; they are written when there are enough. */
  append(bytes: Uint8Array): void {
    this.#hash.update(bytes);
    this.#pending.push(bytes);
    this.#pendingBytes += bytes.length;
    this.#sizeBytes += bytes.length;
    if (this.#pendingBytes >= WRITE_BYTES || this.#pending.length >= WRITE_PIECES) this.flush();
  }

  /** Writes what is held; it is then in the file for whoever reads it, but not durable. */
  flush(): void {
    const [pieces, length] = [this.#pending, this.#pendingBytes];
    this.#pending = [];
    this.#pendingBytes = 0;
    if (length === 0) return;
    try {
      const written = writevSync(this.#descriptor, pieces);
      if (written < length) this.#writeRest(Buffer.concat(pieces).subarray(written));
    } catch (error) {
      throw fileFault(error);
    }
  }
  /** A short write must not pass: the disk may have taken less than asked. */
  #writeRest(rest: Uint8Array): void {
    for (let at = 0; at < rest.length;) at += writeSync(this.#descriptor, rest, at);
  }

  /** Durable on return. `isAlone`: nobody else waits for this process. */
  async commit(isAlone: boolean): Promise<SpoolFileContent> {
    this.flush();
    this.#state = 'committing';
    try {
      if (fstatSync(this.#descriptor).size !== this.#sizeBytes) {
        throw new AifiError('DIGEST_MISMATCH', 'short file on disk');
      }
    } catch (error) {
      this.#state = 'open';
      throw fileFault(error);
    }
    try {
      // The thread pool costs two changes of thread: worth it only where somebody else gains.
      if (isAlone) fdatasyncSync(this.#descriptor);
      else await syncData(this.#descriptor);
    } catch (error) {
      this.onFatal(error);
    }
    this.#close();
    const sha256 = this.#hash.digest('hex');
    return { fileName: this.#fileName, sizeBytes: this.#sizeBytes, sha256 };
  }

  /** Removes the file, unless its commit has begun: then it is its record that decides. */
  discard(): void {
    if (this.#state !== 'open') return;
    this.#close();
    rmSync(this.#path, { force: true });
  }

  #close(): void {
    this.#state = 'closed';
    this.#pending = [];
    closeSync(this.#descriptor);
    this.onDone();
  }
}
