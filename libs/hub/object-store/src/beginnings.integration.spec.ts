/**
 * Goal: beginnings are bounded in age, number and bytes, belong to one site and one taker, and a
 * dead process leaves them as such. Method: files in a temporary folder, times set by hand.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { sha256Hex, systemClock, type SiteId } from '@aifi/shared-kernel';
import { temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import { BEGINNING_BYTES_MIN, Beginnings, incomingName } from './beginnings.js';
import { FolderObjectStore } from './folder-object-store.js';
import { IncomingObject } from './incoming-object.js';

const [siteA, siteB] = ['site-a', 'site-b'] as unknown as [SiteId, SiteId];
const HOUR_MS = 3_600_000;
const NOW_MS = systemClock.nowMs();
const bytes = randomBytes(3 * BEGINNING_BYTES_MIN);
const expected = { sha256: sha256Hex(bytes), sizeBytes: bytes.length };

describe(Beginnings.name, () => {
  let folder: TemporaryFolder;
  let store: FolderObjectStore;
  beforeEach(() => {
    folder = temporaryFolder('beginnings');
    store = new FolderObjectStore(folder.path);
  });
  afterEach(() => folder.remove());

  const namesIn = (site: string, name: string): string[] =>
    readdirSync(join(folder.path, site, name));

  async function begun(length: number): Promise<void> {
    const object = await store.receive(siteA, expected, 0);
    await object.append(bytes.subarray(0, length));
    await store.keep(siteA, object, NOW_MS);
  }

  it('is found by its own site only, and taken once', async () => {
    await begun(2 * BEGINNING_BYTES_MIN);
    await expect(store.offsets(siteB, [expected.sha256])).resolves.toEqual(new Map());
    const takes = [1, 2].map(() => store.receive(siteA, expected, 2 * BEGINNING_BYTES_MIN));
    const taken = await Promise.allSettled(takes);
    expect(taken.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    for (const one of taken) if (one.status === 'fulfilled') await one.value.discard();
  });

  it('goes on with the same digest over all of it', async () => {
    await begun(2 * BEGINNING_BYTES_MIN);
    const object = await store.receive(siteA, expected, 2 * BEGINNING_BYTES_MIN);
    await object.append(bytes.subarray(2 * BEGINNING_BYTES_MIN));
    await object.finish();
    await store.place([{ siteId: siteA, object }]);
    const read = Buffer.concat(await store.read(siteA, expected.sha256).toArray());
    expect(read.equals(bytes)).toBe(true);
  });

  it('that cannot be read again is given up, handle and file', async () => {
    await begun(BEGINNING_BYTES_MIN);
    const opened = (): number => readdirSync('/proc/self/fd').length;
    const before = opened();
    const path = join(folder.path, 'site-a', 'incoming', incomingName(expected.sha256));
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, 'shorter than it was');
    const open = IncomingObject.open(path, expected, BEGINNING_BYTES_MIN);
    await expect(open).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' });
    expect([opened(), namesIn('site-a', 'incoming')]).toEqual([before, []]);
  });

  it('is not kept when it is short, nor when a longer one is held', async () => {
    await begun(BEGINNING_BYTES_MIN - 1);
    await expect(store.offsets(siteA, [expected.sha256])).resolves.toEqual(new Map());
    await begun(2 * BEGINNING_BYTES_MIN);
    const path = join(folder.path, 'site-a', 'shorter');
    writeFileSync(path, bytes.subarray(0, BEGINNING_BYTES_MIN));
    const sut = new Beginnings(join(folder.path, 'site-a', 'beginnings'));
    await sut.keep(expected.sha256, path, NOW_MS);
    const held = await store.offsets(siteA, [expected.sha256]);
    expect([...held.values()]).toEqual([2 * BEGINNING_BYTES_MIN]);
  });

  it('is made of what a dead process had in hand, and of nothing else there', async () => {
    const incoming = join(folder.path, 'site-a', 'incoming');
    mkdirSync(incoming, { recursive: true });
    const name = incomingName(expected.sha256);
    writeFileSync(join(incoming, name), bytes.subarray(0, BEGINNING_BYTES_MIN));
    writeFileSync(join(incoming, '.other.part'), bytes);
    await store.removeUnfinished();
    expect(namesIn('site-a', 'beginnings')).toEqual([expected.sha256]);
    expect(readdirSync(join(folder.path, 'site-a'))).toEqual(['beginnings']);
  });

  it('goes after a day, and the oldest go first when there are too many', async () => {
    const own = join(folder.path, 'site-a', 'beginnings');
    const other = join(folder.path, 'site-b', 'beginnings');
    for (const one of [own, other]) mkdirSync(one, { recursive: true });
    const make = (at: string, index: number, ageMs: number): string => {
      const name = sha256Hex(`object ${index}`);
      writeFileSync(join(at, name), 'x');
      const seconds = (NOW_MS - ageMs) / 1_000;
      utimesSync(join(at, name), seconds, seconds);
      return name;
    };
    const old = make(own, 0, 25 * HOUR_MS);
    const names = Array.from({ length: 66 }, (_, index) => make(own, index + 1, index * 1_000));
    const foreign = make(other, 1, 2 * HOUR_MS);
    await store.removeStaleBeginnings(NOW_MS);
    const left = namesIn('site-a', 'beginnings');
    expect(left).not.toContain(old);
    expect(left.sort()).toEqual(names.slice(0, 64).sort());
    expect(namesIn('site-b', 'beginnings')).toEqual([foreign]);
  });
});
