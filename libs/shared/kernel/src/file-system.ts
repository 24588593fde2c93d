/**
 * FileSystem: the port through which durable code reaches a disk.
 * Decides what such code may ask of one: few operations, each of which a simulated disk can do as a
 * real one does, its losses at a power cut included.
 * Invariants: what is written counts as kept after datasync of the file and syncFolder of its
 * folder, not before; faults are those of node:fs (a `code` such as ENOSPC), but that of a sync is
 * an AifiError, and one that the disk could not do ends the process.
 * Source: reliability specification 2 (DURABLE(file)) and 3 (simulated file system).
 */
import { createReadStream, existsSync } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm, type FileHandle } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { syncFault } from './sync-fault.js';

/** A file that was made just now and is still being written. */
export interface NewFile {
  /** Writes from `offset` of the buffer; may write less than there is, and says how much. */
  write(bytes: Uint8Array, offset: number): Promise<number>;
  /** Bytes on disk by now. @unit bytes */
  size(): Promise<number>;
  datasync(): Promise<void>;
  close(): Promise<void>;
}

export interface FileSystem {
  /** A new file with mode 0600; EEXIST when there is one of that name. */
  create(path: string): Promise<NewFile>;
  /** With all folders around it, mode 0700, durably; no fault when it is there. */
  makeFolder(path: string): Promise<void>;
  /** Replaces an existing file of the new name. */
  rename(from: string, to: string): Promise<void>;
  /** Makes the names in a folder durable. */
  syncFolder(path: string): Promise<void>;
  /** A file, or a folder with everything in it; no fault when there is none. */
  remove(path: string): Promise<void>;
  /** Names in a folder; ENOENT when there is none. */
  names(path: string): Promise<string[]>;
  exists(path: string): boolean;
  read(path: string): Promise<Buffer>;
  /** The first bytes, fewer only where the file ends. */
  start(path: string, sizeMax: number): Promise<Uint8Array>;
  /** The bytes from `start` on, a piece at a time. */
  chunks(path: string, start: number, chunkBytes: number): AsyncIterable<Uint8Array>;
}

/** The disk of this machine. */
export const nodeFileSystem: FileSystem = {
  create: async (path) => newFile(await open(path, 'wx', 0o600)),
  makeFolder: async (path) => {
    const first = await mkdir(path, { recursive: true, mode: 0o700 });
    if (first === undefined) return;
    // The entry of each new folder is in the one above it.
    const last = dirname(resolve(first));
    for (let folder = dirname(resolve(path)); ; folder = dirname(folder)) {
      await nodeFileSystem.syncFolder(folder);
      if (folder === last || folder === dirname(folder)) return;
    }
  },
  rename,
  syncFolder: async (path) => {
    const handle = await open(path, 'r');
    try {
      await handle.sync().catch(syncFailed);
    } finally {
      await handle.close();
    }
  },
  remove: (path) => rm(path, { recursive: true, force: true }),
  names: (path) => readdir(path),
  exists: existsSync,
  read: (path) => readFile(path),
  start: async (path, sizeMax) => {
    const handle = await open(path, 'r');
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(sizeMax), 0, sizeMax, 0);
      return buffer.subarray(0, bytesRead);
    } finally {
      await handle.close();
    }
  },
  chunks: nodeChunks,
};

const syncFailed = (error: unknown): never => {
  throw syncFault(error);
};

function newFile(handle: FileHandle): NewFile {
  return {
    write: async (bytes, offset) => (await handle.write(bytes, offset)).bytesWritten,
    size: async () => (await handle.stat()).size,
    datasync: () => handle.datasync().catch(syncFailed),
    close: () => handle.close(),
  };
}

async function* nodeChunks(
  path: string,
  start: number,
  chunkBytes: number,
): AsyncGenerator<Uint8Array> {
  const stream = createReadStream(path, { start, highWaterMark: chunkBytes });
  const closed = new Promise<void>((resolve) => stream.once('close', () => resolve()));
  try {
    for await (const chunk of stream) yield chunk as Buffer;
  } finally {
    stream.destroy();
    // The file is closed before the caller goes on: it may delete or replace it next.
    await closed;
  }
}
