/**
 * SpoolFilePool: files that lie ready for what is received, and what makes one of them durable.
 * Decides that a file gets its name and its place in the folder before an object comes, so that an
 * object costs one fdatasync and no rename. Invariants: nothing is durable before `commit`
 * resolves; a file without a row is nobody's and goes in the sweep; a failed sync is never tried
 * again on the same descriptor but ends the process.
 * Source: reliability specification 2 (P0, DURABLE(file)); ADR on the receive spool.
 */
import { createHash, randomUUID } from 'node:crypto';
import { fstatSync, rmSync, writeSync, writevSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { AifiError, fileFault } from '@aifi/shared-kernel';

/** Files made ahead; one sync of the folder serves at least half of them. */
const FILES = 16;
/** Bytes held of an object before they are written; 1 MiB was no cheaper (measured). @unit bytes */
const WRITE_BYTES = 256 * 1024;
/** Pieces held before they are written: small ones cost more memory than they have bytes. */
const WRITE_PIECES = 256;

/** Ends the process: what the disk holds is not known any more. */
export type DiskFatal = (error: unknown) => never;
export interface SpoolDisk {
  readonly folder: string;
  readonly onFatal: DiskFatal;
  /** @default that of Node */
  readonly openFile?: (path: string, flags: string, mode: number) => Promise<FileHandle>;
}

export interface SpoolFileContent {
  readonly fileName: string;
  readonly sizeBytes: number;
  readonly sha256: string;
}

export class SpoolFilePool {
  #ready: SpoolFile[] = [];
  #filling: Promise<void> | undefined;

  private constructor(
    private readonly disk: SpoolDisk,
    private readonly folderHandle: FileHandle,
  ) {}

  /** Without space it opens empty: whoever takes a file then gets the fault. */
  static async open(disk: SpoolDisk): Promise<SpoolFilePool> {
    const pool = new SpoolFilePool(disk, await open(disk.folder, 'r'));
    await pool.#fill().catch(() => undefined);
    return pool;
  }

  /** An empty file that is in the folder for good. */
  take(): SpoolFile | Promise<SpoolFile> {
    const file = this.#ready.pop();
    // A fault while making files ahead is nobody's yet; whoever has to wait for files gets it.
    if (this.#ready.length < FILES / 2) void this.#fill().catch(() => undefined);
    return file ?? this.#wait();
  }
  async #wait(): Promise<SpoolFile> {
    for (;;) {
      await this.#fill();
      const file = this.#ready.pop();
      if (file) return file;
    }
  }

  #fill(): Promise<void> {
    this.#filling ??= this.#make().finally(() => (this.#filling = undefined));
    return this.#filling;
  }
  async #make(): Promise<void> {
    const missing = Array.from({ length: FILES - this.#ready.length }, () =>
      SpoolFile.create(this.disk),
    );
    const settled = await Promise.allSettled(missing);
    const made = settled.flatMap((result) => ('value' in result ? [result.value] : []));
    if (made.length > 0) await this.folderHandle.sync().catch(this.disk.onFatal);
    this.#ready.push(...made);
    const failed = settled.find((result) => result.status === 'rejected');
    if (this.#ready.length === 0 && failed) throw fileFault(failed.reason);
  }

  /** Removes the files that nobody took. */
  async close(): Promise<void> {
    await this.#filling?.catch(() => undefined);
    for (const file of this.#ready.splice(0)) file.discard();
    await this.folderHandle.close();
  }
}

/** One file: append, then commit or discard. */
export class SpoolFile {
  readonly #hash = createHash('sha256');
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;
  #sizeBytes = 0;
  #state: 'open' | 'committing' | 'closed' = 'open';

  private constructor(
    private readonly disk: SpoolDisk,
    private readonly fileName: string,
    private readonly handle: FileHandle,
  ) {}

  static async create(disk: SpoolDisk): Promise<SpoolFile> {
    const fileName = `${randomUUID()}.dcm`;
    const { folder, openFile = open } = disk;
    return new SpoolFile(disk, fileName, await openFile(join(folder, fileName), 'wx', 0o600));
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
      const written = writevSync(this.handle.fd, pieces);
      if (written < length) this.#writeRest(Buffer.concat(pieces).subarray(written));
    } catch (error) {
      throw fileFault(error);
    }
  }
  /** A short write must not pass: the disk may have taken less than asked. */
  #writeRest(rest: Uint8Array): void {
    for (let at = 0; at < rest.length;) at += writeSync(this.handle.fd, rest, at);
  }

  /** Durable on return. */
  async commit(): Promise<SpoolFileContent> {
    this.flush();
    this.#checkLength();
    this.#state = 'committing';
    // The permission model of Node leaves no other way to sync than the handle's.
    await this.handle
      .datasync()
      .catch(this.disk.onFatal)
      .finally(() => this.#close());
    const sha256 = this.#hash.digest('hex');
    return { fileName: this.fileName, sizeBytes: this.#sizeBytes, sha256 };
  }
  #checkLength(): void {
    try {
      const { size } = fstatSync(this.handle.fd);
      if (size !== this.#sizeBytes) throw new AifiError('DIGEST_MISMATCH', 'short file on disk');
    } catch (error) {
      throw fileFault(error);
    }
  }

  /** Removes the file, unless its commit has begun: then it is its record that decides. */
  discard(): void {
    if (this.#state !== 'open') return;
    this.#close();
    rmSync(join(this.disk.folder, this.fileName), { force: true });
  }

  #close(): void {
    this.#state = 'closed';
    this.#pending = [];
    // What is kept is synced already: nothing is learnt from closing, and nobody waits for it.
    void this.handle.close().catch(() => undefined);
  }
}
