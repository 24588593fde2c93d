/**
 * Goal: a patient who asks to be erased is, and stays so, whatever is restored afterwards.
 * Method: patients with studies that were merged and moved; copies of older database files.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { appendFileSync, copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { originalUid, type OriginalUid } from '@aifi/shared-kernel';
import { keyRingOf } from '@aifi/shared-site-keys';
import {
  FakeClock,
  fakeSiteKeys,
  temporaryFolder,
  type TemporaryFolder,
} from '@aifi/shared-testing';
import { anIdentity, jobOf, linkageOf } from '../test/vault-fixtures.js';
import { Vault } from './index.js';

const ring = keyRingOf(fakeSiteKeys());
const ERASED = { patientId: 'ERASE-ME', issuer: 'HOSPITAL' };
const [them, other] = [
  anIdentity('Erased^E', ERASED.patientId, ERASED.issuer),
  anIdentity('Other^O', 'OTHER', 'HOSPITAL'),
];

describe('erasure of a patient', () => {
  let folder: TemporaryFolder;
  let clock: FakeClock;
  let sut: Vault;
  const path = (): string => join(folder.path, 'vault.db');
  const open = (): Vault => Vault.open(path(), ring, { clock });
  beforeEach(async () => {
    folder = temporaryFolder('vault');
    clock = new FakeClock();
    sut = open();
    // 1: theirs. 2: theirs by a merge. 3: was theirs by mistake. 4: never theirs.
    for (const [n, asSent] of [them, other, them, other].entries()) {
      await sut.recordLinkage(linkageOf(n + 1, asSent), new Map(), 1);
    }
    await sut.appendIdentity({ studyUid: study(2), identity: them, source: 'adt', atMs: 2 });
    await sut.appendIdentity({ studyUid: study(3), identity: other, source: 'adt', atMs: 2 });
    const results = [1, 2, 3, 4].map((n) => ({
      ...{ jobId: jobOf(n), studyUid: study(n), sopClassUid: '1.2', product: 'lung' },
      ...{ resultSopInstanceUid: `2.25.9${n}`, resultSeriesUid: '2.25.8', productVersion: '1' },
      ...{ modelDigest: 'ab', issue: 0, revision: 1, studyDate: '' },
    }));
    await sut.registerResults(results, 3);
  });
  afterEach(() => {
    sut.close();
    folder.remove();
  });
  const study = (n: number): OriginalUid => originalUid(`1.2.${n}`);
  const linked = (): number[] => [1, 2, 3, 4].filter((n) => sut.linkage(jobOf(n)) !== undefined);
  const namesThem = (n: number): boolean =>
    JSON.stringify(sut.identityHistory(study(n))).includes(ERASED.patientId);

  it('takes their studies, and their traces in the past of others', async () => {
    expect([1, 2, 3, 4].map(namesThem)).toEqual([true, true, true, false]);
    expect(await sut.erasePatient(ERASED, 10, { actor: 'u-1' })).toEqual({ jobs: 2, results: 0 });
    expect(linked()).toEqual([3, 4]);
    expect([1, 2, 3, 4].map(namesThem)).toEqual([false, false, false, false]);
    expect(sut.currentIdentity(study(3))).toEqual(other);
    expect(sut.studiesOfPatient(ERASED)).toEqual([]);
    expect(sut.recall({ product: 'lung' })).toHaveLength(4);
    expect(sut.actsAfter(0).at(-1)).toMatchObject({ act: 'erased', actor: 'u-1' });
  });
  it('takes their results where the hospital decides so', async () => {
    const erased = await sut.erasePatient(ERASED, 10, { results: 'erase' });
    expect(erased).toEqual({ jobs: 2, results: 2 });
    const left = sut.recall({ product: 'lung' }).map((each) => each.studyUid);
    expect(left).toEqual(expect.arrayContaining([study(3), study(4)]));
    expect(left).toHaveLength(2);
  });
  it('finds their results when the linkage is long gone', async () => {
    await sut.expire(4 + 90 * 86_400_000);
    expect(linked()).toEqual([]);
    const erased = await sut.erasePatient(ERASED, 5 + 90 * 86_400_000, { results: 'erase' });
    expect(erased).toEqual({ jobs: 0, results: 2 });
  });
  it.each([
    ['a patient who is not known', { patientId: 'NOBODY', issuer: '' }],
    ['the same number of another issuer', { patientId: ERASED.patientId, issuer: '' }],
    ['no number', { patientId: ' ', issuer: 'HOSPITAL' }],
  ])('takes nothing for %s', async (_, patient) => {
    expect(await sut.erasePatient(patient, 10)).toEqual({ jobs: 0, results: 0 });
    expect(linked()).toEqual([1, 2, 3, 4]);
  });

  it('is applied again to an older database, but not to what came after it', async () => {
    sut.close();
    const older = join(folder.path, 'older.db');
    copyFileSync(path(), older);
    sut = open();
    await sut.erasePatient(ERASED, 10, { results: 'erase' });
    sut.close();
    copyFileSync(older, path());
    sut = open();
    expect(linked()).toEqual([3, 4]);
    expect([1, 2, 3, 4].map(namesThem)).toEqual([false, false, false, false]);
    expect(sut.recall({ product: 'lung' })).toHaveLength(2);
    // The patient comes back: what is new is not erased at the next start.
    await sut.recordLinkage({ ...linkageOf(1, them), jobId: jobOf(9) }, new Map(), 11);
    sut.close();
    sut = open();
    expect(sut.linkage(jobOf(9))).toBeDefined();
    expect(sut.currentIdentity(study(1))).toEqual(them);
  });
  it('keeps a list of blind indexes only, and believes no line that is not its own', async () => {
    await sut.erasePatient(ERASED, 10);
    sut.close();
    const list = readFileSync(`${path()}.erasures`, 'utf8');
    expect(list).not.toMatch(/ERASE-ME|HOSPITAL|1\.2\.1/);
    appendFileSync(`${path()}.erasures`, list.replace('"results":false', '"results":true'));
    expect(open).toThrow(expect.objectContaining({ code: 'UNTRUSTED' }));
    appendFileSync(`${path()}.erasures`, 'no line');
    expect(open).toThrow(expect.objectContaining({ code: 'UNTRUSTED' }));
  });
});
