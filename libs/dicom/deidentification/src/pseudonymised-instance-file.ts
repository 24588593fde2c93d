/**
 * InstanceFile: the file that a pseudonymised instance is written to.
 * Decides when its bytes are durable: after one fdatasync, before it gets its name. The name itself
 * is durable after a sync of the folder, which serves all files of a job.
 * Invariants: a file under its final name is whole and on disk; an existing file is never changed.
 * Source: reliability specification 2 (DURABLE(file)).
 */
import { randomUUID } from 'node:crypto';
import { linkSync, renameSync, rmSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { AifiError, fileFault, type Sha256 } from '@aifi/shared-kernel';
import { ThreadedOutput, type Asked, type Ended } from './writer-thread.js';

/** What a file is called before it is whole. */
export const PART_NAME = /^\.[0-9a-f-]{36}\.part$/;

/** What moves bytes or waits for the disk is done by another thread; a name is not worth one. */
export class InstanceFile {
  readonly #path: string;
  readonly #output: ThreadedOutput;
  #sizeBytes = 0;
  #last: Asked | undefined;

  constructor(folder: string) {
    this.#path = join(folder, `.${randomUUID()}.part`);
    this.#output = new ThreadedOutput(this.#path);
  }

  /** Written on return: the bytes may change afterwards. */
  async append(...pieces: readonly Uint8Array[]): Promise<void> {
    this.#count(pieces);
    await this.#output.append(...pieces);
  }

  /**
   * The last bytes, written on return as with `append`; the file is on its way to the disk then.
   * The digest is that of other bytes, taken beside them.
   */
  async appendLast(
    pieces: readonly Uint8Array[],
    beside: Uint8Array | undefined,
  ): Promise<Sha256 | undefined> {
    this.#count(pieces);
    this.#last = this.#output.end(pieces, beside);
    return this.#last.taken;
  }

  /** On disk on return, still without a name. */
  async sync(): Promise<Ended> {
    this.#last ??= this.#output.end();
    const ended = await this.#last.ended;
    const isWhole = ended.sizeBytes === this.#sizeBytes;
    if (!isWhole) throw new AifiError('DIGEST_MISMATCH', 'short file on disk');
    return ended;
  }
  #count(pieces: readonly Uint8Array[]): void {
    for (const bytes of pieces) this.#sizeBytes += bytes.length;
  }

  /** Names a file after its digest: what was there under that name has the same bytes. */
  nameByDigest(path: string): void {
    withFault(() => renameSync(this.#path, path));
  }

  /** Names a file; false when there is one of that name already, which stays as it is. */
  nameAnew(path: string): boolean {
    return withFault(() => {
      try {
        linkSync(this.#path, path);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
        throw error;
      }
      unlinkSync(this.#path);
      return true;
    });
  }

  /** Removes what has no name yet. */
  async discard(): Promise<void> {
    // The thread may be at it still, or gone.
    await (this.#last ? this.#last.ended : this.#output.discard()).catch(() => undefined);
    withFault(() => rmSync(this.#path, { force: true }));
  }
}

function withFault<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw fileFault(error);
  }
}
