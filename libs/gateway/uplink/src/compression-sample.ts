/**
 * A sample of a study, compressed to see what it would gain.
 * Decides what is looked at: the beginnings of the first objects, which of a series are alike.
 * Invariant: at most SAMPLE_BYTES_MAX are read; a file that does not read gives no sample, and the
 * transport says what is wrong with it. Source: RFC 8878 (zstd); Node.js zlib.
 */
import { open } from 'node:fs/promises';
import { promisify } from 'node:util';
import { constants, zstdCompress } from 'node:zlib';
import type { Clock } from '@aifi/shared-kernel';
import type { CompressionSample } from './compression-choice.js';
import type { OwedObject } from './object-transport.js';

export type TakeSample = (
  objects: readonly OwedObject[],
  clock: Clock,
) => Promise<CompressionSample | undefined>;

/** @unit bytes */
const SAMPLE_BYTES_MAX = 4 * 1024 ** 2;
/** The fastest level that deserves the name: links of hospitals are not slow. */
export const ZSTD_LEVEL = 1;

const compress = promisify(zstdCompress);

export const sampleCompression: TakeSample = async (objects, clock) => {
  const raw = await beginningOf(objects).catch(() => undefined);
  if (!raw || raw.length === 0) return undefined;
  const beganMs = clock.monotonicMs();
  const params = { [constants.ZSTD_c_compressionLevel]: ZSTD_LEVEL };
  const compressed = await compress(raw, { params });
  const tookMs = clock.monotonicMs() - beganMs;
  return { rawBytes: raw.length, compressedBytes: compressed.length, tookMs };
};

async function beginningOf(objects: readonly OwedObject[]): Promise<Buffer> {
  const parts: Buffer[] = [];
  let left = SAMPLE_BYTES_MAX;
  for (const { path, sizeBytes } of objects) {
    if (left <= 0) break;
    const file = await open(path);
    try {
      const wanted = Buffer.alloc(Math.min(left, sizeBytes));
      const { bytesRead } = await file.read(wanted, 0, wanted.length, 0);
      parts.push(wanted.subarray(0, bytesRead));
      left -= wanted.length;
    } finally {
      await file.close();
    }
  }
  return Buffer.concat(parts);
}
