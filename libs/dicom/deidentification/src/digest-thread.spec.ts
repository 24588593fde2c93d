/** Suite: digests of the thread are those of FIPS 180-4, whatever runs beside them. */
import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { sharedBytes, ThreadedDigest } from './digest-thread.js';

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

describe('a digest of the thread', () => {
  it('is that of all pieces in their order, of several at the same time', async () => {
    const pieces = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 5 });
    const files = fc.array(pieces, { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(files, async (contents) => {
        const digests = await Promise.all(
          contents.map(async (content) => {
            const sut = new ThreadedDigest();
            for (const piece of content) await sut.update(piece);
            return sut.end();
          }),
        );
        expect(digests).toEqual(contents.map((content) => sha256(Buffer.concat(content))));
      }),
      { numRuns: 50 },
    );
  });

  it('reads shared memory in place, which may change when the update has settled', async () => {
    const bytes = sharedBytes(4);
    const sut = new ThreadedDigest();
    bytes.set([1, 2, 3, 4]);
    await sut.update(bytes);
    bytes.set([5, 6, 7, 8]);
    await sut.update(bytes.subarray(2));
    expect(await sut.end()).toBe(sha256(Uint8Array.of(1, 2, 3, 4, 7, 8)));
  });

  it('starts anew after it has ended or was given up', async () => {
    const sut = new ThreadedDigest();
    await sut.update(Uint8Array.of(1));
    sut.discard();
    expect(await new ThreadedDigest().end()).toBe(sha256(new Uint8Array(0)));
  });
});
