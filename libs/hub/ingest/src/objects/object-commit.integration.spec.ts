/**
 * Goal: objects of one group come to their end site by site: what one site's folder cannot take is
 * no fault of another's, and leaves nothing behind. Method: real files, records in memory; a file
 * where a folder should be stands for a disk that makes none.
 */
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { FolderObjectStore, type IncomingObject } from '@aifi/hub-object-store';
import { sha256Hex, systemClock, type SiteId } from '@aifi/shared-kernel';
import { temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import { MemoryObjectRecords } from './memory-object-records.js';
import { ObjectCommit } from './object-commit.js';

// Tests stand in for the TLS layer, which alone makes site ids at the hub.
const [siteA, siteB] = ['site-a', 'site-b'] as unknown as [SiteId, SiteId];

describe(ObjectCommit.name, () => {
  let folder: TemporaryFolder;
  let store: FolderObjectStore;
  let records: MemoryObjectRecords;
  let sut: ObjectCommit;
  beforeEach(() => {
    folder = temporaryFolder('commit');
    store = new FolderObjectStore(folder.path);
    records = new MemoryObjectRecords();
    sut = new ObjectCommit({ store, records, clock: systemClock });
  });
  afterEach(() => folder.remove());

  async function finished(siteId: SiteId, text: string): Promise<IncomingObject> {
    const bytes = Buffer.from(text);
    const expected = { sha256: sha256Hex(bytes), sizeBytes: bytes.length };
    const object = await store.receive(siteId, expected, 0);
    await object.append(bytes);
    await object.finish();
    return object;
  }
  const incoming = (siteName: string): string[] =>
    readdirSync(join(folder.path, siteName, 'incoming'));

  it('lets a site whose folder cannot be made hold up no other, and leaves no files', async () => {
    const first = await finished(siteA, 'first');
    const [ofA, ofB, besideB] = [
      await finished(siteA, 'second'),
      await finished(siteB, 'cannot be placed'),
      await finished(siteB, 'could be placed'),
    ];
    const blocked = join(folder.path, 'site-b', ofB.expected.sha256.slice(0, 2));
    writeFileSync(blocked, '');
    // The first goes alone; the others wait for it and make one group.
    const ends = await Promise.allSettled([
      sut.add(siteA, first),
      sut.add(siteA, ofA),
      sut.add(siteB, ofB),
      sut.add(siteB, besideB),
    ]);
    expect(ends.map(({ status }) => status)).toEqual([
      ...['fulfilled', 'fulfilled', 'rejected', 'rejected'],
    ]);
    expect([...records.digestsOf(siteA)].sort()).toEqual(
      [first, ofA].map(({ expected }) => expected.sha256).sort(),
    );
    expect(records.digestsOf(siteB)).toEqual([]);
    expect([incoming('site-a'), incoming('site-b')]).toEqual([[], []]);
    // Sent again it is taken.
    rmSync(blocked);
    await sut.add(siteB, await finished(siteB, 'cannot be placed'));
    expect(records.digestsOf(siteB)).toEqual([ofB.expected.sha256]);
    await expect(store.has(siteB, ofB.expected)).resolves.toBe(true);
  });
});
