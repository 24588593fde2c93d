/**
 * Goal: a hub that dies while it keeps the beginning of an object, or while it syncs a long one,
 * goes on after what it holds, or begins anew; nothing but the whole object ever has its name.
 * Method: a life takes up what a life before it left, as the hub does when it starts, receives
 * more of an object and dies by kill -9 at a named point; then the next life, over the same folder.
 */
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { sha256Hex, type Sha256, type SiteId } from '@aifi/shared-kernel';
import {
  killedAt,
  HITS,
  livedOn,
  temporaryFolder,
  type TemporaryFolder,
} from '@aifi/shared-testing';
import { FolderObjectStore } from './folder-object-store.js';

// A second object, too short to be kept, is half there when the first one breaks or is whole.
const LIFE = `
const { readFileSync } = await import('node:fs');
const { FolderObjectStore } = await import('@aifi/hub-object-store');
const { AifiError, sha256Hex, systemClock } = await import('@aifi/shared-kernel');
const [root, file, until] = process.argv.slice(1);
const bytes = readFileSync(file);
const expected = { sha256: sha256Hex(bytes), sizeBytes: bytes.length };
const site = 'site-a';
const store = new FolderObjectStore(root);
await store.removeUnfinished(systemClock.nowMs());
const receive = async (from) => {
  const object = await store.receive(site, expected, from);
  for (let at = from; at < Number(until); at += 262_144) {
    await object.append(bytes.subarray(at, Math.min(at + 262_144, Number(until))));
  }
  if (!object.isWhole) return store.keep(site, object, systemClock.nowMs());
  try {
    await object.finish();
  } catch (error) {
    await object.discard();
    throw error;
  }
  await store.place([{ siteId: site, object }]);
};
const said = { isHeld: await store.has(site, expected), from: [] };
if (!said.isHeld) {
  const short = bytes.subarray(0, 300_000);
  const other = { sha256: sha256Hex(short), sizeBytes: short.length };
  const offsets = await store.offsets(site, [expected.sha256, other.sha256]);
  said.other = offsets.get(other.sha256) ?? 0;
  (await store.receive(site, other, 0)).append(short.subarray(0, 200_000));
  said.from.push(offsets.get(expected.sha256) ?? 0);
  try {
    await receive(said.from[0]);
  } catch (error) {
    if (AifiError.from(error).code !== 'DIGEST_MISMATCH') throw error;
    said.from.push((await store.offsets(site, [expected.sha256])).get(expected.sha256) ?? 0);
    await receive(said.from[1]);
  }
}
process.stdout.write(JSON.stringify(said));`;

const MIB = 1024 * 1024;
/** Of the object; more than two syncs on its way (4 MiB each). @unit bytes */
const SIZE = 13 * MIB + 77;
/** Where the first life dies, and where a later one breaks off. @unit bytes */
const [FIRST, SECOND] = [3 * MIB, 9 * MIB + 5];
const SITE = 'site-a' as unknown as SiteId;

/** What a life said: objects held whole, and the offsets at which it went on. */
interface Said {
  readonly isHeld: boolean;
  readonly from: readonly number[];
  /** Offset of the short object. */
  readonly other?: number;
}

describe('a hub that is killed while an object comes', () => {
  let folder: TemporaryFolder;
  let root: string;
  let file: string;
  let bytes: Buffer;
  let sha256: Sha256;
  beforeEach(() => {
    folder = temporaryFolder('kill-drill-objects');
    [root, file] = [join(folder.path, 'objects'), join(folder.path, 'sent')];
    bytes = randomBytes(SIZE);
    sha256 = sha256Hex(bytes);
    writeFileSync(file, bytes);
  });
  afterEach(() => folder.remove());

  const argsOf = (until: number): string[] => [root, file, String(until)];
  const killed = (point: string, until: number): Promise<void> =>
    killedAt(`hub.objects.${point}`, LIFE, argsOf(until));
  const lived = async (until = SIZE): Promise<Said> =>
    JSON.parse(await livedOn(LIFE, argsOf(until))) as Said;
  const pathsIn = (name: string): string[] => {
    const at = join(root, SITE, name);
    return existsSync(at) ? readdirSync(at).map((one) => join(at, one)) : [];
  };
  /** The file of the long object on its way; the short one has written nothing yet. */
  const onItsWay = (): string => {
    const [path, ...others] = pathsIn('incoming').filter((one) => one.includes(sha256));
    expect(others).toEqual([]);
    return path!;
  };
  const expectBeginning = (path: string, length: number): void => {
    const held = readFileSync(path);
    expect(held.length).toBe(length);
    expect(held.equals(bytes.subarray(0, length))).toBe(true);
  };
  async function expectNotWhole(): Promise<void> {
    const store = new FolderObjectStore(root);
    expect(await store.has(SITE, { sha256, sizeBytes: SIZE })).toBe(false);
    expect(existsSync(store.path(SITE, sha256))).toBe(false);
  }
  /** Whole under its name, nothing else of it left; once more changes nothing. */
  async function expectWhole(): Promise<void> {
    const store = new FolderObjectStore(root);
    const digest = (): string =>
      createHash('sha256')
        .update(readFileSync(store.path(SITE, sha256)))
        .digest('hex');
    expect(digest()).toBe(sha256);
    expect(pathsIn('beginnings')).toEqual([]);
    expect(await lived()).toEqual({ isHeld: true, from: [] });
    expect(digest()).toBe(sha256);
    const left = new Set(['beginnings', sha256.slice(0, 2)]);
    expect(new Set(readdirSync(join(root, SITE)))).toEqual(left);
    expect(pathsIn('beginnings')).toEqual([]);
  }

  it.each(HITS)(
    'before it has kept a beginning keeps it when it starts again (hit %i)',
    async () => {
      await killed('before-keep', FIRST);
      await expectNotWhole();
      expectBeginning(onItsWay(), FIRST);
      expect(pathsIn('beginnings')).toEqual([]);
      expect(await lived(SECOND)).toEqual({ isHeld: false, from: [FIRST], other: 0 });
      expect(await lived()).toEqual({ isHeld: false, from: [SECOND], other: 0 });
      await expectWhole();
    },
    120_000,
  );

  it.each(HITS)(
    'after it has kept a beginning goes on after just that (hit %i)',
    async () => {
      await killed('after-keep', FIRST);
      await expectNotWhole();
      expect(pathsIn('beginnings')).toEqual([join(root, SITE, 'beginnings', sha256)]);
      expectBeginning(join(root, SITE, 'beginnings', sha256), FIRST);
      expect(await lived()).toEqual({ isHeld: false, from: [FIRST], other: 0 });
      await expectWhole();
    },
    120_000,
  );

  // The first passage of the second life is of adopting, the second one of keeping.
  const again = HITS.flatMap((hit) =>
    ['before-keep', 'after-keep'].flatMap((point) =>
      [1, 2].map((passage) => ({ hit, point, passage })),
    ),
  );
  it.each(again)(
    'and killed again as it takes that up, at $point#$passage (hit $hit)',
    async ({ point, passage }) => {
      await killed('before-keep', FIRST);
      await killed(`${point}#${passage}`, SECOND);
      await expectNotWhole();
      const from = [passage === 1 ? FIRST : SECOND];
      expect(await lived()).toEqual({ isHeld: false, from, other: 0 });
      await expectWhole();
    },
    120_000,
  );

  const synced = HITS.flatMap((hit) => [1, 2].map((passage) => ({ hit, passage })));
  it.each(synced)(
    'after sync $passage of a long object goes on after what is there (hit $hit)',
    async ({ passage }) => {
      await killed(`beginning-synced#${passage}`, SIZE);
      await expectNotWhole();
      const { length } = readFileSync(onItsWay());
      expect(length).toBeGreaterThanOrEqual(passage * 4 * MIB);
      expectBeginning(onItsWay(), length);
      expect(await lived()).toEqual({ isHeld: false, from: [length], other: 0 });
      await expectWhole();
    },
    120_000,
  );

  it.each(synced)(
    'and loses what was not synced after sync $passage goes on there (hit $hit)',
    async ({ passage }) => {
      await killed(`beginning-synced#${passage}`, SIZE);
      const length = passage * 4 * MIB;
      truncateSync(onItsWay(), length);
      expect(await lived()).toEqual({ isHeld: false, from: [length], other: 0 });
      await expectWhole();
    },
    120_000,
  );

  it.each(HITS)(
    'and has other bytes there than were sent drops them whole (hit %i)',
    async () => {
      await killed('beginning-synced', SIZE);
      const length = readFileSync(onItsWay()).length;
      const zeros = Buffer.alloc(length - 4 * MIB + 4_096);
      writeFileSync(onItsWay(), Buffer.concat([bytes.subarray(0, 4 * MIB - 4_096), zeros]));
      expect(await lived()).toEqual({ isHeld: false, from: [length, 0], other: 0 });
      await expectWhole();
    },
    120_000,
  );
});
