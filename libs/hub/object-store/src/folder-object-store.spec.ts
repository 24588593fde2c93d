/**
 * Goal: an object is either whole under its digest or absent, and sites share nothing.
 * Method: a store in a temporary folder; declared digests that lie; an unfinished write.
 */
import { readdirSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { sha256Hex, type Sha256, type SiteId } from '@aifi/shared-kernel';
import { temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import { FolderObjectStore, putBytes } from './folder-object-store.js';

const [siteA, siteB] = ['site-a', 'site-b'] as unknown as [SiteId, SiteId];
const bytes = Buffer.from('some bytes');
const object = { sha256: sha256Hex(bytes), sizeBytes: bytes.length };

describe(FolderObjectStore.name, () => {
  let folder: TemporaryFolder;
  let sut: FolderObjectStore;
  beforeEach(() => {
    folder = temporaryFolder('object-store');
    sut = new FolderObjectStore(folder.path);
  });
  afterEach(() => folder.remove());

  it('gives back the bytes that it took, under their digest', async () => {
    await expect(putBytes(sut, siteA, bytes)).resolves.toEqual(object);
    const read = await sut.read(siteA, object.sha256).toArray();
    expect(Buffer.concat(read)).toEqual(bytes);
  });

  it('keeps the objects of one site from another', async () => {
    await putBytes(sut, siteA, bytes);
    await expect(sut.has(siteA, object)).resolves.toBe(true);
    await expect(sut.has(siteB, object)).resolves.toBe(false);
  });

  it('keeps nothing of an object whose digest or size was declared otherwise', async () => {
    for (const lie of [
      { ...object, sizeBytes: 9 },
      { ...object, sha256: sha256Hex('x') },
    ]) {
      const writer = await sut.put(siteA);
      await writer.append(bytes);
      await expect(writer.commit(lie)).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' });
      await writer.discard();
    }
    await expect(sut.has(siteA, object)).resolves.toBe(false);
    expect(readdirSync(`${folder.path}/site-a/incoming`)).toEqual([]);
  });

  it('removes unfinished writes and only those', async () => {
    await putBytes(sut, siteA, bytes);
    const unfinished = await sut.put(siteA);
    await unfinished.append(bytes);
    await sut.removeUnfinished();
    await unfinished.discard();
    expect(readdirSync(`${folder.path}/site-a`)).toEqual([object.sha256.slice(0, 2)]);
  });

  it('takes nothing but a digest as a name', () => {
    expect(() => sut.path(siteA, '../site-b/x' as Sha256)).toThrow('not a valid SHA-256');
  });

  it('forgets a deleted object', async () => {
    await putBytes(sut, siteA, bytes);
    await sut.delete(siteA, object.sha256);
    await expect(sut.has(siteA, object)).resolves.toBe(false);
  });
});
