/**
 * SmallDisk: a file system of a given size over a folder, which can be filled and emptied.
 * Decides nothing but its size: tmpfs, so that every write beyond it fails with ENOSPC.
 * Invariants: needs root, and says so instead of pretending; what lay in the folder before is
 * hidden until the disk is removed. Source: mount(8), tmpfs(5).
 */
import { spawnSync } from 'node:child_process';
import { rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AifiError } from '@aifi/shared-kernel';
import { temporaryFolder } from '@aifi/shared-testing';

const BALLAST = 'ballast';
const BALLAST_BYTES_PER_WRITE = 1024 * 1024;

export class SmallDisk {
  private constructor(readonly folder: string) {}

  /** True when this process may mount a file system. */
  static isAllowed(): boolean {
    const folder = temporaryFolder('mount');
    try {
      if (mount(folder.path, 1024 * 1024) !== 0) return false;
      spawnSync('umount', [folder.path]);
      return true;
    } finally {
      folder.remove();
    }
  }

  /** A disk of so many bytes over this folder. */
  static over(folder: string, bytes: number): SmallDisk {
    if (mount(folder, bytes) !== 0) {
      throw new AifiError('FORBIDDEN', 'mounting a file system needs root');
    }
    return new SmallDisk(folder);
  }

  /** Room for who is not root. @unit bytes */
  get freeBytes(): number {
    const { bavail, bsize } = statfsSync(this.folder);
    return bavail * bsize;
  }
  /** Takes all room but so many bytes. */
  fill(leaveBytes = 0): void {
    const path = join(this.folder, BALLAST);
    const block = Buffer.alloc(BALLAST_BYTES_PER_WRITE);
    writeFileSync(path, '', { mode: 0o600 });
    try {
      for (;;) {
        const room = this.freeBytes - leaveBytes;
        if (room <= 0) return;
        writeFileSync(path, block.subarray(0, Math.min(room, block.length)), { flag: 'a' });
      }
    } catch (error) {
      // Another writer was there first: it is full, as was asked.
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    }
  }
  /** Gives the room back. */
  empty(): void {
    rmSync(join(this.folder, BALLAST), { force: true });
  }
  /** Takes the disk away with everything on it; nobody may use it any more. */
  remove(): void {
    spawnSync('umount', [this.folder]);
  }
}

function mount(folder: string, bytes: number): number | null {
  const options = `size=${bytes},mode=700`;
  return spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder]).status;
}
