/**
 * The bytes of a spooled object in chunks for the wire.
 * Decides that the next chunk is read while the one before is on its way, from a handful of buffers
 * that are used again; and that each chunk is compressed on its own, so that the hub never holds
 * more than one of them, and a resumed object needs nothing of what came before.
 * Invariant: a chunk fits LIMITS.linkChunkBytesMax even when it does not compress.
 * Source: docs/adr/0020-bulk-transport.md; RFC 8878 (zstd).
 */
import { open, type FileHandle } from 'node:fs/promises';
import { promisify } from 'node:util';
import { constants, zstdCompress } from 'node:zlib';
import { AifiError, LIMITS } from '@aifi/shared-kernel';
import type { OwedObject } from '../object-transport.js';

/** What zstd may add is below a 255th of a chunk of this size. @unit bytes */
const RAW_BYTES_MAX = LIMITS.linkChunkBytesMax - 4 * 1024;
/** The fastest: a link that is slower than level 1 gains little from a higher one. */
const ZSTD_LEVEL = 1;
const zstd = promisify(zstdCompress);

/** Buffers that are read into, and given back when the network has taken them. */
export class ChunkBuffers {
  #free: Buffer[] = [];

  /** One of the chunk size. */
  take(): Buffer {
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(LIMITS.linkChunkBytesMax);
  }
  giveBack(buffer: Buffer): void {
    if (buffer.byteLength === LIMITS.linkChunkBytesMax) this.#free.push(buffer);
  }
}

export interface Chunk {
  readonly bytes: Uint8Array;
  /** To be called when the bytes are no longer needed. */
  readonly release: () => void;
}

async function readInto(file: FileHandle, buffer: Buffer, length: number, at: number) {
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await file.read(buffer, filled, length - filled, at + filled);
    if (bytesRead === 0) throw new AifiError('DIGEST_MISMATCH', 'a spooled file is too short');
    filled += bytesRead;
  }
  return buffer.subarray(0, length);
}

/** From the offset to the end. */
export async function* chunksOf(
  { path, offsetBytes, sizeBytes }: OwedObject,
  encoding: 'none' | 'zstd',
  buffers: ChunkBuffers,
): AsyncGenerator<Chunk> {
  const file = await open(path, 'r');
  try {
    const size = encoding === 'zstd' ? RAW_BYTES_MAX : LIMITS.linkChunkBytesMax;
    const read = (at: number): Promise<{ raw: Buffer; buffer: Buffer }> | undefined => {
      if (at >= sizeBytes) return undefined;
      const buffer = buffers.take();
      const reading = readInto(file, buffer, Math.min(size, sizeBytes - at), at);
      // Shows where it is waited for.
      reading.catch(() => undefined);
      return reading.then((raw) => ({ raw, buffer }));
    };
    let next = read(offsetBytes);
    for (let at = offsetBytes; next; at += size) {
      const { raw, buffer } = await next;
      next = read(at + size);
      next?.catch(() => undefined);
      if (encoding === 'zstd') {
        const params = { [constants.ZSTD_c_compressionLevel]: ZSTD_LEVEL };
        const bytes = await zstd(raw, { params });
        buffers.giveBack(buffer);
        yield { bytes, release: () => undefined };
      } else yield { bytes: raw, release: () => buffers.giveBack(buffer) };
    }
  } finally {
    await file.close();
  }
}
