/**
 * Facts of the machine that a reader needs to compare figures.
 * Decides which: processors, memory, kernel, Node.js, file system. Invariant: no name of the host,
 * of a user or of a path.
 */
import { readFileSync, statfsSync } from 'node:fs';
import { availableParallelism, cpus, release, totalmem, type } from 'node:os';
import { resolve } from 'node:path';

export interface MachineFacts {
  readonly cores: number;
  readonly processor: string;
  readonly memoryBytes: number;
  readonly kernel: string;
  readonly node: string;
  /** Of the folder that was written to. */
  readonly fileSystem: string;
  readonly fileSystemFreeBytes: number;
}

/** Type of the file system that holds `folder`, from the longest mount point above it. */
function fileSystemOf(folder: string): string {
  let mounts = '';
  try {
    mounts = readFileSync('/proc/mounts', 'utf8');
  } catch {
    return 'unknown';
  }
  const path = `${resolve(folder)}/`;
  let found = { point: '', kind: 'unknown' };
  for (const line of mounts.split('\n')) {
    const [, point = '', kind = ''] = line.split(' ');
    const isAbove = path.startsWith(point.endsWith('/') ? point : `${point}/`);
    if (isAbove && point.length >= found.point.length) found = { point, kind };
  }
  return found.kind;
}

export function machineFacts(folder: string): MachineFacts {
  const { bavail, bsize } = statfsSync(folder);
  return {
    cores: availableParallelism(),
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    memoryBytes: totalmem(),
    kernel: `${type()} ${release()}`,
    node: process.version,
    fileSystem: fileSystemOf(folder),
    fileSystemFreeBytes: bavail * bsize,
  };
}
