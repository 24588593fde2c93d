/**
 * BatchFiles: what lies in a batch, and how one file of it is read.
 * Decides what counts as a file of the batch: nothing is read through a link, and nothing that is
 * no plain file is opened. Invariants: what was listed is what is opened; bounded in number and
 * depth; only the first bytes are looked at here, to tell images from other files.
 * Source: PS3.10 7.1 and 8.6 (DICOMDIR); reliability specification F10.
 */
import { createHash } from 'node:crypto';
import { constants, type Dirent, type Stats } from 'node:fs';
import { lstat, open, readdir, readlink, type FileHandle } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { AifiError, LIMITS } from '@aifi/shared-kernel';

/** A batch is a study or some; more is a mistake, such as a whole archive. */
export const BATCH_FILES_MAX = LIMITS.instancesPerStudyMax;
/** Folders within folders; exports have three. */
export const BATCH_DEPTH_MAX = 16;
/** Preamble and prefix, PS3.10 7.1. @unit bytes */
const START_BYTES = 132;
/** @unit bytes */
const CHUNK_BYTES = 64 * 1024;

export type FileKind = 'file' | 'link' | 'special';
export interface BatchFile {
  /** Path within the batch. */
  readonly name: string;
  readonly kind: FileKind;
}
export interface BatchListing {
  /** In the order of their names. */
  readonly files: readonly BatchFile[];
  /** More files, or folders within folders, than are taken. */
  readonly isTooMuch: boolean;
  /** Changes when a file comes, goes or is written. */
  readonly fingerprint: string;
}

export async function listBatch(batch: string): Promise<BatchListing> {
  const files: BatchFile[] = [];
  const hash = createHash('sha256');
  let [isTooMuch, entries] = [false, 0];
  const walk = async (folder: string, depth: number): Promise<void> => {
    for (const entry of await sorted(join(batch, folder))) {
      entries += 1;
      // Folders count as well: a tree of empty ones is no smaller.
      isTooMuch ||= entries > BATCH_FILES_MAX || depth > BATCH_DEPTH_MAX;
      if (isTooMuch) return;
      const name = join(folder, entry.name);
      if (entry.isDirectory()) {
        await walk(name, depth + 1);
        continue;
      }
      files.push({ name, kind: kindOf(entry) });
      const stats = await lstat(join(batch, name));
      hash.update(JSON.stringify([name, stats.size, stats.mtimeMs, stats.ctimeMs]));
    }
  };
  await walk('', 1);
  return { files, isTooMuch, fingerprint: hash.digest('hex') };
}

async function sorted(folder: string): Promise<Dirent[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  return entries.sort((one, other) => (one.name < other.name ? -1 : 1));
}
function kindOf(entry: Dirent | Stats): FileKind {
  if (entry.isSymbolicLink()) return 'link';
  return entry.isFile() ? 'file' : 'special';
}

/**
 * What to do with a plain file: its bytes, once; 'not-dicom' where it is none, or a DICOMDIR.
 * STATE_CONFLICT when it is not what was listed any more.
 */
export async function withBatchFile<T>(
  batch: string,
  name: string,
  use: (bytes: AsyncIterable<Uint8Array>) => Promise<T>,
): Promise<T | 'not-dicom'> {
  const path = join(batch, name);
  const handle = await opened(path);
  try {
    await checkPlace(handle, path);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(START_BYTES), 0, START_BYTES, 0);
    const isDicom = bytesRead === START_BYTES && buffer.toString('latin1', 128) === 'DICM';
    if (!isDicom || basename(name).toUpperCase() === 'DICOMDIR') return 'not-dicom';
    return await use(chunksOf(handle));
  } finally {
    await handle.close();
  }
}

async function opened(path: string): Promise<FileHandle> {
  try {
    // Not blocking: a pipe that took the place of a file would wait for its writer.
    return await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ELOOP' || code === 'ENOENT' || code === 'ENOTDIR') throw changed(cause);
    throw new AifiError('FORBIDDEN', 'a file of a batch cannot be read', { cause });
  }
}
/** A folder above it may have become a link since the batch was listed. */
async function checkPlace(handle: FileHandle, path: string): Promise<void> {
  const stats = await handle.stat();
  if (!stats.isFile() || (await readlink(`/proc/self/fd/${handle.fd}`)) !== path) throw changed();
}
function changed(cause?: unknown): AifiError {
  return new AifiError('STATE_CONFLICT', 'a batch changed while it was read', { cause });
}

async function* chunksOf(handle: FileHandle): AsyncGenerator<Uint8Array> {
  for (let at = 0; ;) {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(CHUNK_BYTES), 0, CHUNK_BYTES, at);
    if (bytesRead === 0) return;
    yield buffer.subarray(0, bytesRead);
    at += bytesRead;
  }
}
