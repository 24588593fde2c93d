/**
 * Goal: keys are made once, upgraded once, rotated without losing an epoch, and never shown.
 * Method: key files in a temporary folder; a key store in memory, and one in a file.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { chmodSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { inspect } from 'node:util';
import { AifiError } from '@aifi/shared-kernel';
import { FakeClock, temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import {
  describeKeyRing,
  fileKeyWrapper,
  KEY_NAMES,
  loadKeyRing,
  readKeyRing,
  retireEpochs,
  rewrapKeys,
  rotateKeys,
  type KeyWrapper,
} from './index.js';

let folder: TemporaryFolder;
const clock = new FakeClock();
const path = (): string => join(folder.path, 'keys', 'site-keys.json');
const text = (): string => readFileSync(path(), 'utf8');
beforeEach(() => {
  folder = temporaryFolder('site-keys');
});
afterEach(() => folder.remove());

const load = (wrapper?: KeyWrapper, mayCreate = false) =>
  loadKeyRing({ path: path(), mayCreate, clock, ...(wrapper && { wrapper }) });
const make = (wrapper?: KeyWrapper) => load(wrapper, true);
/** A key store that can be taken away. */
function aStore(id = 'store'): KeyWrapper & { isAway: boolean } {
  const flip = (bytes: Uint8Array): Buffer => Buffer.from(bytes.map((byte) => byte ^ 0x5a));
  const sut = {
    id,
    isAway: false,
    wrap: async (bytes: Uint8Array) => flip(bytes),
    unwrap: async (bytes: Uint8Array) => {
      if (sut.isAway) throw new AifiError('PEER_UNAVAILABLE', 'away');
      return flip(bytes);
    },
  };
  return sut;
}
const invalid = { code: 'CONFIG_INVALID' };

describe(loadKeyRing.name, () => {
  it('makes keys once, all different, with mode 0600, and reads them again', async () => {
    const { current, epochs } = await make();
    expect(epochs).toEqual([1]);
    expect(new Set(KEY_NAMES.map((name) => current[name].toString('hex'))).size).toBe(8);
    expect((await load()).current).toEqual(current);
    expect(statSync(path()).mode & 0o777).toBe(0o600);
  });
  it('never makes keys where some were in use: a lost file is no new hospital', async () => {
    await expect(load()).rejects.toMatchObject(invalid);
    await expect(load()).rejects.toThrow(/key file is missing/);
    expect(existsSync(path())).toBe(false);
  });
  it.each([0o640, 0o604])('refuses a file that others may read (%o)', async (mode) => {
    await make();
    chmodSync(path(), mode);
    await expect(load()).rejects.toMatchObject(invalid);
  });
  it.each<[string, (file: FileJson) => unknown]>([
    ['has a short key', (file) => withKey(file, 'seal', 'ab'.repeat(16))],
    ['lacks a key', (file) => withKey(file, 'seal', undefined)],
    ['has a key too many', (file) => withKey(file, 'more', 'ab'.repeat(32))],
    ['has no epoch', (file) => ({ ...file, epochs: [] })],
    ['has an epoch twice', (file) => ({ ...file, epochs: [...file.epochs, ...file.epochs] })],
    ['has two index keys', (file) => ({ ...file, epochs: [...file.epochs, otherEpoch(file)] })],
    ['is of a later release', (file) => ({ ...file, version: 3 })],
    ['is a list', () => []],
  ])('refuses a file that %s, and does not replace it', async (_, spoil) => {
    await make();
    const spoilt = JSON.stringify(spoil(JSON.parse(text()) as FileJson));
    writeFileSync(path(), spoilt);
    for (const mayCreate of [false, true]) {
      await expect(load(undefined, mayCreate)).rejects.toMatchObject(invalid);
    }
    expect(text()).toBe(spoilt);
  });
  it('refuses a torn file, and does not replace it', async () => {
    await make();
    writeFileSync(path(), text().slice(0, -9));
    await expect(load(undefined, true)).rejects.toMatchObject(invalid);
  });

  it.each([
    ['without vault and index keys', ['uid', 'pid', 'date', 'seal', 'identity', 'result']],
    ['with all keys', [...KEY_NAMES]],
  ])('upgrades a file of version 1 %s, once', async (_, names) => {
    await make();
    const old = Object.fromEntries(names.map((name, i) => [name, `${i}a`.repeat(32)]));
    writeFileSync(path(), JSON.stringify({ epoch: 4, ...old }));
    const ring = await load();
    expect(ring.epochs).toEqual([4]);
    for (const [i, name] of names.entries()) {
      expect(ring.current[name as 'uid'].toString('hex')).toBe(`${i}a`.repeat(32));
    }
    expect((await load()).current).toEqual(ring.current);
    expect(await describeKeyRing(path())).toMatchObject({ version: 2, wrapper: null });
    expect(readdirSync(join(folder.path, 'keys'))).toEqual(['site-keys.json']);
  });
  it.each<[string, () => void, boolean]>([
    ['first keys', () => undefined, true],
    ['a file of version 1', () => versionOne(), false],
  ])('%s: two at once never have a ring that is not the file', async (_, given, mayCreate) => {
    for (let round = 0; round < 20; round += 1) {
      rmSync(join(folder.path, 'keys'), { recursive: true, force: true });
      given();
      const both = [load(undefined, mayCreate), load(undefined, mayCreate)];
      const outcomes = await Promise.allSettled(both);
      const rings = outcomes.filter((one) => one.status === 'fulfilled').map(({ value }) => value);
      expect(rings.length).toBeGreaterThan(0);
      const refused = outcomes.filter((one) => one.status === 'rejected');
      for (const { reason } of refused) expect(reason).toMatchObject({ code: 'STATE_CONFLICT' });
      const kept = await load();
      for (const { current } of rings) expect(current).toEqual(kept.current);
      expect(readdirSync(join(folder.path, 'keys'))).toEqual(['site-keys.json']);
    }
  });
  it('does not upgrade a file that somebody else is changing', async () => {
    versionOne();
    writeFileSync(`${path()}.lock`, '');
    const before = text();
    await expect(load()).rejects.toMatchObject({ code: 'STATE_CONFLICT' });
    expect(text()).toBe(before);
  });
  it('clears what an upgrade left that was cut off after its write', async () => {
    await make();
    writeFileSync(`${path()}.v1`, 'old', { mode: 0o600 });
    await load();
    expect(existsSync(`${path()}.v1`)).toBe(false);
  });
});

describe(readKeyRing.name, () => {
  const read = () => readKeyRing({ path: path() });
  it('changes nothing on disk, and gives of version 1 the keys that it has', async () => {
    const old = versionOne();
    const before = text();
    const { current, epochs } = await read();
    expect(epochs).toEqual([4]);
    for (const [name, key] of Object.entries(old)) {
      expect(current[name as 'uid'].toString('hex')).toBe(key);
    }
    for (const name of ['vault', 'index'] as const) {
      expect(() => current[name]).toThrow(/version 1: the gateway upgrades it/);
    }
    expect(inspect(current)).toBe('SiteKeys(epoch 4)');
    expect(text()).toBe(before);
    expect(readdirSync(join(folder.path, 'keys'))).toEqual(['site-keys.json']);
    const { current: upgraded } = await load();
    for (const name of Object.keys(old))
      expect(current[name as 'uid']).toEqual(upgraded[name as 'uid']);
  });
  it('is the ring of the file of version 2, makes none, and takes no lock', async () => {
    await expect(read()).rejects.toMatchObject(invalid);
    const { current } = await make();
    writeFileSync(`${path()}.v1`, 'old', { mode: 0o600 });
    writeFileSync(`${path()}.lock`, '');
    expect((await read()).current).toEqual(current);
    expect(readdirSync(join(folder.path, 'keys'))).toHaveLength(3);
  });
});

describe(rotateKeys.name, () => {
  it.each([
    ['sealing' as const, ['uid', 'pid', 'date', 'result', 'index']],
    ['pseudonyms' as const, ['index']],
  ])('makes an epoch for %s that takes over %j', async (kind, same) => {
    const before = await make();
    const ring = await rotateKeys({ path: path() }, kind, 77);
    expect(ring.epochs).toEqual([1, 2]);
    expect(ring.epoch(1)).toEqual(before.current);
    const taken = KEY_NAMES.filter((name) => ring.current[name].equals(before.current[name]));
    expect(taken).toEqual(KEY_NAMES.filter((name) => same.includes(name)));
    expect((await load()).current).toEqual(ring.current);
    expect((await describeKeyRing(path())).epochs.at(-1)).toEqual({ epoch: 2, madeAtMs: 77, kind });
    expect(existsSync(`${path()}.lock`)).toBe(false);
  });
  it('loses no epoch to a rotation at the same time', async () => {
    await make();
    const both = [1, 2].map((atMs) => rotateKeys({ path: path() }, 'sealing', atMs));
    const outcomes = await Promise.allSettled(both);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const refused = outcomes.find(({ status }) => status === 'rejected');
    expect(refused).toMatchObject({ reason: { code: 'STATE_CONFLICT' } });
    expect((await load()).epochs).toEqual([1, 2]);
  });
  it('rotates nothing where there is nothing', async () => {
    await expect(rotateKeys({ path: path() }, 'sealing', 1)).rejects.toMatchObject(invalid);
  });
});

describe(retireEpochs.name, () => {
  it('drops what nothing needs, never the last two epochs, never one in use', async () => {
    await make();
    for (let n = 0; n < 3; n++) await rotateKeys({ path: path() }, 'sealing', n);
    expect((await retireEpochs({ path: path() }, [2])).epochs).toEqual([2, 3, 4]);
    await expect(retireEpochs({ path: path() }, [1])).rejects.toMatchObject({
      code: 'STATE_CONFLICT',
    });
    expect((await retireEpochs({ path: path() }, [])).epochs).toEqual([3, 4]);
    expect((await rotateKeys({ path: path() }, 'sealing', 9)).epochs).toEqual([3, 4, 5]);
  });
});

describe('a wrapped key file', () => {
  it('shows no key, opens with its store only, and holds while that is away', async () => {
    const store = aStore();
    const { current } = await make(store);
    for (const name of KEY_NAMES) expect(text()).not.toContain(current[name].toString('hex'));
    expect((await load(store)).current).toEqual(current);
    await expect(load()).rejects.toMatchObject(invalid);
    await expect(load(aStore('other'))).rejects.toMatchObject(invalid);
    store.isAway = true;
    await expect(load(store)).rejects.toMatchObject({ code: 'PEER_UNAVAILABLE' });
    await expect(rotateKeys({ path: path(), wrapper: store }, 'sealing', 1)).rejects.toMatchObject({
      code: 'PEER_UNAVAILABLE',
    });
    store.isAway = false;
    expect((await load(store)).current).toEqual(current);
  });
  it('is not believed after a change of what is written beside the keys', async () => {
    const store = aStore();
    await make(store);
    const file = JSON.parse(text()) as { epochs: [Record<string, unknown>] };
    file.epochs[0]['epoch'] = 2;
    writeFileSync(path(), JSON.stringify(file));
    await expect(load(store)).rejects.toMatchObject({ code: 'UNTRUSTED' });
  });
  it('is made from a plain one, and back, without another key', async () => {
    const store = aStore();
    const { current } = await make();
    await expect(load(store)).rejects.toThrow(/not wrapped/);
    await rewrapKeys({ path: path(), to: store });
    expect(await describeKeyRing(path())).toMatchObject({ version: 2, wrapper: 'store' });
    expect((await load(store)).current).toEqual(current);
    expect((await rotateKeys({ path: path(), wrapper: store }, 'sealing', 1)).epochs).toEqual([
      1, 2,
    ]);
    await rewrapKeys({ path: path(), wrapper: store, to: undefined });
    expect((await load()).epoch(1)).toEqual(current);
  });
  it('can be under a key in a file of its own, which nobody else may read', async () => {
    const keyPath = join(folder.path, 'kek');
    const wrapper = fileKeyWrapper(keyPath);
    await expect(make(wrapper)).rejects.toMatchObject(invalid);
    writeFileSync(keyPath, 'cd'.repeat(32), { mode: 0o600 });
    const { current } = await make(wrapper);
    expect((await load(wrapper)).current).toEqual(current);
    chmodSync(keyPath, 0o644);
    await expect(load(wrapper)).rejects.toMatchObject(invalid);
    chmodSync(keyPath, 0o600);
    writeFileSync(keyPath, 'ef'.repeat(32));
    await expect(load(wrapper)).rejects.toMatchObject({ code: 'UNTRUSTED' });
  });
});

describe('site keys', () => {
  it('show their epoch and nothing else when printed, logged or written as JSON', async () => {
    const ring = await make();
    const key = ring.current.uid;
    const shown = [inspect(ring, { depth: 9 }), JSON.stringify(ring), String(ring.current)].join();
    expect(shown).toContain('epoch');
    for (const form of [key.toString('hex'), key.toString('base64'), String(key[0]) + ','])
      expect(shown).not.toContain(form);
    expect(shown).not.toMatch(/Buffer|[0-9a-f]{2} [0-9a-f]{2} [0-9a-f]{2}/);
  });
});

/** A file as the first release wrote it, and its keys. */
function versionOne(): Record<string, string> {
  const names = ['uid', 'pid', 'date', 'seal', 'identity', 'result'];
  const keys = Object.fromEntries(names.map((name, i) => [name, `${i}b`.repeat(32)]));
  mkdirSync(dirname(path()), { recursive: true });
  writeFileSync(path(), JSON.stringify({ epoch: 4, ...keys }), { mode: 0o600 });
  return keys;
}
interface FileJson {
  readonly epochs: readonly { readonly keys: Record<string, string> }[];
}
function withKey(file: FileJson, name: string, key: string | undefined): FileJson {
  const [first] = file.epochs;
  return { ...file, epochs: [{ ...first!, keys: { ...first!.keys, [name]: key } as never }] };
}
function otherEpoch({ epochs }: FileJson): unknown {
  return { ...epochs[0], epoch: 2, keys: { ...epochs[0]!.keys, index: 'ab'.repeat(32) } };
}
