/**
 * Goal: every act of the vault that nobody else puts on record has exactly one record, whatever is
 * restarted, repeated or restored, and no record says of whom. Method: a real vault with its
 * backups beside a real access.db.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { verifyChain } from '@aifi/access-audit';
import type { AuditRecord } from '@aifi/contracts-rest';
import { DicomDataset } from '@aifi/dicom-core';
import { backupVault, identityOf, restoreVault, Vault } from '@aifi/gateway-vault';
import { jobId, originalUid, pseudonymousUid, type JobId } from '@aifi/shared-kernel';
import { keyRingOf } from '@aifi/shared-site-keys';
import {
  FakeClock,
  fakeSiteKeys,
  temporaryFolder,
  type TemporaryFolder,
} from '@aifi/shared-testing';
import { openGatewayAccess, type GatewayAccess } from './gateway-access.js';
import { createVaultRecords, recordVaultActs } from './vault-records.js';

const [first, second] = [fakeSiteKeys('site-a', 1), fakeSiteKeys('site-a', 2)];
const jobOf = (n: number): JobId => jobId(n.toString(16).padStart(32, '0'));
const DAY_MS = 86_400_000;

describe(createVaultRecords.name, () => {
  let folder: TemporaryFolder;
  let vault: Vault;
  let access: GatewayAccess;
  let clock: FakeClock;
  const path = (): string => join(folder.path, 'vault.db');
  const backups = (): string => join(folder.path, 'backups');
  const openVault = (ring = keyRingOf(first)): Vault => Vault.open(path(), ring, { clock });
  const openAccess = (): GatewayAccess =>
    openGatewayAccess({ path: join(folder.path, 'a.db'), siteId: 'site-a', clock });
  beforeEach(() => {
    folder = temporaryFolder('vault-records');
    clock = new FakeClock(Date.UTC(2026, 10, 20));
    vault = openVault();
    access = openAccess();
  });
  afterEach(async () => {
    vault.close();
    await access.database.close();
    folder.remove();
  });

  const link = (n: number): Promise<void> => {
    const patient = new DicomDataset()
      .setString('PatientName', 'Zonnebloem^Xaviera')
      .setString('PatientID', '0012345');
    const linkage = {
      ...{ jobId: jobOf(n), studyUid: originalUid(`1.2.752.${n}`), epoch: 1 },
      ...{ seriesUid: originalUid(`1.2.752.${n}.1`), asSent: identityOf(patient) },
      pseudonymousStudyUid: pseudonymousUid(`2.25.${n}`),
    };
    return vault.recordLinkage(linkage, new Map(), clock.nowMs());
  };
  const open = (n: number): Promise<void> => {
    clock.advance(1);
    return vault.recordOpened({ jobId: jobOf(n), purpose: 'result' }, clock.nowMs());
  };
  const look = (): Promise<number> => {
    const { database, trail } = access;
    return recordVaultActs({ vault, database, trail, clock, onFault: () => undefined });
  };
  /** In the order of the chain. */
  const records = async (): Promise<AuditRecord[]> => {
    const found: AuditRecord[] = [];
    for await (const record of access.trail.stream({})) found.push(record);
    return found;
  };
  const acts = async (): Promise<string[]> => (await records()).map(({ act }) => act);
  const backUp = async (): Promise<string> => {
    const terms = { ring: keyRingOf(first), atMs: clock.nowMs(), actor: 'machine:root' };
    return (await backupVault({ path: path(), folder: backups(), ...terms })).path;
  };
  const loseVault = (): void => {
    vault.close();
    for (const name of readdirSync(folder.path)) {
      if (name.startsWith('vault.db') && !name.endsWith('.erasures')) {
        rmSync(join(folder.path, name));
      }
    }
  };
  const restore = async (backup: string): Promise<void> => {
    clock.advance(1);
    const terms = { ring: keyRingOf(first), atMs: clock.nowMs(), actor: 'machine:root' };
    await restoreVault({ backup, path: path(), vault: { clock }, ...terms });
    vault = openVault();
  };

  it('records what stages and commands did, each as itself, and nothing that has one', async () => {
    await link(1);
    await open(1);
    await vault.recordOpened({ jobId: jobOf(1), actor: 'u-12', purpose: 'x' }, clock.nowMs());
    await vault.erasePatient({ patientId: '7', issuer: '' }, clock.nowMs(), { actor: 'u-1' });
    await backUp();
    await vault.recordAct({ act: 'checked', actor: 'machine:root' }, clock.nowMs());
    await vault.expire(clock.nowMs() + 91 * DAY_MS);
    vault.close();
    vault = openVault(keyRingOf(first, second));
    await look();
    expect(await acts()).toEqual([
      ...['vault.open', 'vault.back-up', 'vault.check', 'vault.expire', 'keys.rotate'],
    ]);
    const [opened, backedUp] = await records();
    expect(opened).toMatchObject({
      ...{ action: 'R', outcome: 'success', userId: 'gateway', userKind: 'system' },
      ...{ objectType: 'job', objectId: jobOf(1), correlationId: jobOf(1), siteId: 'site-a' },
      ...{ atMs: clock.nowMs(), detail: { purpose: 'result', vaultAct: 3 } },
    });
    expect(backedUp).toMatchObject({
      ...{ userId: 'machine:root', userKind: 'person', objectType: 'vault', objectId: 'vault' },
      correlationId: 'vault-act-6',
    });
    expect(await verifyChain(access.trail.stream({}))).toMatchObject({ ok: true });
  });

  it('names no patient and no study, not even where the vault still knows them', async () => {
    await link(1);
    await open(1);
    expect(vault.actsAfter(0).every(({ studyUid }) => studyUid === '1.2.752.1')).toBe(true);
    await look();
    const kept = await records();
    expect(kept.map(({ patientId }) => patientId)).toEqual([null]);
    expect(JSON.stringify(kept)).not.toMatch(/Zonnebloem|0012345|1\.2\.752/);
    expect(access.trail.about('0012345')).toEqual([]);
  });

  it('records nothing twice, over restarts too', async () => {
    await link(1);
    await open(1);
    expect([await look(), await look()]).toEqual([3, 0]);
    await access.database.close();
    access = openAccess();
    expect(await look()).toBe(0);
    await open(1);
    expect([await look(), await look()]).toEqual([1, 0]);
    expect(await acts()).toEqual(['vault.open', 'vault.open']);
  });

  it('loses nothing when a look fails before its commit', async () => {
    await link(1);
    await open(1);
    const { database, trail } = access;
    const broken = {
      ...{ siteId: trail.siteId },
      append: () => {
        throw new Error('the disk is full');
      },
    } as unknown as typeof trail;
    const terms = { vault, database, clock, onFault: () => undefined };
    await expect(recordVaultActs({ ...terms, trail: broken })).rejects.toThrow('full');
    await look();
    expect(await acts()).toEqual(['vault.open']);
  });

  it('goes through a long past in bounded steps', async () => {
    await link(1);
    for (let n = 0; n < 510; n += 1) await open(1);
    expect([await look(), await look(), await look()]).toEqual([500, 12, 0]);
    expect(await access.trail.heads()).toMatchObject([{ sequence: 510 }]);
  });

  describe('after a restore, whose acts have numbers that were used', () => {
    it('records what came after it, and what the backup holds not again', async () => {
      await link(1);
      await open(1);
      const backup = await backUp();
      await open(1);
      await open(1);
      await look();
      expect(await acts()).toEqual(['vault.open', 'vault.back-up', 'vault.open', 'vault.open']);
      loseVault();
      await restore(backup);
      await look();
      await look();
      expect((await acts()).slice(4)).toEqual(['vault.replace', 'vault.restore']);
      expect((await records()).at(4)!.detail).toEqual({ recordedThrough: 6 });
      await open(1);
      await look();
      expect((await acts()).slice(6)).toEqual(['vault.open']);
    });
    it('sees it also when the numbers have already passed those read last', async () => {
      await link(1);
      const backup = await backUp();
      await open(1);
      await look();
      loseVault();
      await restore(backup);
      for (let n = 0; n < 5; n += 1) await open(1);
      await look();
      expect(await acts()).toEqual([
        ...['vault.back-up', 'vault.open', 'vault.replace', 'vault.restore'],
        ...Array.from({ length: 5 }, () => 'vault.open'),
      ]);
    });
    it('records an erasure that was applied again by itself', async () => {
      await link(1);
      const backup = await backUp();
      await vault.erasePatient({ patientId: '0012345', issuer: '' }, clock.nowMs());
      await look();
      loseVault();
      await restore(backup);
      await look();
      expect(await acts()).toEqual([
        ...['vault.back-up', 'vault.replace', 'vault.erase-again', 'vault.restore'],
      ]);
    });
    it('says that another vault lies there, also when nobody restored one', async () => {
      await link(1);
      await open(1);
      await look();
      loseVault();
      vault = openVault();
      expect([await look(), await look()]).toEqual([0, 0]);
      await link(2);
      await open(2);
      await look();
      expect(await acts()).toEqual(['vault.open', 'vault.replace', 'vault.open']);
    });
  });
});
