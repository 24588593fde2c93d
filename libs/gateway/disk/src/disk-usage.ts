/**
 * Disk usage: what a file system says of itself, as the numbers that the watch decides by.
 * Decides what "full" means: blocks or file entries, whichever is scarcer, seen without root's
 * share. Invariant: the reserve counts as used whether it is held or given back, so that giving it
 * back and making it again never moves the level. Pure.
 */

/** As statfs(2) gives it. */
export interface FileSystemFacts {
  readonly bsize: number;
  readonly blocks: number;
  readonly bfree: number;
  readonly bavail: number;
  readonly files: number;
  readonly ffree: number;
}
export interface DiskUsage {
  readonly usedPercent: number;
  /** What anybody but root may still write. @unit bytes */
  readonly freeBytes: number;
  /** Used and free, as `df` counts. @unit bytes */
  readonly totalBytes: number;
  /** What the reserve is to hold here. @unit bytes */
  readonly reserveBytes: number;
}

/** A small disk gets a small reserve: 1 GiB from 20 GiB on. */
const RESERVE_SHARE_MAX = 1 / 20;

export function usageOf(
  facts: FileSystemFacts,
  reserve: { readonly wantedBytes: number; readonly heldBytes: number },
): DiskUsage {
  const used = (facts.blocks - facts.bfree) * facts.bsize;
  const freeBytes = facts.bavail * facts.bsize;
  const totalBytes = used + freeBytes;
  const reserveBytes = Math.floor(Math.min(reserve.wantedBytes, totalBytes * RESERVE_SHARE_MAX));
  const counted = used - reserve.heldBytes + Math.max(reserveBytes, reserve.heldBytes);
  const blocksPercent = totalBytes > 0 ? (100 * counted) / totalBytes : 100;
  // File systems without a table of files say 0.
  const filesPercent = facts.files > 0 ? (100 * (facts.files - facts.ffree)) / facts.files : 0;
  return {
    usedPercent: Math.max(blocksPercent, filesPercent),
    ...{ freeBytes, totalBytes, reserveBytes },
  };
}
