/**
 * A deflated object as a plain one, for programs that do not inflate.
 * Decides nothing else: the same dataset, another transfer syntax in the file meta.
 * Invariant: the copy is gone afterwards, whatever happens. Source: PS3.5 A.5.
 */
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createInflateRaw } from 'node:zlib';
import {
  decodeFileMeta,
  encodeFileMeta,
  EXPLICIT_VR_LITTLE_ENDIAN,
  isDeflated,
} from '@aifi/dicom-core';

const META_BYTES_MAX = 64 * 1024;

/** Calls `use` with the path of a file that is not deflated: the one given, or a copy. */
export async function withPlainFile<T>(
  path: string,
  use: (path: string) => Promise<T>,
): Promise<T> {
  const handle = await open(path, 'r');
  const start = Buffer.alloc(META_BYTES_MAX);
  const { bytesRead } = await handle.read(start, 0, start.length, 0);
  await handle.close();
  const { meta, datasetOffset } = decodeFileMeta(start.subarray(0, bytesRead));
  if (!isDeflated(meta.transferSyntaxUid)) return use(path);
  const folder = await mkdtemp(join(tmpdir(), 'aifi-inflated-'));
  try {
    const copy = join(folder, 'plain.dcm');
    await writeFile(
      copy,
      encodeFileMeta({ ...meta, transferSyntaxUid: EXPLICIT_VR_LITTLE_ENDIAN }),
    );
    await pipeline(
      createReadStream(path, { start: datasetOffset }),
      createInflateRaw(),
      createWriteStream(copy, { flags: 'a' }),
    );
    return await use(copy);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
