/** Suite: digests are those of FIPS 180-4, whatever runs beside them; files are what was given. */
import { createHash } from 'node:crypto';
import { afterAll, describe, expect, it } from '@jest/globals';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { temporaryFolder } from '@aifi/shared-testing';
import { sharedBytes, ThreadedOutput } from './writer-thread.js';

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

describe('a digest of the thread', () => {
  it('is that of all pieces in their order, of several at the same time', async () => {
    const pieces = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 5 });
    const files = fc.array(pieces, { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(files, async (contents) => {
        const digests = await Promise.all(
          contents.map(async (content) => {
            const sut = new ThreadedOutput();
            for (const piece of content) await sut.append(piece);
            return (await sut.end().ended).sha256;
          }),
        );
        expect(digests).toEqual(contents.map((content) => sha256(Buffer.concat(content))));
      }),
      { numRuns: 50 },
    );
  });

  it('reads shared memory in place, which may change when it was taken', async () => {
    const bytes = sharedBytes(4);
    const sut = new ThreadedOutput();
    bytes.set([1, 2, 3, 4]);
    await sut.append(bytes);
    bytes.set([5, 6, 7, 8]);
    await sut.append(bytes.subarray(2));
    expect((await sut.end().ended).sha256).toBe(sha256(Uint8Array.of(1, 2, 3, 4, 7, 8)));
  });

  it('starts anew after it has ended or was given up', async () => {
    const sut = new ThreadedOutput();
    await sut.append(Uint8Array.of(1));
    await sut.discard();
    const { ended } = new ThreadedOutput().end();
    expect((await ended).sha256).toBe(sha256(new Uint8Array(0)));
  });
});

describe('a file of the thread', () => {
  const folder = temporaryFolder('writer-thread');
  afterAll(() => folder.remove());

  it('holds all pieces, in many questions and in one', async () => {
    const pieces = [Uint8Array.of(1, 2), new Uint8Array(0), Uint8Array.of(3)];
    const [many, one] = ['many', 'one'].map((name) => join(folder.path, name));
    const slow = new ThreadedOutput(many);
    for (const piece of pieces) await slow.append(piece);
    const { taken, ended } = new ThreadedOutput(one).end(pieces, Uint8Array.of(7));
    expect(await taken).toBe(sha256(Uint8Array.of(7)));
    const expected = { sizeBytes: 3, sha256: sha256(Uint8Array.of(1, 2, 3)) };
    expect([await slow.end().ended, await ended]).toEqual([expected, expected]);
    for (const path of [many!, one!]) expect([...readFileSync(path)]).toEqual([1, 2, 3]);
  });

  it('is never written over another one: its fault is told, and the next one is written', async () => {
    const path = join(folder.path, 'there');
    writeFileSync(path, 'first');
    const { taken, ended } = new ThreadedOutput(path).end([Uint8Array.of(1)]);
    await expect(taken).rejects.toThrow('file operation failed (EEXIST)');
    await expect(ended).rejects.toThrow('file operation failed (EEXIST)');
    expect(readFileSync(path, 'utf8')).toBe('first');
    const next = new ThreadedOutput(join(folder.path, 'next')).end();
    expect(await next.ended).toEqual({ sizeBytes: 0, sha256: sha256(new Uint8Array(0)) });
  });
});
