/**
 * Reading a file for verification: header in memory, pixel data as a digest.
 * Decides that memory does not grow with the pixel data.
 * Source: PS3.10 7.1; pseudonymisation specification 2.2 (e).
 */
import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { readDatasetRange, readPart10 } from '@aifi/dicom-core';
import type { ReadObject } from './verify-object.js';

export async function readObject(path: string): Promise<ReadObject> {
  const file = await readPart10(path);
  const { meta, metaDataset, dataset, pixelData } = file;
  let pixelsSha256: string | undefined;
  if (pixelData) {
    const hash = createHash('sha256');
    const range = { offset: pixelData.valueOffset, length: pixelData.valueLength };
    if (range.length > 0) {
      for await (const bytes of readDatasetRange(path, file, range)) hash.update(bytes);
    }
    pixelsSha256 = hash.digest('hex');
  }
  return { preamble: await preambleOf(path), meta, metaDataset, dataset, pixelsSha256 };
}

async function preambleOf(path: string): Promise<Uint8Array> {
  const handle = await open(path, 'r');
  try {
    const preamble = Buffer.alloc(128);
    const { bytesRead } = await handle.read(preamble, 0, 128, 0);
    return preamble.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}
