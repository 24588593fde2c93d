/**
 * DURABLE(file): write, check, fdatasync, rename, fsync of the folder.
 * Decides when bytes on disk count as kept. Invariant: a file under its final name is whole; a
 * failed fsync is fatal for the process and is never retried on the same descriptor.
 * Source: reliability specification 2 (durability contract).
 */
import { createHash, randomUUID } from 'node:crypto';
import { dirname, join } from 'node:path';
import { AifiError } from './aifi-error.js';
import type { Sha256 } from './brand.js';
import { nodeFileSystem, type FileSystem, type NewFile } from './file-system.js';
import { fileFault } from './file-fault.js';

export interface DurableFile {
  readonly path: string;
  readonly sizeBytes: number;
  readonly sha256: Sha256;
}

/** Makes the entries of a folder durable. */
export function syncFolder(folder: string, files: FileSystem = nodeFileSystem): Promise<void> {
  return files.syncFolder(folder);
}

/** An open durable write: append, then commit under the final name, or discard. */
export class DurableWriter {
  readonly #hash = createHash('sha256');
  #sizeBytes = 0;

  private constructor(
    private readonly files: FileSystem,
    private readonly file: NewFile,
    private readonly temporaryPath: string,
  ) {}

  /** Opens a temporary file of random name in `folder` (made when missing). */
  static async open(folder: string, files: FileSystem = nodeFileSystem): Promise<DurableWriter> {
    try {
      await files.makeFolder(folder);
      const temporaryPath = join(folder, `.${randomUUID()}.part`);
      return new DurableWriter(files, await files.create(temporaryPath), temporaryPath);
    } catch (error) {
      throw fileFault(error);
    }
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  async append(bytes: Uint8Array): Promise<void> {
    try {
      // A short write must not pass: a disk may write less than asked.
      for (let offset = 0; offset < bytes.length;) offset += await this.file.write(bytes, offset);
    } catch (error) {
      throw fileFault(error);
    }
    this.#hash.update(bytes);
    this.#sizeBytes += bytes.length;
  }

  /** Durable under `<folder>/<name>` on return; an existing file of that name is replaced. */
  async commit(path: string): Promise<DurableFile> {
    try {
      const size = await this.file.size();
      if (size !== this.#sizeBytes) throw new AifiError('DIGEST_MISMATCH', 'short file on disk');
      await this.file.datasync();
      await this.file.close();
      await this.files.makeFolder(dirname(path));
      await this.files.rename(this.temporaryPath, path);
      await this.files.syncFolder(dirname(path));
    } catch (error) {
      throw fileFault(error);
    }
    const sha256 = this.#hash.digest('hex') as Sha256;
    return { path, sizeBytes: this.#sizeBytes, sha256 };
  }

  async discard(): Promise<void> {
    await this.file.close().catch(() => undefined);
    await this.files.remove(this.temporaryPath);
  }
}

/** Writes one buffer durably. */
export async function writeDurableFile(
  path: string,
  bytes: Uint8Array,
  files: FileSystem = nodeFileSystem,
): Promise<DurableFile> {
  const writer = await DurableWriter.open(dirname(path), files);
  try {
    await writer.append(bytes);
    return await writer.commit(path);
  } catch (error) {
    await writer.discard();
    throw error;
  }
}
