/**
 * Goal: a backup brings the vault back, with its ring, without what was erased since; anything else
 * than that very backup is refused. Method: restore drills in temporary folders.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { originalUid, pseudonymousUid, type OriginalUid } from '@aifi/shared-kernel';
import { fileKeyWrapper, keyRingOf } from '@aifi/shared-site-keys';
import {
  FakeClock,
  fakeSiteKeys,
  temporaryFolder,
  type TemporaryFolder,
} from '@aifi/shared-testing';
import { anIdentity, jobOf, linkageOf } from '../test/vault-fixtures.js';
import {
  backupVault,
  IdentityEventLog,
  restoreVault,
  Vault,
  type RestoreOptions,
} from './index.js';

const [first, second] = [fakeSiteKeys('site-a', 1), fakeSiteKeys('site-a', 2)];
const ring = keyRingOf(first);
const CHUNK = 256 * 1024;

describe('backup of the vault', () => {
  let folder: TemporaryFolder;
  let sut: Vault;
  const clock = new FakeClock();
  const path = (): string => join(folder.path, 'vault.db');
  const backups = (): string => join(folder.path, 'backups');
  beforeEach(async () => {
    folder = temporaryFolder('vault');
    sut = Vault.open(path(), ring, { clock });
    // More than two chunks, so that there is something to rearrange.
    const uids = new Map(
      Array.from({ length: 10_000 }, (_, i) => [
        pseudonymousUid(`2.25.${keyed(i)}`),
        originalUid(`1.2.${keyed(i + 1)}`),
      ]),
    );
    for (const n of [1, 2, 3]) {
      const asSent = anIdentity('Canary^C', `CANARY${n}`);
      await sut.recordLinkage(linkageOf(n, asSent), uids, clock.nowMs());
    }
  });
  afterEach(() => {
    sut.close();
    folder.remove();
  });
  const keyed = (i: number): string => `1${(BigInt(i) * 6364136223846793005n) % 10n ** 30n}`;
  const make = async (): Promise<string> => {
    const file = await backupVault({ path: path(), ring, folder: backups(), atMs: clock.nowMs() });
    return file.path;
  };
  const loseVault = (): void => {
    sut.close();
    for (const name of readdirSync(folder.path)) {
      if (name.startsWith('vault.db') && !name.endsWith('.erasures')) {
        rmSync(join(folder.path, name));
      }
    }
  };
  const restore = (backup: string, more: Partial<RestoreOptions> = {}) =>
    restoreVault({ backup, path: path(), ring, atMs: clock.nowMs(), vault: { clock }, ...more });
  const reopen = (): void => {
    sut = Vault.open(path(), ring, { clock });
  };
  const study = (n: number): OriginalUid => originalUid(`1.2.${n}`);

  it('is made while the vault is in use, shows nothing, and brings all of it back', async () => {
    const backup = await make();
    const bytes = readFileSync(backup).toString('latin1');
    expect(bytes).not.toMatch(/Canary|CANARY|SQLite|linkage|2\.25\./);
    expect(statSync(backup).mode & 0o077).toBe(0);
    expect(readdirSync(folder.path).filter((name) => name.startsWith('.'))).toEqual([]);
    await sut.recordLinkage(linkageOf(4, anIdentity('Later^L')), new Map(), clock.nowMs());
    loseVault();
    expect(await restore(backup)).toEqual({ jobs: 0, results: 0 });
    reopen();
    expect(sut.linkage(jobOf(2))).toEqual(linkageOf(2, anIdentity('Canary^C', 'CANARY2')));
    expect(sut.originalUid(jobOf(2), `2.25.${keyed(7)}`)).toBe(`1.2.${keyed(8)}`);
    expect(sut.linkage(jobOf(4))).toBeUndefined();
    expect(
      sut
        .actsAfter(0)
        .map(({ act }) => act)
        .slice(-2),
    ).toEqual(['exported', 'restored']);
    expect(sut.firstBrokenAct()).toBeUndefined();
    expect(statSync(path()).mode & 0o077).toBe(0);
  });
  it('applies every erasure that came after it, and what has run out since', async () => {
    const backup = await make();
    await sut.erasePatient({ patientId: 'CANARY2', issuer: '' }, clock.nowMs());
    loseVault();
    await restore(backup);
    reopen();
    expect([1, 2, 3].map((n) => sut.linkage(jobOf(n)) !== undefined)).toEqual([true, false, true]);
    expect(sut.identityHistory(study(2))).toEqual([]);
    sut.close();
    loseVault();
    const atMs = clock.nowMs() + 91 * 86_400_000;
    expect(await restore(backup, { atMs })).toEqual({ jobs: 2, results: 0 });
    reopen();
  });
  it('takes an erasure list that was kept elsewhere, when the disk is lost', async () => {
    const backup = await make();
    await sut.erasePatient({ patientId: 'CANARY2', issuer: '' }, clock.nowMs());
    const kept = join(backups(), 'erasures');
    writeFileSync(kept, readFileSync(`${path()}.erasures`));
    loseVault();
    rmSync(`${path()}.erasures`);
    await restore(backup, { erasureLists: [kept] });
    reopen();
    expect(sut.linkage(jobOf(2))).toBeUndefined();
  });
  describe('with the identity events', () => {
    const eventsPath = (): string => join(folder.path, 'identity-events.db');
    const moved = (n: number) => ({
      ...{ eventId: `e${n}`, trigger: 'A47' as const, happenedMs: n },
      ...{ from: { id: `CANARY${n}`, issuer: '' }, into: { id: `NEXT${n}`, issuer: '' } },
    });
    const makeBoth = () =>
      backupVault({
        ...{ path: path(), eventsPath: eventsPath(), ring, folder: backups() },
        atMs: clock.nowMs(),
      });
    const about = (): string[] => {
      const log = IdentityEventLog.open(eventsPath(), ring);
      const found = [1, 2, 3].flatMap((n) => log.about(`CANARY${n}`));
      log.close();
      return found.map(({ eventId }) => eventId);
    };
    async function record(...numbers: readonly number[]): Promise<void> {
      const log = IdentityEventLog.open(eventsPath(), ring);
      for (const n of numbers) await log.record(moved(n), clock.nowMs());
      log.close();
    }

    it('brings them back with the vault, without who was erased since', async () => {
      await record(1, 2);
      const { path: backup } = await makeBoth();
      expect(readFileSync(backup).toString('latin1')).not.toMatch(/CANARY|NEXT/);
      await sut.erasePatient({ patientId: 'CANARY2', issuer: '' }, clock.nowMs());
      loseVault();
      rmSync(eventsPath());
      await restore(backup, { eventsPath: eventsPath() });
      reopen();
      expect(about()).toEqual(['e1']);
      const direct = new DatabaseSync(path(), { readOnly: true });
      const tables = direct.prepare("SELECT name FROM sqlite_schema WHERE name LIKE '%event%'");
      expect(tables.all()).toEqual([]);
      direct.close();
    });
    it('keeps those that came after the backup', async () => {
      await record(1);
      const { path: backup } = await makeBoth();
      await record(3);
      loseVault();
      await restore(backup, { eventsPath: eventsPath() });
      reopen();
      expect(about()).toEqual(['e1', 'e3']);
    });
  });
  it('opens after a rotation of the keys, as long as the ring has its epoch', async () => {
    const backup = await make();
    loseVault();
    await expect(
      restore(backup, { ring: keyRingOf({ ...second, index: first.index }) }),
    ).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    expect(existsSync(path())).toBe(false);
    await restore(backup, { ring: keyRingOf(first, second) });
    sut = Vault.open(path(), keyRingOf(first, second), { clock });
    expect(sut.linkage(jobOf(1))).toBeDefined();
  });
  it('can be wrapped by a key store, and needs that one then', async () => {
    const wrapper = fileKeyWrapper(join(folder.path, 'backup.key'));
    writeFileSync(join(folder.path, 'backup.key'), 'ab'.repeat(32), { mode: 0o600 });
    const file = await backupVault({
      ...{ path: path(), ring, folder: backups(), atMs: clock.nowMs(), wrapper },
    });
    loseVault();
    await expect(restore(file.path)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    await restore(file.path, { wrapper });
    reopen();
    expect(sut.linkage(jobOf(1))).toBeDefined();
  });
  it('never replaces a vault that is there', async () => {
    const backup = await make();
    await expect(restore(backup)).rejects.toMatchObject({ code: 'STATE_CONFLICT' });
    expect(sut.linkage(jobOf(1))).toBeDefined();
  });
  it('is refused by another site, before anything is written', async () => {
    const backup = await make();
    loseVault();
    const foreign = keyRingOf(fakeSiteKeys('site-b'));
    await expect(restore(backup, { ring: foreign })).rejects.toMatchObject({ code: 'UNTRUSTED' });
    expect(readdirSync(folder.path)).toEqual(['backups']);
    reopen();
  });

  const damages: [string, (bytes: Buffer) => Buffer][] = [
    ['has one byte changed in its header', (bytes) => flipped(bytes, 40)],
    ['has one byte changed in a chunk', (bytes) => flipped(bytes, CHUNK + 5_000)],
    ['has one byte changed at its end', (bytes) => flipped(bytes, bytes.length - 1)],
    ['is cut within a chunk', (bytes) => bytes.subarray(0, bytes.length - 100)],
    ['lacks its last chunk', (bytes) => bytes.subarray(0, afterChunk(bytes, 2))],
    ['lacks its first chunk', (bytes) => spliced(bytes, [1])],
    ['has two chunks exchanged', (bytes) => spliced(bytes, [1, 0])],
    ['goes on after its end', (bytes) => Buffer.concat([bytes, Buffer.from('x')])],
    ['is empty', () => Buffer.alloc(0)],
  ];
  const flipped = (bytes: Buffer, at: number): Buffer => {
    const changed = Buffer.from(bytes);
    changed[at]! ^= 1;
    return changed;
  };
  const headerEnd = (bytes: Buffer): number => 12 + bytes.readUInt32BE(8);
  const chunkBytes = 4 + CHUNK + 16;
  const afterChunk = (bytes: Buffer, count: number): number =>
    headerEnd(bytes) + count * chunkBytes;
  /** The file with these chunks in place of the first two. */
  const spliced = (bytes: Buffer, chunks: readonly number[]): Buffer =>
    Buffer.concat([
      bytes.subarray(0, headerEnd(bytes)),
      ...chunks.map((n) => bytes.subarray(afterChunk(bytes, n), afterChunk(bytes, n + 1))),
      bytes.subarray(afterChunk(bytes, 2)),
    ]);
  it.each(damages)('is refused when it %s, and leaves nothing behind', async (_, spoil) => {
    const backup = await make();
    const bytes = readFileSync(backup);
    expect(bytes.length).toBeGreaterThan(afterChunk(bytes, 2));
    writeFileSync(backup, spoil(bytes));
    loseVault();
    await expect(restore(backup)).rejects.toMatchObject({ code: 'UNTRUSTED' });
    expect(readdirSync(folder.path)).toEqual(['backups']);
    reopen();
  });
});
