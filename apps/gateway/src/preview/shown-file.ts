/**
 * Shown file: the bytes that a person looks at are those that the decision names.
 * Decides that by the digest when the images are opened, and by the file itself at each picture:
 * the same inode, size and times, before and after it was rendered.
 * Invariant: a picture of other bytes than those of the digest never leaves.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { readPart10Header } from '@aifi/dicom-core';
import { AifiError } from '@aifi/shared-kernel';

/** One state of a file. */
type Mark = string;
export interface ShownFile {
  readonly path: string;
  readonly mark: Mark;
  readonly frames: number;
  readonly rows: number;
  readonly columns: number;
}

/** Frames of an image that are offered one by one. */
const FRAMES_MAX = 100_000;

/** DIGEST_MISMATCH for other bytes, NOT_FOUND when they are gone, INVALID_ARGUMENT for no image. */
export async function verifiedFile(path: string, sha256: string): Promise<ShownFile> {
  const mark = await markOf(path);
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  if (hash.digest('hex') !== sha256) throw changed();
  const { dataset } = await readPart10Header(path);
  const [rows, columns] = [dataset.number('Rows') ?? 0, dataset.number('Columns') ?? 0];
  const frames = Math.max(1, dataset.number('NumberOfFrames') ?? 1);
  const isImage = [rows, columns, frames].every((one) => Number.isSafeInteger(one) && one > 0);
  if (!isImage || frames > FRAMES_MAX) {
    throw new AifiError('INVALID_ARGUMENT', 'these images cannot be shown here');
  }
  await requireUnchanged({ path, mark });
  return { path, mark, frames, rows, columns };
}

/** DIGEST_MISMATCH when the file is not the one that was verified. */
export async function requireUnchanged({ path, mark }: Pick<ShownFile, 'path' | 'mark'>) {
  if ((await markOf(path)) !== mark) throw changed();
}

async function markOf(path: string): Promise<Mark> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
    return [dev, ino, size, mtimeNs, ctimeNs].join(' ');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new AifiError('NOT_FOUND', 'the images are no longer kept', { cause: error });
  }
}

const changed = (): AifiError =>
  new AifiError('DIGEST_MISMATCH', 'the stored images are not the ones that are held');
