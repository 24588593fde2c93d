/**
 * BatchReport: what became of each file of a batch, for the people who put it there.
 * Decides where report and batch go, so that a gateway that dies at any moment finishes the move
 * later: the report lies durably beside the batch before the batch moves. Invariants: nothing of
 * the hospital's is removed or replaced; names of files are in the report and nowhere else.
 * Source: reliability specification 2 (DURABLE(file)); architecture 2.
 */
import { chmod, mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { AifiError, crashPoint, nodeFileSystem, writeDurableFile } from '@aifi/shared-kernel';

export const READY = '.ready';
const REPORT = '.report.json';
export const ENDS = ['done', 'failed'] as const;
export type BatchEnd = (typeof ENDS)[number];

export const FILE_OUTCOMES = ['stored', 'refused', 'not-dicom', 'left-out'] as const;
export type FileOutcome = (typeof FILE_OUTCOMES)[number];
export interface FileReport {
  /** Path within the batch. */
  readonly file: string;
  readonly outcome: FileOutcome;
  /** Status that a C-STORE would have had, in hexadecimal; of what was refused. */
  readonly status?: string;
  readonly reason?: string;
}
export interface BatchReport {
  /** As in the log of the gateway. */
  readonly batch: number;
  readonly end: BatchEnd;
  readonly startedAt: string;
  readonly endedAt: string;
  readonly counts: Readonly<Record<FileOutcome, number>>;
  /** Of the batch as a whole, where it was not taken at all. */
  readonly reason?: string;
  readonly files: readonly FileReport[];
}

/** All that is read of a report of ours again. */
const endSchema = z.object({ end: z.enum(ENDS) });
/** A batch of the same name may have been here before. */
const SAME_NAME_MAX = 1_000;
/** Who shares the folder with us reads it. */
const REPORT_MODE = 0o640;

/** Puts the report beside the batch, moves the batch, and moves the report after it. */
export async function closeBatch(folder: string, name: string, report: BatchReport): Promise<void> {
  const beside = join(folder, `${name}${REPORT}`);
  crashPoint('gateway.folder-intake.before-report');
  await writeDurableFile(beside, Buffer.from(`${JSON.stringify(report, null, 1)}\n`));
  await chmod(beside, REPORT_MODE);
  crashPoint('gateway.folder-intake.after-report');
  const end = join(folder, report.end);
  const free = freeName(end, name);
  await rename(join(folder, `${name}${READY}`), join(end, free));
  await synced(folder, end);
  crashPoint('gateway.folder-intake.after-batch-moved');
  await rename(beside, join(end, `${free}${REPORT}`));
  await synced(folder, end);
}

/** Finishes the moves that a gateway which died had begun; tells how many. */
export async function finishMoves(folder: string): Promise<number> {
  let finished = 0;
  for (const file of await readdir(folder)) {
    const path = join(folder, file);
    if (/^\.[0-9a-f-]{36}\.part$/.test(file)) await rm(path, { force: true });
    if (!file.endsWith(REPORT)) continue;
    const name = file.slice(0, -REPORT.length);
    // The batch is still here: it is done again, and its report is made anew.
    if (existsSync(join(folder, `${name}${READY}`))) continue;
    const end = await endIn(path);
    // Not a report of ours: people may put there what they like.
    if (!end) continue;
    await rename(path, join(folder, end, `${ownerOf(join(folder, end), name)}${REPORT}`));
    await synced(folder, join(folder, end));
    finished += 1;
  }
  return finished;
}

/** Makes `done` and `failed`, for the same people as the folder itself. */
export async function makeEnds(folder: string): Promise<void> {
  const { mode } = await stat(folder);
  for (const end of ENDS) {
    const path = join(folder, end);
    if (existsSync(path)) continue;
    await mkdir(path);
    await chmod(path, mode & 0o7777);
    await nodeFileSystem.syncFolder(folder);
  }
}

async function endIn(path: string): Promise<BatchEnd | undefined> {
  try {
    return endSchema.parse(JSON.parse((await nodeFileSystem.read(path)).toString())).end;
  } catch {
    return undefined;
  }
}

const nth = (name: string, n: number): string => (n === 1 ? name : `${name}.${n}`);

function freeName(end: string, name: string): string {
  for (let n = 1; n <= SAME_NAME_MAX; n += 1) {
    const isTaken = [nth(name, n), `${nth(name, n)}${REPORT}`].some((one) =>
      existsSync(join(end, one)),
    );
    if (!isTaken) return nth(name, n);
  }
  throw new AifiError('STATE_CONFLICT', 'too many batches had this name');
}
/** The batch without a report: that which was moved last. */
function ownerOf(end: string, name: string): string {
  for (let n = 1; n <= SAME_NAME_MAX; n += 1) {
    const one = nth(name, n);
    if (existsSync(join(end, one)) && !existsSync(join(end, `${one}${REPORT}`))) return one;
  }
  return freeName(end, name);
}

async function synced(...folders: readonly string[]): Promise<void> {
  for (const folder of folders) await nodeFileSystem.syncFolder(folder);
}
