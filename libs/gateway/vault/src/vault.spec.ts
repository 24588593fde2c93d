/**
 * Goal: linkage is durable, immutable, sealed and safe to repeat; a vault of other keys holds.
 * Method: real SQLite in a temporary folder; a second connection tampers with the rows.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { AifiError, newJobId, originalUid, pseudonymousUid } from '@aifi/shared-kernel';
import { keyRingOf } from '@aifi/shared-site-keys';
import { fakeSiteKeys, temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import { aLinkage, anIdentity, jobOf, linkageOf } from '../test/vault-fixtures.js';
import { Vault } from './index.js';

const [first, second] = [fakeSiteKeys('site-a', 1), fakeSiteKeys('site-a', 2)];
const ring = keyRingOf(first);

describe(Vault.name, () => {
  let folder: TemporaryFolder;
  let sut: Vault;
  const path = (): string => join(folder.path, 'vault.db');
  const uids = new Map([[pseudonymousUid('2.25.7'), originalUid('1.2.3.7')]]);
  beforeEach(() => {
    folder = temporaryFolder('vault');
    sut = Vault.open(path(), ring);
  });
  afterEach(() => {
    sut.close();
    folder.remove();
  });
  const reopen = (keys = ring): void => {
    sut.close();
    sut = Vault.open(path(), keys);
  };
  /** What another program does to the file. */
  const tamper = (statement: string): void => {
    const direct = new DatabaseSync(path());
    try {
      direct.exec(statement);
    } finally {
      direct.close();
    }
  };

  it('returns what was recorded, also after a restart and a second recording', async () => {
    await sut.recordLinkage(aLinkage(), uids, 1);
    await sut.recordLinkage(aLinkage(), uids, 2);
    reopen();
    expect(sut.linkage(aLinkage().jobId)).toEqual(aLinkage());
    expect(sut.originalUid(aLinkage().jobId, '2.25.7')).toBe('1.2.3.7');
    expect(sut.originalUid(aLinkage().jobId, '2.25.8')).toBeUndefined();
    expect(sut.originalUid(newJobId(), '2.25.7')).toBeUndefined();
    expect(sut.currentIdentity(aLinkage().studyUid)).toEqual(aLinkage().asSent);
    expect(statSync(path()).mode & 0o077).toBe(0);
  });
  it('adds UIDs of a second recording, and refuses one that stands for another', async () => {
    const { jobId } = aLinkage();
    await sut.recordLinkage(aLinkage(), uids, 1);
    expect(sut.originalUid(jobId, '2.25.8')).toBeUndefined();
    const more = new Map([...uids, [pseudonymousUid('2.25.8'), originalUid('1.2.3.8')] as const]);
    await sut.recordLinkage(aLinkage(), more, 2);
    expect(sut.originalUid(jobId, '2.25.8')).toBe('1.2.3.8');
    expect(sut.originalUid(jobId, '2.25.7')).toBe('1.2.3.7');
    const other = new Map([[pseudonymousUid('2.25.7'), originalUid('1.9')]]);
    await expect(sut.recordLinkage(aLinkage(), other, 3)).rejects.toMatchObject({
      code: 'INTERNAL',
    });
    expect(sut.originalUid(jobId, '2.25.7')).toBe('1.2.3.7');
  });
  it('refuses to link a job to another identity', async () => {
    await sut.recordLinkage(aLinkage(), uids, 1);
    await expect(sut.recordLinkage(aLinkage('Other^P'), uids, 2)).rejects.toThrow(AifiError);
    expect(sut.linkage(aLinkage().jobId)).toEqual(aLinkage());
  });
  it('makes the newest identity current, and an old one does not come back by itself', async () => {
    const renamed = { ...aLinkage('Renamed^A'), jobId: newJobId() };
    await sut.recordLinkage(aLinkage(), uids, 1);
    await sut.recordLinkage(renamed, new Map(), 2);
    await sut.recordLinkage({ ...aLinkage(), jobId: newJobId() }, new Map(), 3);
    expect(sut.currentIdentity(aLinkage().studyUid)).toEqual(renamed.asSent);
  });
  it('brings an old identity back when it is appended: an undone merge', async () => {
    const [was, merged] = [anIdentity('Was^A', '1'), anIdentity('Is^B', '2')];
    const linkage = linkageOf(1, was);
    const { studyUid } = linkage;
    await sut.recordLinkage(linkage, uids, 1);
    await sut.appendIdentity({ studyUid, identity: merged, source: 'adt', atMs: 2 });
    expect(sut.studiesOfPatient({ patientId: '1', issuer: '' })).toEqual([]);
    expect(sut.studiesOfPatient({ patientId: ' 2 ', issuer: '' })).toEqual([studyUid]);
    expect(sut.studiesOfPatient({ patientId: '2', issuer: 'OTHER' })).toEqual([]);
    await sut.appendIdentity({ studyUid, identity: was, source: 'adt', atMs: 3 });
    expect(sut.studiesOfPatient({ patientId: '1', issuer: '' })).toEqual([studyUid]);
    expect(sut.currentIdentity(studyUid)).toEqual(was);
    expect(sut.identityHistory(studyUid)).toEqual([
      { sequence: 1, identity: was, source: 'received', atMs: 1 },
      { sequence: 2, identity: merged, source: 'adt', atMs: 2 },
      { sequence: 3, identity: was, source: 'adt', atMs: 3 },
    ]);
    expect(sut.linkage(linkage.jobId)?.asSent).toEqual(was);
  });
  it('rolls the whole record back when one part cannot be written', async () => {
    const broken = new Map([[pseudonymousUid('2.25.7'), undefined as never]]);
    await expect(sut.recordLinkage(aLinkage(), broken, 1)).rejects.toThrow();
    expect(sut.linkage(aLinkage().jobId)).toBeUndefined();
    expect(sut.currentIdentity(aLinkage().studyUid)).toBeUndefined();
    expect(sut.actsAfter(0)).toEqual([]);
  });

  it.each([
    `REPLACE INTO linkage SELECT job_id, study_index, 2, 1, data_key, x'01', 9, 9 FROM linkage`,
    `REPLACE INTO linkage_uids SELECT job_id, part, x'01' FROM linkage_uids`,
  ])('keeps the row that is there: %s', async (statement) => {
    await sut.recordLinkage(aLinkage(), uids, 1);
    tamper(statement);
    reopen();
    expect(sut.linkage(aLinkage().jobId)).toEqual(aLinkage());
    expect(sut.originalUid(aLinkage().jobId, '2.25.7')).toBe('1.2.3.7');
  });
  it.each([
    "UPDATE linkage SET content = x'01'",
    'UPDATE linkage SET data_key = NULL',
    'UPDATE linkage SET last_result_ms = 9, epoch = 2',
    'UPDATE linkage SET data_key = randomblob(60)',
    'DELETE FROM linkage_uids',
    'DELETE FROM linkage',
    "UPDATE linkage_uids SET content = x'01'",
    "UPDATE identity_history SET content = x'01'",
    'UPDATE identity_history SET data_key = NULL',
    'DELETE FROM identity_history',
    `REPLACE INTO identity_history
     SELECT study_index, sequence, NULL, 1, x'01', x'01', 'x', 9 FROM identity_history`,
    "UPDATE vault_act SET act = 'opened'",
    'DELETE FROM vault_act',
    "INSERT INTO vault_act VALUES (99, 1, 'opened', 'x', NULL, NULL, '{}', x'01')",
    "UPDATE vault_epoch SET key_check = x'01'",
  ])('refuses in the database itself: %s', async (statement) => {
    await sut.recordLinkage(aLinkage(), uids, 1);
    expect(() => tamper(statement)).toThrow(/never changes|append-only/);
  });

  it('keeps no identity and no original UID in plain, in database or log', async () => {
    await sut.recordLinkage(linkageOf(77777, anIdentity('Canary^Name', 'CANARY123')), uids, 1);
    const files = readdirSync(folder.path).map((name) => readFileSync(join(folder.path, name)));
    const bytes = Buffer.concat(files).toString('latin1');
    expect(bytes).toContain('linked');
    const { elements } = anIdentity('Canary^Name', 'CANARY123');
    for (const canary of ['Canary', 'CANARY', '1.2.77777', '1.2.3.7', elements.slice(40, 60)]) {
      expect(bytes).not.toContain(canary);
    }
  });

  it('holds under other keys, and writes nothing', async () => {
    await sut.recordLinkage(aLinkage(), uids, 1);
    sut.close();
    const before = readFileSync(path());
    const foreign = [
      keyRingOf(fakeSiteKeys('site-b')),
      keyRingOf({ ...first, vault: second.vault }),
    ];
    const lacking = keyRingOf({ ...second, index: first.index });
    for (const wrong of [...foreign, lacking]) {
      expect(() => Vault.open(path(), wrong)).toThrow(
        expect.objectContaining({ code: 'CONFIG_INVALID' }),
      );
    }
    expect(readFileSync(path()).equals(before)).toBe(true);
    reopen();
    expect(sut.linkage(aLinkage().jobId)).toEqual(aLinkage());
  });
  it('holds a job whose row was exchanged or changed, and does not write over it', async () => {
    const [one, other] = [linkageOf(1, anIdentity('A^A')), linkageOf(2, anIdentity('B^B'))];
    await sut.recordLinkage(one, uids, 1);
    await sut.recordLinkage(other, uids, 1);
    tamper(`DROP TRIGGER linkage_is_immutable;
      UPDATE linkage SET (data_key, content) = (SELECT data_key, content FROM linkage AS o
        WHERE o.job_id = '${other.jobId}') WHERE job_id = '${one.jobId}'`);
    reopen();
    const untrusted = expect.objectContaining({ code: 'UNTRUSTED' });
    expect(() => sut.linkage(one.jobId)).toThrow(untrusted);
    expect(() => sut.originalUid(one.jobId, '2.25.7')).toThrow(untrusted);
    await expect(sut.recordLinkage(one, uids, 2)).rejects.toThrow(untrusted);
    expect(() => sut.linkage(one.jobId)).toThrow(untrusted);
    expect(sut.linkage(other.jobId)).toEqual(other);
  });
  it('opens rows of every epoch on the ring, and says which epochs it needs', async () => {
    await sut.recordLinkage(linkageOf(1, anIdentity('A^A')), uids, 1);
    reopen(keyRingOf(first, second));
    await sut.recordLinkage(linkageOf(2, anIdentity('B^B'), 2), new Map(), 2);
    // A study in flight: pseudonyms of the older epoch, sealed with the newer one.
    await sut.recordLinkage(linkageOf(3, anIdentity('C^C'), 1), new Map(), 3);
    expect([1, 2, 3].map((n) => sut.linkage(jobOf(n))?.epoch)).toEqual([1, 2, 1]);
    expect(sut.originalUid(jobOf(1), '2.25.7')).toBe('1.2.3.7');
    expect(sut.epochsInUse()).toEqual([1, 2]);
    expect(sut.actsAfter(0).map(({ act }) => act)).toContain('rotated');
    await sut.expire(2 + 90 * 86_400_000, { isOpen: (job) => job === jobOf(2) });
    expect(sut.epochsInUse()).toEqual([1, 2]);
    await sut.expire(4 + 90 * 86_400_000, { isOpen: (job) => job === jobOf(2) });
    expect(sut.epochsInUse()).toEqual([2]);
  });

  it('puts acts on record in their own transaction, in one chain, naming nobody', async () => {
    await sut.recordLinkage(aLinkage(), uids, 1);
    await sut.recordLinkage(aLinkage(), uids, 2);
    const { studyUid, jobId, asSent: identity } = aLinkage();
    await sut.appendIdentity({ studyUid, identity, source: 'pacs', atMs: 3 });
    await sut.recordOpened({ jobId, actor: 'u-12', purpose: 'complaint' }, 4);
    const acts = sut.actsAfter(0);
    expect(acts.map(({ act, actor, detail }) => [act, actor, detail])).toEqual([
      ['linked', 'gateway', { epoch: 1, uids: 1 }],
      ['identity-changed', 'gateway', { source: 'received' }],
      ['identity-changed', 'gateway', { source: 'pacs' }],
      ['opened', 'u-12', { purpose: 'complaint' }],
    ]);
    expect(acts.every((act) => act.studyUid === studyUid)).toBe(true);
    expect(sut.actsAfter(2, 1).map(({ sequence }) => sequence)).toEqual([3]);
    expect(new Set(acts.map(({ hash }) => hash)).size).toBe(acts.length);
    expect(sut.firstBrokenAct()).toBeUndefined();
    const direct = new DatabaseSync(path());
    direct.exec(
      "DROP TRIGGER vault_act_is_immutable; UPDATE vault_act SET actor = 'x' WHERE sequence = 2",
    );
    direct.close();
    expect(sut.firstBrokenAct()).toBe(2);
  });
  it('keeps the maps of many studies right while few of them stay open in memory', async () => {
    const mapOf = (n: number) =>
      new Map(
        Array.from({ length: 30_000 }, (_, i) => [
          pseudonymousUid(`2.25.${n}${i}`),
          originalUid(`1.2.${n}.${i}`),
        ]),
      );
    for (const n of [1, 2, 3, 4, 5]) {
      await sut.recordLinkage(linkageOf(n, anIdentity('A^A')), mapOf(n), n);
    }
    for (const n of [1, 2, 3, 4, 5, 1]) {
      expect(sut.originalUid(jobOf(n), `2.25.${n}29999`)).toBe(`1.2.${n}.29999`);
      expect(sut.originalUid(jobOf(n), '2.25.90')).toBeUndefined();
    }
  });
});
