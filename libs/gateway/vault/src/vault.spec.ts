/**
 * Goal: linkage is durable, immutable and safe to repeat; envelopes open only where they belong;
 * keys are refused when others may read them. Method: real SQLite and files in a temporary folder.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { DicomDataset } from '@aifi/dicom-core';
import {
  AifiError,
  jobId,
  newJobId,
  originalUid,
  pseudonymousUid,
  sha256Hex,
  siteId,
} from '@aifi/shared-kernel';
import { temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import { keyRingOf, loadOrCreateSiteKeys, type SiteKeys } from '@aifi/shared-site-keys';
import {
  identityElements,
  identityHmacs,
  identityOf,
  openEnvelope,
  sealEnvelope,
  Vault,
  type EnvelopeBinding,
  type Linkage,
} from './index.js';

let folder: TemporaryFolder;
beforeEach(() => {
  folder = temporaryFolder('vault');
});
afterEach(() => folder.remove());

function aPatient(name: string): DicomDataset {
  return new DicomDataset()
    .setString('SpecificCharacterSet', 'ISO_IR 100')
    .put({ tag: 0x00100010, vr: 'PN', value: Buffer.from(name, 'latin1') })
    .setString('PatientID', '0012345')
    .setString('StudyInstanceUID', '1.2.3')
    .setString('InstitutionName', 'St. Elders')
    .setItems('IssuerOfAccessionNumberSequence', [
      new DicomDataset().setString('LocalNamespaceEntityID', 'RIS'),
    ]);
}
function aLinkage(name = 'B\xe4cken^Jan '): Linkage {
  return {
    jobId: jobId('0123456789abcdef0123456789abcdef'),
    studyUid: originalUid('1.2.3'),
    seriesUid: originalUid('1.2.3.1'),
    pseudonymousStudyUid: pseudonymousUid('2.25.1'),
    epoch: 1,
    asSent: identityOf(aPatient(name)),
  };
}

describe(identityOf.name, () => {
  it('keeps the value bytes of the modules as they were, sequences included, and nothing else', () => {
    const elements = identityElements(identityOf(aPatient('B\xe4cken^Jan ')));
    expect(Buffer.from(elements.bytes('PatientName')!).toString('latin1')).toBe('B\xe4cken^Jan ');
    expect(elements.string('PatientName')).toBe('Bäcken^Jan');
    const [issuer] = elements.items('IssuerOfAccessionNumberSequence');
    expect(issuer?.bytes('LocalNamespaceEntityID')).toBeDefined();
    expect(elements.has('InstitutionName')).toBe(false);
  });
  it('gives equal HMACs for equal fields whatever the padding, and others under another key', () => {
    const [a, b] = [aPatient('Berg^Jan'), aPatient('Berg^Jan  ')].map(identityOf);
    const [key, other] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
    expect(identityHmacs(a!, key)).toEqual(identityHmacs(b!, key));
    expect(identityHmacs(a!, key).PatientName).not.toBe(identityHmacs(a!, other).PatientName);
    expect(JSON.stringify(identityHmacs(a!, key))).not.toContain('0012345');
  });
});

describe(Vault.name, () => {
  let sut: Vault;
  const path = (): string => join(folder.path, 'vault.db');
  const uids = new Map([[pseudonymousUid('2.25.7'), originalUid('1.2.3.7')]]);
  beforeEach(() => {
    sut = Vault.open(path());
  });
  afterEach(() => sut.close());

  it('returns what was recorded, also after a restart and a second recording', async () => {
    await sut.recordLinkage(aLinkage(), uids, 1);
    await sut.recordLinkage(aLinkage(), uids, 2);
    sut.close();
    sut = Vault.open(path());
    expect(sut.linkage(aLinkage().jobId)).toEqual(aLinkage());
    expect(sut.originalUid(aLinkage().jobId, '2.25.7')).toBe('1.2.3.7');
    expect(sut.originalUid(newJobId(), '2.25.7')).toBeUndefined();
    expect(sut.currentIdentity(aLinkage().studyUid)).toEqual(aLinkage().asSent);
    expect(statSync(path()).mode & 0o077).toBe(0);
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
  it.each([
    "REPLACE INTO linkage SELECT job_id, '1.9', series_uid, '2.25.9', 2, '{}', 9 FROM linkage",
    "REPLACE INTO linkage_uid SELECT job_id, pseudo_uid, '1.9' FROM linkage_uid",
  ])('keeps the row that is there: %s', async (statement) => {
    await sut.recordLinkage(aLinkage(), uids, 1);
    const direct = new DatabaseSync(path());
    direct.exec(statement);
    direct.close();
    expect(sut.linkage(aLinkage().jobId)).toEqual(aLinkage());
    expect(sut.originalUid(aLinkage().jobId, '2.25.7')).toBe('1.2.3.7');
  });
  it('rolls the whole record back when one part cannot be written', async () => {
    const broken = new Map([[pseudonymousUid('2.25.7'), undefined as never]]);
    await expect(sut.recordLinkage(aLinkage(), broken, 1)).rejects.toThrow();
    expect(sut.linkage(aLinkage().jobId)).toBeUndefined();
    expect(sut.currentIdentity(aLinkage().studyUid)).toBeUndefined();
  });
  it.each([
    "UPDATE linkage SET as_sent = '{}'",
    "UPDATE linkage_uid SET original_uid = '1.9'",
    "UPDATE identity_history SET identity = '{}'",
    'DELETE FROM identity_history',
    "REPLACE INTO identity_history SELECT study_uid, sequence, '{}', 'x', 9 FROM identity_history",
  ])('refuses in the database itself: %s', async (statement) => {
    await sut.recordLinkage(aLinkage(), uids, 1);
    const direct = new DatabaseSync(path());
    expect(() => direct.exec(statement)).toThrow(/never changes|append-only/);
    direct.close();
  });
});

describe('site keys', () => {
  it('are made once with mode 0600 and read again', async () => {
    const path = join(folder.path, 'keys', 'site-keys.json');
    const keys = await loadOrCreateSiteKeys(path);
    expect(await loadOrCreateSiteKeys(path)).toEqual(keys);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const { epoch, ...secrets } = keys;
    expect(epoch).toBe(1);
    expect(new Set(Object.values(secrets).map((key) => key.toString('hex'))).size).toBe(6);
  });
  it.each([0o640, 0o604])('are refused when others may read them (%o)', async (mode) => {
    const path = join(folder.path, 'site-keys.json');
    await loadOrCreateSiteKeys(path);
    chmodSync(path, mode);
    await expect(loadOrCreateSiteKeys(path)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });
  it.each([
    ['has a short key', (keys: Record<string, unknown>) => ({ ...keys, seal: 'ab'.repeat(16) })],
    ['lacks a key', (keys: Record<string, unknown>) => ({ ...keys, seal: undefined })],
    ['has a key too many', (keys: Record<string, unknown>) => ({ ...keys, more: 'x' })],
    ['has no epoch', (keys: Record<string, unknown>) => ({ ...keys, epoch: 0 })],
  ])('are refused when the file %s', async (_, spoil) => {
    const path = join(folder.path, 'site-keys.json');
    await loadOrCreateSiteKeys(path);
    const keys = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
    writeFileSync(path, JSON.stringify(spoil(keys)));
    await expect(loadOrCreateSiteKeys(path)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });
  it('are refused when the file is damaged, and not replaced', async () => {
    const path = join(folder.path, 'site-keys.json');
    writeFileSync(path, '{"epoch":1', { mode: 0o600 });
    await expect(loadOrCreateSiteKeys(path)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });
});

describe('envelope', () => {
  const fill = (value: number): Buffer => Buffer.alloc(32, value);
  const keys: SiteKeys = {
    ...{ epoch: 1, uid: fill(1), pid: fill(2), date: fill(3) },
    ...{ seal: fill(4), identity: fill(5), result: fill(6) },
  };
  const binding: EnvelopeBinding = {
    siteId: siteId('site-a'),
    jobId: aLinkage().jobId,
    pseudonymousStudyUid: aLinkage().pseudonymousStudyUid,
    manifestSha256: sha256Hex('manifest'),
  };
  const content = {
    jobId: binding.jobId,
    revision: 1,
    targetId: 'pacs',
    identityHmacs: { ...identityHmacs(aLinkage().asSent, keys.identity) },
  };
  const sealed = sealEnvelope(content, binding, keys);

  it('opens where it belongs, and is the same for the same content', () => {
    expect(openEnvelope(sealed, binding, keys)).toEqual(content);
    expect(sealEnvelope(content, binding, keys)).toEqual(sealed);
    expect(sealEnvelope({ ...content, revision: 2 }, binding, keys).subarray(5, 17)).not.toEqual(
      sealed.subarray(5, 17),
    );
  });
  it.each<[string, Partial<EnvelopeBinding>]>([
    ['site', { siteId: siteId('site-b') }],
    ['job', { jobId: newJobId() }],
    ['study', { pseudonymousStudyUid: pseudonymousUid('2.25.2') }],
    ['manifest', { manifestSha256: sha256Hex('other') }],
  ])('does not open for another %s', (_, other) => {
    expect(() => openEnvelope(sealed, { ...binding, ...other }, keys)).toThrow(AifiError);
  });
  it('does not open under another key or epoch', () => {
    expect(() => openEnvelope(sealed, binding, { ...keys, seal: fill(9) })).toThrow(AifiError);
    expect(() => openEnvelope(sealed, binding, { ...keys, epoch: 2 })).toThrow(AifiError);
  });
  it('holds nothing readable, and says nothing when it does not open', () => {
    expect(sealed.toString('latin1')).not.toMatch(/pacs|PatientName|0012345/);
    expect(() => openEnvelope(sealed.subarray(1), binding, keys)).toThrow(
      expect.objectContaining({ code: 'UNTRUSTED' }),
    );
  });
  it('does not open when its parts come from two envelopes', () => {
    const other = sealEnvelope({ ...content, revision: 2 }, binding, keys);
    for (const cut of [5, 17, 33]) {
      const spliced = Buffer.concat([sealed.subarray(0, cut), other.subarray(cut)]);
      // Header and epoch are the same in both: a splice after them is the other envelope whole.
      if (cut > 5) expect(() => openEnvelope(spliced, binding, keys)).toThrow(AifiError);
      else expect(openEnvelope(spliced, binding, keys).revision).toBe(2);
    }
  });
  it('refuses sealed content that is no envelope', () => {
    const strange = sealEnvelope({ ...content, targetId: 'x'.repeat(65) }, binding, keys);
    expect(() => openEnvelope(strange, binding, keys)).toThrow(AifiError);
  });
  it('does not open after any change of its bytes', () => {
    fc.assert(
      fc.property(fc.nat(sealed.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const changed = Buffer.from(sealed);
        changed[at]! ^= flip;
        expect(() => openEnvelope(changed, binding, keys)).toThrow(AifiError);
        expect(() => openEnvelope(sealed.subarray(0, at), binding, keys)).toThrow(AifiError);
      }),
    );
  });
});
