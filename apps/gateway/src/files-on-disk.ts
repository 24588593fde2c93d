/**
 * Files on disk: how many of the files that rows name are really there.
 * Decides what "nothing was lost" is measured by: rows against directory entries.
 * Invariant: reads folders, never contents.
 */
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { FilesTrace } from '@aifi/contracts-rest';

export interface FileRow {
  readonly path: string;
  /** Size on record; null where none is, then the disk is asked. @unit bytes */
  readonly bytes: number | null;
}

/** Counts the rows whose file exists, folder by folder. */
export async function filesOnDisk(
  folder: FilesTrace['folder'],
  rows: readonly FileRow[],
): Promise<FilesTrace> {
  let [files, bytes] = [0, 0];
  for (const [path, own] of Map.groupBy(rows, (row) => dirname(row.path))) {
    const names = new Set(await readdir(path).catch(() => []));
    for (const row of own.filter((candidate) => names.has(basename(candidate.path)))) {
      files += 1;
      bytes += row.bytes ?? (await sizeOf(join(path, basename(row.path))));
    }
  }
  return { folder, rows: rows.length, files, bytes };
}

async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.size ?? 0;
}
