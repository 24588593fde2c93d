/**
 * Goal: what the vault keeps, for how long, and that what goes is gone from the disk.
 * Method: a clock that the test moves by 91 days, 6 and 21 years; byte scans of the files.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { originalUid, pseudonymousUid, type OriginalUid } from '@aifi/shared-kernel';
import { keyRingOf } from '@aifi/shared-site-keys';
import {
  FakeClock,
  fakeSiteKeys,
  temporaryFolder,
  type TemporaryFolder,
} from '@aifi/shared-testing';
import { anIdentity, jobOf, linkageOf } from '../test/vault-fixtures.js';
import { Vault, type NewResult } from './index.js';
import { keepUntilMs } from './result-register.store.js';

const ring = keyRingOf(fakeSiteKeys());
const DAY_MS = 86_400_000;
const YEAR_MS = 365.25 * DAY_MS;
const uids = new Map([[pseudonymousUid('2.25.7'), originalUid('1.2.3.7')]]);

/** Result `n` of the study of job `n`. */
function aResult(n: number, more: Partial<NewResult> = {}): NewResult {
  return {
    ...{ jobId: jobOf(n), studyUid: originalUid(`1.2.${n}`), sopClassUid: '1.2.840.10008.5.1.4' },
    ...{ resultSopInstanceUid: `2.25.90${n}`, resultSeriesUid: `2.25.91${n}` },
    ...{ product: 'lung', productVersion: '1.0', modelDigest: 'ab'.repeat(32) },
    ...{ issue: 0, revision: 1, studyDate: '20231101', ...more },
  };
}

describe('retention', () => {
  let folder: TemporaryFolder;
  let clock: FakeClock;
  let sut: Vault;
  const path = (): string => join(folder.path, 'vault.db');
  beforeEach(() => {
    folder = temporaryFolder('vault');
    clock = new FakeClock(Date.UTC(2023, 10, 2));
    sut = Vault.open(path(), ring, { clock });
  });
  afterEach(() => {
    sut.close();
    folder.remove();
  });
  const later = (ms: number): number => {
    clock.advance(ms);
    return clock.nowMs();
  };
  const aStudy = async (n: number, patientId = 'A1'): Promise<OriginalUid> => {
    const linkage = linkageOf(n, anIdentity('A^A', patientId));
    await sut.recordLinkage(linkage, uids, clock.nowMs());
    return linkage.studyUid;
  };
  const allBytes = (): Buffer =>
    Buffer.concat(readdirSync(folder.path).map((name) => readFileSync(join(folder.path, name))));
  /** Wrapped data keys and sealed content as they lie in the file. */
  const sealedBytes = (): Buffer[] => {
    const direct = new DatabaseSync(path(), { readOnly: true });
    const rows = ['linkage', 'identity_history'].flatMap((table) =>
      direct.prepare(`SELECT data_key, content FROM ${table}`).all(),
    );
    direct.close();
    return rows
      .flatMap((row) => [row['data_key'], row['content']] as (Uint8Array | null)[])
      .flatMap((bytes) => (bytes && bytes.length > 0 ? [Buffer.from(bytes)] : []));
  };

  it('keeps a linkage 90 days after its last result, then erases it from the disk', async () => {
    const studyUid = await aStudy(1);
    later(10 * DAY_MS);
    await sut.registerResults([aResult(1)], clock.nowMs());
    expect(await sut.expire(later(89 * DAY_MS))).toEqual({ jobs: 0, results: 0 });
    expect(sut.linkage(jobOf(1))).toBeDefined();
    expect(sut.originalUid(jobOf(1), '2.25.7')).toBe('1.2.3.7');
    const sealed = sealedBytes();
    expect(sealed).toHaveLength(4);
    expect(sealed.every((bytes) => allBytes().includes(bytes))).toBe(true);
    expect(await sut.expire(later(2 * DAY_MS))).toEqual({ jobs: 1, results: 0 });
    expect(sut.linkage(jobOf(1))).toBeUndefined();
    expect(sut.originalUid(jobOf(1), '2.25.7')).toBeUndefined();
    expect(sut.identityHistory(studyUid)).toEqual([]);
    expect(sealed.some((bytes) => allBytes().includes(bytes))).toBe(false);
    expect(sut.actsAfter(0).at(-1)).toMatchObject({ act: 'expired', detail: { jobs: 1 } });
    expect(sut.actsAfter(0).every((act) => act.studyUid === null)).toBe(true);
  });
  it('keeps the linkage of a job that is not at its end, however old', async () => {
    await aStudy(1);
    const atMs = later(400 * DAY_MS);
    await sut.expire(atMs, { isOpen: (job) => job === jobOf(1) });
    expect(sut.linkage(jobOf(1))).toBeDefined();
    await sut.expire(atMs);
    expect(sut.linkage(jobOf(1))).toBeUndefined();
  });
  it('keeps the identities of a study as long as any linkage needs them', async () => {
    const studyUid = await aStudy(1);
    later(50 * DAY_MS);
    const second = { ...linkageOf(1, anIdentity('A^A', 'A1')), jobId: jobOf(2) };
    await sut.recordLinkage(second, uids, clock.nowMs());
    await sut.expire(later(41 * DAY_MS));
    expect([sut.linkage(jobOf(1)), sut.linkage(jobOf(2))]).toEqual([undefined, second]);
    expect(sut.currentIdentity(studyUid)).toEqual(second.asSent);
    await sut.expire(later(50 * DAY_MS));
    expect(sut.currentIdentity(studyUid)).toBeUndefined();
  });
  it('lets identities of a study that was never sent go by their own age', async () => {
    const studyUid = originalUid('1.2.9');
    const entry = { studyUid, identity: anIdentity('A^A'), source: 'adt', atMs: clock.nowMs() };
    await sut.appendIdentity({ ...entry, source: 'adt' });
    await sut.expire(later(89 * DAY_MS));
    expect(sut.currentIdentity(studyUid)).toBeDefined();
    await sut.expire(later(2 * DAY_MS));
    expect(sut.currentIdentity(studyUid)).toBeUndefined();
  });
  it('never links an erased job again', async () => {
    await aStudy(1);
    await sut.expire(later(91 * DAY_MS));
    await expect(aStudy(1)).rejects.toMatchObject({ code: 'STATE_CONFLICT' });
  });

  it.each([
    ['91 days', 91 * DAY_MS],
    ['6 years', 6 * YEAR_MS],
  ])('recalls and reconstructs after %s, when the linkage is gone', async (_, passedMs) => {
    for (const n of [1, 2, 3]) await aStudy(n);
    const entries = [
      aResult(1),
      aResult(2, { productVersion: '1.1' }),
      aResult(3, { product: 'hand' }),
    ];
    await sut.registerResults(entries, clock.nowMs());
    await sut.registerResults(entries, later(1));
    await sut.expire(later(passedMs));
    sut.close();
    sut = Vault.open(path(), ring, { clock });
    expect(sut.linkage(jobOf(1))).toBeUndefined();
    const ofLung = sut.recall({ product: 'lung' });
    expect(ofLung.map((each) => [each.studyUid, each.resultSopInstanceUid])).toEqual([
      ['1.2.1', '2.25.901'],
      ['1.2.2', '2.25.902'],
    ]);
    expect(sut.recall({ product: 'lung', version: '1.1' })).toEqual([ofLung[1]]);
    expect(sut.recall({ product: 'lung', version: '9' })).toEqual([]);
    const registeredMs = Date.UTC(2023, 10, 2);
    expect(sut.registeredResult('2.25.901')).toEqual({ ...aResult(1), registeredMs });
    expect(sut.registeredResult('2.25.999')).toBeUndefined();
  });
  it('forgets a result when the study has been over for the years that are set', async () => {
    await aStudy(1);
    await sut.registerResults([aResult(1)], clock.nowMs());
    await sut.expire(later(19.9 * YEAR_MS));
    expect(sut.recall({ product: 'lung' })).toHaveLength(1);
    expect(await sut.expire(later(1.1 * YEAR_MS))).toEqual({ jobs: 0, results: 1 });
    expect(sut.recall({ product: 'lung' })).toEqual([]);
    expect(sut.registeredResult('2.25.901')).toBeUndefined();
  });
  it.each([
    ['20231101', '2043-11-02'],
    ['20240229', '2044-03-01'],
    ['', '2044-06-02'],
    ['20231301', '2044-06-02'],
    ['20250101', '2044-06-02'],
  ])('counts the years from the study date, or from the registration (%s)', (date, end) => {
    const until = keepUntilMs(date, Date.UTC(2024, 5, 1, 12), 20);
    expect(new Date(until).toISOString().slice(0, 10)).toBe(end);
  });
  it('refuses one result UID for two results', async () => {
    await sut.registerResults([aResult(1)], 1);
    const other = aResult(1, { modelDigest: 'cd'.repeat(32) });
    await expect(sut.registerResults([other], 2)).rejects.toMatchObject({ code: 'INTERNAL' });
    expect(sut.recall({ product: 'lung' })).toHaveLength(1);
  });
});
