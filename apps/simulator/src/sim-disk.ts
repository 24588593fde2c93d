/**
 * SimDisk: a disk that loses what was not made durable.
 * Decides what is left after a death of the process (all that was written) and after a power cut:
 * of each file what its last datasync covered and any sectors of what was written since, torn at
 * 512 bytes; of each folder the names at its last sync and any of the changes since.
 * Invariants: what datasync and syncFolder covered is never lost; a fault is that of node:fs.
 * Source: reliability specification 3 (power cut, disk full, EIO, failed fsync).
 */
import { basename, dirname } from 'node:path';
import type { FileSystem, NewFile } from '@aifi/shared-kernel';
import type { Random } from './random.js';
import { never, type Life, type World } from './world.js';

/** @unit bytes */
const SECTOR_BYTES = 512;

interface Inode {
  bytes: Buffer;
  /** As of the last datasync. */
  durable: Buffer;
}

export type DiskFault = 'full' | 'read' | 'sync';

export class SimDisk {
  /** What the process sees. */
  #names = new Map<string, Inode>();
  /** What is on the platter. */
  #durable = new Map<string, Inode>();
  /** Faults just now. */
  readonly faults = new Set<DiskFault>();
  /** Called when an fsync failed: fatal for the process. */
  onSyncFailure: () => void = () => undefined;

  constructor(private readonly random: Random) {}

  /** What one life of a process sees of the disk. */
  mounted(world: World, life: Life): FileSystem {
    return new Mounted(this, world, life, this.random.split());
  }

  /** The power goes: any subset of what was not durable stays. */
  cutPower(): void {
    const { random } = this;
    const left = new Map<string, Inode>();
    for (const path of new Set([...this.#durable.keys(), ...this.#names.keys()])) {
      const before = this.#durable.get(path);
      const now = this.#names.get(path);
      const inode = before === now || random.chance(0.5) ? now : before;
      if (inode) left.set(path, inode);
    }
    for (const inode of new Set(left.values())) this.#tear(inode);
    this.#names = left;
    this.#durable = new Map(left);
  }

  #tear(inode: Inode): void {
    const { bytes, durable } = inode;
    if (bytes === durable) return;
    const length = this.random.pick([durable.length, bytes.length]);
    const left = Buffer.alloc(length);
    durable.copy(left, 0, 0, length);
    for (let at = 0; at < length; at += SECTOR_BYTES) {
      if (this.random.chance(0.5)) bytes.copy(left, at, at, Math.min(at + SECTOR_BYTES, length));
    }
    inode.bytes = left;
    inode.durable = left;
  }

  /** For whoever checks from outside. */
  peek(path: string): Buffer | undefined {
    return this.#names.get(path)?.bytes;
  }
  paths(): readonly string[] {
    return [...this.#names.keys()];
  }

  make(path: string): Inode {
    if (this.#names.has(path)) throw fault('EEXIST');
    const inode = { bytes: Buffer.alloc(0), durable: Buffer.alloc(0) };
    this.#names.set(path, inode);
    return inode;
  }
  find(path: string): Inode {
    const inode = this.#names.get(path);
    if (!inode) throw fault('ENOENT');
    if (this.faults.has('read')) throw fault('EIO');
    return inode;
  }
  has(path: string): boolean {
    return this.#names.has(path) || this.#inside(path).length > 0;
  }
  list(path: string): string[] {
    const inside = this.#inside(path);
    if (inside.length === 0) throw fault('ENOENT');
    const rest = inside.map((each) => each.slice(path.length + 1).split('/')[0]!);
    return [...new Set(rest)].sort();
  }
  move(from: string, to: string): void {
    const inode = this.#names.get(from);
    if (!inode) throw fault('ENOENT');
    this.#names.delete(from);
    this.#names.set(to, inode);
  }
  drop(path: string): void {
    this.#names.delete(path);
    for (const inside of this.#inside(path)) this.#names.delete(inside);
  }
  syncNames(folder: string): void {
    for (const path of this.#durable.keys()) {
      if (dirname(path) === folder && !this.#names.has(path)) this.#durable.delete(path);
    }
    for (const [path, inode] of this.#names) {
      if (dirname(path) === folder) this.#durable.set(path, inode);
    }
  }

  #inside(folder: string): string[] {
    const prefix = `${folder}/`;
    return [...this.#names.keys()].filter((path) => path.startsWith(prefix));
  }
}

function fault(code: string): Error {
  return Object.assign(new Error(`simulated ${code}`), { code });
}

class Mounted implements FileSystem {
  constructor(
    private readonly disk: SimDisk,
    private readonly world: World,
    private readonly life: Life,
    private readonly random: Random,
  ) {}

  /** An operation that takes its time; a process that has died does nothing any more. */
  async #slowly<T>(work: () => T): Promise<T> {
    await this.world.wait(this.random.int(0, 4), this.life);
    return work();
  }
  #at<T>(work: () => T): Promise<T> {
    if (!this.life.isAlive) return never();
    try {
      return Promise.resolve(work());
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }
  #synced(work: () => void): Promise<void> {
    return this.#slowly(() => {
      if (this.disk.faults.has('sync')) {
        this.disk.onSyncFailure();
        throw fault('EIO');
      }
      work();
    });
  }

  create(path: string): Promise<NewFile> {
    return this.#at(() => {
      if (this.disk.faults.has('full')) throw fault('ENOSPC');
      return this.#newFile(this.disk.make(path));
    });
  }
  #newFile(inode: Inode): NewFile {
    return {
      write: (bytes, offset) =>
        this.#slowly(() => {
          if (this.disk.faults.has('full')) throw fault('ENOSPC');
          const rest = bytes.length - offset;
          // A disk may write less than it is asked to.
          const length = rest > 1 && this.random.chance(0.05) ? this.random.int(1, rest) : rest;
          inode.bytes = Buffer.concat([inode.bytes, bytes.subarray(offset, offset + length)]);
          return length;
        }),
      size: () => this.#at(() => inode.bytes.length),
      datasync: () => this.#synced(() => void (inode.durable = inode.bytes)),
      close: () => this.#at(() => undefined),
    };
  }

  makeFolder(): Promise<void> {
    return this.#at(() => undefined);
  }
  rename(from: string, to: string): Promise<void> {
    return this.#slowly(() => this.disk.move(from, to));
  }
  syncFolder(path: string): Promise<void> {
    return this.#synced(() => this.disk.syncNames(path));
  }
  remove(path: string): Promise<void> {
    return this.#slowly(() => this.disk.drop(path));
  }
  names(path: string): Promise<string[]> {
    return this.#at(() => this.disk.list(path));
  }
  exists(path: string): boolean {
    return this.disk.has(path);
  }
  read(path: string): Promise<Buffer> {
    return this.#slowly(() => Buffer.from(this.disk.find(path).bytes));
  }
  start(path: string, sizeMax: number): Promise<Uint8Array> {
    return this.#at(() => Buffer.from(this.disk.find(path).bytes.subarray(0, sizeMax)));
  }
  async *chunks(path: string, start: number, chunkBytes: number): AsyncGenerator<Uint8Array> {
    const bytes = await this.read(path);
    for (let at = start; at < bytes.length; at += chunkBytes) {
      yield bytes.subarray(at, at + chunkBytes);
    }
  }
}

/** Whether a path names a file that is still being written. */
export const isPart = (path: string): boolean => basename(path).endsWith('.part');
