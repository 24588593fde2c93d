/**
 * ReserveFile: space that is taken now, so that it can be given when the disk is full.
 * Decides how the space is really occupied: random bytes, written and synced, because a file system
 * keeps holes and compressed zeros for nothing. Invariants: what a crash left half made is finished
 * later; giving it back needs no free block (the file is cut to nothing).
 * Source: reliability specification 2 ("Disk": 1 GiB reserve for results, WAL and audit).
 */
import { randomBytes } from 'node:crypto';
import { open, stat, type FileHandle } from 'node:fs/promises';

/** Written at once: short, so that giving back never waits long. @unit bytes */
const CHUNK_BYTES_MAX = 1024 * 1024;

export class ReserveFile {
  /** One block for all of it: neither zeros nor worth compressing within a block. */
  readonly #chunk = randomBytes(CHUNK_BYTES_MAX);
  #heldBytes = 0;
  #isStopped = false;
  #growing: Promise<void> | undefined;

  constructor(private readonly path: string) {}

  /** What it holds now. @unit bytes */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Finds what an earlier run has left. */
  async find(): Promise<void> {
    const found = await stat(this.path).catch(() => undefined);
    // Blocks, not length: only what is occupied counts.
    this.#heldBytes = found ? Math.min(found.size, found.blocks * 512) : 0;
  }

  /** Grows to `targetBytes`; stops early when paused or released. Rejects when the disk refuses. */
  async grow(targetBytes: number): Promise<void> {
    this.#isStopped = false;
    this.#growing = this.#write(targetBytes);
    try {
      await this.#growing;
    } finally {
      this.#growing = undefined;
    }
  }

  async #write(targetBytes: number): Promise<void> {
    const file = await openKept(this.path);
    try {
      while (this.#heldBytes < targetBytes && !this.#isStopped) {
        const length = Math.min(this.#chunk.length, targetBytes - this.#heldBytes);
        const { bytesWritten } = await file.write(this.#chunk, 0, length, this.#heldBytes);
        this.#heldBytes += bytesWritten;
        // Each chunk, so that what is counted as held is on the disk.
        await file.datasync();
      }
    } finally {
      await file.close();
    }
  }

  /** Ends growing after the chunk in hand. */
  pause(): void {
    this.#isStopped = true;
  }

  /** Gives all of it back; says how much that was. @unit bytes */
  async release(): Promise<number> {
    this.pause();
    await this.#growing?.catch(() => undefined);
    const given = this.#heldBytes;
    if (given === 0) return 0;
    const file = await openKept(this.path);
    try {
      await file.truncate(0);
      this.#heldBytes = 0;
      // Some file systems hand blocks out again only after the truncation is on disk.
      await file.sync();
    } finally {
      await file.close();
    }
    return given;
  }
}

/** Opens for writing without cutting; makes the file when there is none. */
async function openKept(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r+');
  } catch {
    return open(path, 'wx+', 0o600);
  }
}
