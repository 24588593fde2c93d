/**
 * Goal: a file in memory gives the same frames as the same file on disk, or the same refusal.
 * Method: phantoms, and every image of the shared test data that is not large.
 */
import { afterAll, expect, it } from '@jest/globals';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { decodePart10, isDeflated } from '@aifi/dicom-core';
import type { Result } from '@aifi/shared-kernel';
import { temporaryFolder } from '@aifi/shared-testing';
import { digestOf, shared, sharedImages } from '../test/peer-decoders.js';
import { nativeFile, type Phantom } from '../test/phantom-image.js';
import { framesInMemory as sut, openFrames, type FrameReader } from './frame-reader.js';

const folder = temporaryFolder('frames-in-memory');
afterAll(() => folder.remove());
/** @unit bytes */
const SIZE_MAX = 700_000;

async function told(opened: Result<FrameReader>): Promise<unknown> {
  if (!opened.ok) return opened.refusal;
  const reader = opened.value;
  const frames: string[] = [];
  try {
    for (let i = 0; i < reader.frames; i += 1) frames.push(digestOf(await reader.frame(i)));
  } catch (error) {
    frames.push((error as Error).message);
  }
  await reader.close();
  return [reader.photometricInterpretation, reader.signed, frames];
}

it('gives the frames of the file on disk, and leaves its bytes as they are', async () => {
  const phantom: Phantom = { rows: 2, columns: 2, frames: 2 };
  const own = [1, 2, 3].map((at) =>
    nativeFile(join(folder.path, `${at}.dcm`), phantom, [at, 2, 3, 4, 5, 6, 7, 8]),
  );
  const images = (await sharedImages()).map(shared);
  const paths = [...own, ...images.filter((path) => statSync(path).size <= SIZE_MAX)];
  let compared = 0;
  for (const path of paths) {
    const bytes = readFileSync(path);
    let file: ReturnType<typeof decodePart10>;
    try {
      file = decodePart10(bytes);
    } catch {
      continue;
    }
    if (isDeflated(file.meta.transferSyntaxUid)) continue;
    const inMemory = await sut({ file, dataset: bytes.subarray(file.datasetOffset) });
    expect([path, await told(inMemory)]).toEqual([path, await told(await openFrames(path))]);
    expect(bytes.equals(readFileSync(path))).toBe(true);
    compared += 1;
  }
  expect(compared).toBeGreaterThanOrEqual(own.length + (images.length > 0 ? 20 : 0));
}, 120_000);

it('does not take a deflated dataset for one that lies in memory', async () => {
  const path = nativeFile(join(folder.path, 'deflated.dcm'), { rows: 1, columns: 2 }, [1, 2]);
  const bytes = readFileSync(path);
  const file = decodePart10(bytes);
  const meta = { ...file.meta, transferSyntaxUid: '1.2.840.10008.1.2.1.99' };
  const dataset = bytes.subarray(file.datasetOffset);
  await expect(sut({ file: { ...file, meta }, dataset })).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
  });
});
