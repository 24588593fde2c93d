/**
 * Forms of a durable write, each down to the disk and nothing else.
 * Decides what is compared: a file that is renamed into place, a file that lies ready, and a record
 * in a preallocated segment. What can be done before the object is there is `prepare`. Invariant:
 * `commit` returns when the bytes, and the way to find them, are durable.
 * Source: reliability specification 2 (durability contract); open(2), fdatasync(2), rename(2).
 */
import {
  closeSync,
  fdatasyncSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';

export interface DurableForm {
  readonly name: string;
  /** Makes room for the next object where there is none; what this costs is counted apart. */
  prepare(sizeBytes: number): void;
  commit(bytes: Uint8Array): void;
  /** Removes what was written. */
  clear(): void;
  close(): void;
}

/** Files made ahead for one sync of their folder. */
const POOL_FILES = 16;
/** Objects that fit into one segment. */
const SEGMENT_OBJECTS = 16;
/** Length and CRC-32 of a record. @unit bytes */
const RECORD_HEADER_BYTES = 8;
const ZEROS = Buffer.alloc(1024 * 1024);

function writeAll(file: number, bytes: Uint8Array, position: number | null): void {
  for (let at = 0; at < bytes.length;) {
    const place = position === null ? null : position + at;
    at += writeSync(file, bytes, at, bytes.length - at, place);
  }
}
function syncFolder(folder: string): void {
  const handle = openSync(folder, 'r');
  fsyncSync(handle);
  closeSync(handle);
}
function emptied(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
}

export function renamedFile(parent: string): DurableForm {
  const folder = join(parent, 'renamed');
  emptied(folder);
  let count = 0;
  return {
    name: 'temporary file, fdatasync, rename, sync of the folder',
    prepare: () => undefined,
    commit: (bytes) => {
      const temporary = join(folder, '.part');
      const file = openSync(temporary, 'wx', 0o600);
      writeAll(file, bytes, null);
      fdatasyncSync(file);
      closeSync(file);
      renameSync(temporary, join(folder, String((count += 1))));
      syncFolder(folder);
    },
    clear: () => emptied(folder),
    close: () => undefined,
  };
}

export function pooledFile(parent: string): DurableForm {
  const folder = join(parent, 'pooled');
  emptied(folder);
  let ready: number[] = [];
  let count = 0;
  const drop = (): void => {
    for (const file of ready) closeSync(file);
    ready = [];
  };
  return {
    name: 'file made ahead, fdatasync',
    prepare: () => {
      if (ready.length > 0) return;
      ready = Array.from({ length: POOL_FILES }, () =>
        openSync(join(folder, String((count += 1))), 'wx', 0o600),
      );
      syncFolder(folder);
    },
    commit: (bytes) => {
      const file = ready.pop()!;
      writeAll(file, bytes, null);
      fdatasyncSync(file);
      closeSync(file);
    },
    clear: () => {
      drop();
      emptied(folder);
    },
    close: drop,
  };
}

export function segmentRecord(parent: string): DurableForm {
  const folder = join(parent, 'segment');
  emptied(folder);
  let file: number | undefined;
  let [at, end, count] = [0, 0, 0];
  const drop = (): void => {
    if (file !== undefined) closeSync(file);
    file = undefined;
  };
  return {
    name: 'record with CRC-32 in a preallocated segment, fdatasync',
    prepare: (sizeBytes) => {
      if (file !== undefined && at + RECORD_HEADER_BYTES + sizeBytes <= end) return;
      drop();
      file = openSync(join(folder, String((count += 1))), 'wx', 0o600);
      [at, end] = [0, SEGMENT_OBJECTS * (RECORD_HEADER_BYTES + sizeBytes)];
      // Written, not only reserved: else the first write of a block changes metadata as well.
      for (let from = 0; from < end; from += ZEROS.length) {
        writeAll(file, ZEROS.subarray(0, Math.min(ZEROS.length, end - from)), from);
      }
      fdatasyncSync(file);
      syncFolder(folder);
    },
    commit: (bytes) => {
      const header = Buffer.alloc(RECORD_HEADER_BYTES);
      header.writeUInt32LE(bytes.length, 0);
      header.writeUInt32LE(crc32(bytes), 4);
      writeAll(file!, header, at);
      writeAll(file!, bytes, at + RECORD_HEADER_BYTES);
      fdatasyncSync(file!);
      at += RECORD_HEADER_BYTES + bytes.length;
    },
    clear: () => {
      drop();
      emptied(folder);
    },
    close: drop,
  };
}
