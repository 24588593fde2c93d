/**
 * InstanceFile: the file that a pseudonymised instance is written to.
 * Decides when its bytes are durable: after one fdatasync, before it gets its name. The name itself
 * is durable after a sync of the folder, which serves all files of a job.
 * Invariants: a file under its final name is whole and on disk; an existing file is never changed.
 * Source: reliability specification 2 (DURABLE(file)).
 */
import { randomUUID } from 'node:crypto';
import {
  closeSync,
  fdatasync as fdatasyncCallback,
  fstatSync,
  linkSync,
  open as openCallback,
  renameSync,
  rmSync,
  unlinkSync,
  write as writeCallback,
  writev as writevCallback,
} from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { AifiError, fileFault, type Sha256 } from '@aifi/shared-kernel';
import { ThreadedDigest } from './digest-thread.js';

/** What a file is called before it is whole. */
export const PART_NAME = /^\.[0-9a-f-]{36}\.part$/;

/**
 * What moves bytes or waits for the disk is done by another thread; the rest is not worth one. A
 * new file waits for the disk as well, when others are being synced.
 */
const open = promisify(openCallback);
const write = promisify(writeCallback);
const writev = promisify(writevCallback);
const fdatasync = promisify(fdatasyncCallback);

export interface WrittenFile {
  readonly sizeBytes: number;
  readonly sha256: Sha256;
}

export class InstanceFile {
  readonly #digest = new ThreadedDigest();
  #sizeBytes = 0;
  #isOpen = true;

  private constructor(
    private readonly file: number,
    private readonly temporaryPath: string,
  ) {}

  static async create(folder: string): Promise<InstanceFile> {
    const path = join(folder, `.${randomUUID()}.part`);
    try {
      return new InstanceFile(await open(path, 'wx', 0o600), path);
    } catch (error) {
      throw fileFault(error);
    }
  }

  /** Written on return: the bytes may change afterwards. */
  async append(...pieces: readonly Uint8Array[]): Promise<void> {
    const length = pieces.reduce((sum, bytes) => sum + bytes.length, 0);
    const writing = writev(this.file, pieces);
    // The digest is taken while another thread writes; what fails first must not free the bytes.
    const [written, digested] = await Promise.allSettled([writing, this.#digest.update(...pieces)]);
    try {
      if (digested.status === 'rejected') throw digested.reason;
      if (written.status === 'rejected') throw written.reason;
      const { bytesWritten } = written.value;
      // A short write must not pass: the disk may have taken less than asked.
      if (bytesWritten < length) await this.#writeRest(Buffer.concat(pieces), bytesWritten);
    } catch (error) {
      throw fileFault(error);
    }
    this.#sizeBytes += length;
  }
  async #writeRest(bytes: Buffer, from: number): Promise<void> {
    for (let at = from; at < bytes.length;) {
      at += (await write(this.file, bytes, at)).bytesWritten;
    }
  }

  /** On disk on return, still without a name. */
  async sync(): Promise<WrittenFile> {
    const digest = this.#digest.end();
    digest.catch(() => undefined);
    try {
      const { size } = fstatSync(this.file);
      if (size !== this.#sizeBytes) throw new AifiError('DIGEST_MISMATCH', 'short file on disk');
      await fdatasync(this.file);
    } catch (error) {
      throw fileFault(error);
    }
    this.#close();
    return { sizeBytes: this.#sizeBytes, sha256: await digest };
  }

  /** Names a file after its digest: what was there under that name has the same bytes. */
  nameByDigest(path: string): void {
    withFault(() => renameSync(this.temporaryPath, path));
  }

  /** Names a file; false when there is one of that name already, which stays as it is. */
  nameAnew(path: string): boolean {
    return withFault(() => {
      try {
        linkSync(this.temporaryPath, path);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
        throw error;
      }
      unlinkSync(this.temporaryPath);
      return true;
    });
  }

  /** Removes what has no name yet. */
  discard(): void {
    this.#digest.discard();
    this.#close();
    rmSync(this.temporaryPath, { force: true });
  }
  #close(): void {
    if (this.#isOpen) closeSync(this.file);
    this.#isOpen = false;
  }
}

function withFault<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw fileFault(error);
  }
}
