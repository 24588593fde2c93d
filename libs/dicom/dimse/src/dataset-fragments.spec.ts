/**
 * Goal: whatever chunks a dataset comes in, its fragments are the same bytes, even and full, and
 * the last one is known.
 * Method: properties over random chunks and fragment sizes.
 */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { chunksOf, fragmentsOf, type DatasetFragment } from './dataset-fragments.js';

async function* inChunks(bytes: Buffer, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  let at = 0;
  for (const size of sizes) {
    yield bytes.subarray(at, at + size);
    at += size;
  }
  yield bytes.subarray(at);
}
async function gathered(source: AsyncIterable<DatasetFragment>): Promise<DatasetFragment[]> {
  const fragments: DatasetFragment[] = [];
  for await (const fragment of source) fragments.push(fragment);
  return fragments;
}

describe(fragmentsOf.name, () => {
  it('gives the same bytes in full even fragments, the last one flagged', async () => {
    const even = (max: number) => fc.integer({ min: 1, max }).map((half) => 2 * half);
    const sizes = fc.array(fc.integer({ min: 0, max: 300 }), { maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(even(1_000), even(200), sizes, async (length, size, chunks) => {
        const bytes = Buffer.from(Array.from({ length }, (_, index) => index & 255));
        const fragments = await gathered(fragmentsOf(inChunks(bytes, chunks), size));
        const pieces = fragments.flatMap((fragment) => fragment.pieces);
        expect(Buffer.concat(pieces).equals(bytes)).toBe(true);
        const lengths = fragments.map((fragment) => fragment.lengthBytes);
        expect(lengths.slice(0, -1).every((bytesOf) => bytesOf === size)).toBe(true);
        expect(lengths.at(-1)! % 2 === 0 && lengths.at(-1)! > 0).toBe(true);
        expect(fragments.map(({ isLast }) => isLast)).toEqual(
          fragments.map((_, index) => index === fragments.length - 1),
        );
        for (const fragment of fragments) {
          const sum = fragment.pieces.reduce((total, piece) => total + piece.length, 0);
          expect(sum).toBe(fragment.lengthBytes);
        }
      }),
    );
  });

  it('refuses an empty dataset and one of odd length before its last fragment', async () => {
    for (const length of [0, 1, 7]) {
      const fragments = gathered(fragmentsOf(chunksOf(Buffer.alloc(length)), 4));
      await expect(fragments).rejects.toMatchObject({ code: 'DICOM_MALFORMED' });
    }
  });

  it('closes its source when the reader stops', async () => {
    let isClosed = false;
    async function* source(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) yield Buffer.alloc(10);
      } finally {
        isClosed = true;
      }
    }
    for await (const fragment of fragmentsOf(chunksOf(source), 4)) {
      expect(fragment.isLast).toBe(false);
      break;
    }
    expect(isClosed).toBe(true);
  });
});
