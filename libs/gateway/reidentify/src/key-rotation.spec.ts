/**
 * Goal: keys are rotated while jobs are in flight: what was sent comes back right, what is new is
 * sent with the new keys, and nothing of one epoch passes for the other (T-MIS-6).
 * Method: both kinds of rotation on a real vault that is opened again with the longer ring; swaps
 * of envelopes and epochs between an old and a new job.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { join } from 'node:path';
import type { OutcomeManifest } from '@aifi/contracts-manifests';
import { decodePart10, DicomDataset, encodePart10 } from '@aifi/dicom-core';
import { pseudonymiseHeader } from '@aifi/dicom-deidentification';
import {
  identityElements,
  identityHmacs,
  identityOf,
  openEnvelope,
  sealEnvelope,
  Vault,
} from '@aifi/gateway-vault';
import {
  jobId,
  objectsDigest,
  originalUid,
  pseudonymousUid,
  sha256Hex,
  siteId,
  type JobId,
} from '@aifi/shared-kernel';
import { keyRingOf, type KeyRing, type SiteKeys } from '@aifi/shared-site-keys';
import { fakeSiteKeys, temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import { checkGuards, type SentJob } from './guards.js';
import { reidentifyObject } from './reidentify-object.js';
import { shiftedDays } from './shifted-days.js';

const SITE = siteId('site-a');
const CODE = 'SITE-A';
const MODEL = sha256Hex('model');
const MANIFEST = sha256Hex('study manifest');
const SENT = sha256Hex('a slice');
const [OLD, NEW] = [jobId('1'.repeat(32)), jobId('2'.repeat(32))];
const first = fakeSiteKeys();
const fresh = fakeSiteKeys('site-a', 2);
const { index, uid, pid, date, result } = first;
const KINDS: [string, SiteKeys][] = [
  ['sealing', { ...fresh, index, uid, pid, date, result }],
  ['pseudonyms', { ...fresh, index }],
];
const sentJob: SentJob = {
  ...{ revision: 1, product: 'p', productVersion: '1.0.0', modelDigest: MODEL },
  ...{ manifestSha256: MANIFEST, objectSha256s: [SENT] },
};
const header = new DicomDataset()
  .setString('SOPClassUID', '1.2.840.10008.5.1.4.1.1.1.1')
  .setString('Modality', 'DX')
  .setString('BodyPartExamined', 'CHEST')
  .setString('SOPInstanceUID', '1.2.3.3')
  .setString('SeriesInstanceUID', '1.2.3.2')
  .setString('StudyInstanceUID', '1.2.3.1')
  .setString('PatientName', 'Berg^Jan')
  .setString('PatientID', '0012345')
  .setString('StudyDate', '20240229')
  .setString('AcquisitionDate', '20240229');

interface Flight {
  readonly job: JobId;
  readonly keys: SiteKeys;
  readonly output: DicomDataset;
  readonly envelope: Buffer;
}

describe.each(KINDS)('a rotation of the %s keys', (kind, second) => {
  let folder: TemporaryFolder;
  let vault: Vault;
  let ring: KeyRing;
  let [old, recent]: [Flight, Flight] = [undefined!, undefined!];
  const path = (): string => join(folder.path, 'vault.db');
  beforeEach(async () => {
    folder = temporaryFolder('rotation');
    ring = keyRingOf(first);
    vault = Vault.open(path(), ring);
    old = await send(OLD);
    vault.close();
    ring = keyRingOf(first, second);
    vault = Vault.open(path(), ring);
    recent = await send(NEW);
  });
  afterEach(() => {
    vault.close();
    folder.remove();
  });

  /** What pseudonymise does with a job, with the keys that are current. */
  async function send(job: JobId): Promise<Flight> {
    const keys = ring.current;
    const output = pseudonymiseHeader(header, { siteCode: CODE, keys });
    if (!output.ok) throw new Error(output.refusal.detail);
    const { dataset, uids } = output.value;
    const asSent = identityOf(header);
    const pseudonymousStudyUid = pseudonymousUid(dataset.string('StudyInstanceUID')!);
    const study = { studyUid: originalUid('1.2.3.1'), seriesUid: originalUid('1.2.3.2') };
    const linkage = { jobId: job, ...study, pseudonymousStudyUid, epoch: keys.epoch, asSent };
    await vault.recordLinkage(linkage, uids, 1);
    const binding = { siteId: SITE, jobId: job, pseudonymousStudyUid, manifestSha256: MANIFEST };
    const hmacs = { ...identityHmacs(asSent, keys.identity) };
    const content = { jobId: job, revision: 1, targetId: 'pacs', identityHmacs: hmacs };
    return { job, keys, output: dataset, envelope: sealEnvelope(content, binding, keys) };
  }
  const guards = (job: JobId, envelope: Uint8Array, keys = ring) =>
    checkGuards({
      ...{ envelope, vault, keys, siteId: SITE, sent: sentJob },
      manifest: {
        ...{ schema: 'aifi.outcome-manifest.v1', jobId: job, revision: 1, issue: 0 },
        product: { id: 'p', version: '1.0.0', modelDigest: MODEL },
        ...{ outcome: 'RESULT', manifestSha256: MANIFEST, inputDigest: objectsDigest([SENT]) },
        ...{ objects: [], mintedUids: [], finishedAtMs: 1 },
      } as OutcomeManifest,
    });
  function back({ job, output }: Flight): DicomDataset {
    const linkage = vault.linkage(job)!;
    const keys = ring.epoch(linkage.epoch)!;
    const object = reidentifyObject(encodePart10(output), {
      finalUid: (text) => vault.originalUid(job, text),
      isPseudonymous: (text) => vault.originalUid(job, text) !== undefined,
      dates: {
        offsetDays: shiftedDays(linkage.asSent, { siteCode: CODE, keys }),
        zoneMinutes: () => 60,
      },
      identity: identityElements(linkage.asSent),
    });
    if (!object.ok) throw new Error(object.refusal.detail);
    return decodePart10(object.value.bytes).dataset;
  }

  it('brings back what was sent before it and what was sent after it', () => {
    for (const flight of [old, recent]) {
      expect(guards(flight.job, flight.envelope).ok).toBe(true);
      const dataset = back(flight);
      const told = ['PatientID', 'StudyInstanceUID', 'SOPInstanceUID', 'AcquisitionDate'];
      expect(told.map((keyword) => dataset.string(keyword))).toEqual(
        told.map((keyword) => header.string(keyword)),
      );
    }
  });

  it('sends what is new with the new keys', () => {
    expect([old, recent].map(({ job }) => vault.linkage(job)!.epoch)).toEqual([1, 2]);
    const isSame = old.output.string('PatientID') === recent.output.string('PatientID');
    expect(isSame).toBe(kind === 'sealing');
  });

  it('takes no envelope of one job, or epoch, for the other', () => {
    const relabelled = Buffer.from(old.envelope);
    relabelled.writeUInt32BE(2, 1);
    const resealed = resealedWith(old, second);
    const mismatch = { ok: false, refusal: { code: 'IDENTITY_MISMATCH' } };
    expect(guards(OLD, recent.envelope)).toMatchObject(mismatch);
    expect(guards(NEW, old.envelope)).toMatchObject(mismatch);
    expect(guards(OLD, relabelled)).toMatchObject(mismatch);
    // Sealed by whoever has the new keys only: the digests of the identity are of the old ones.
    expect(guards(OLD, resealed)).toMatchObject(mismatch);
  });
  function resealedWith({ job }: Flight, keys: SiteKeys): Buffer {
    const { pseudonymousStudyUid, asSent } = vault.linkage(job)!;
    const binding = { siteId: SITE, jobId: job, pseudonymousStudyUid, manifestSha256: MANIFEST };
    const content = { jobId: job, revision: 1, targetId: 'pacs' };
    const hmacs = { ...identityHmacs(asSent, keys.identity) };
    const sealed = sealEnvelope({ ...content, identityHmacs: hmacs }, binding, keys);
    expect(openEnvelope(sealed, binding, ring).jobId).toBe(job);
    return sealed;
  }

  it('maps no UID of the new pseudonyms for the old job', () => {
    if (kind === 'sealing') return expect(second.uid).toEqual(first.uid);
    const study = recent.output.string('StudyInstanceUID')!;
    expect(vault.originalUid(OLD, study)).toBeUndefined();
    return expect(vault.originalUid(NEW, study)).toBe('1.2.3.1');
  });

  it('needs the old keys until the last of their jobs is gone', () => {
    expect(guards(OLD, old.envelope, keyRingOf(second))).toMatchObject({ ok: false });
    expect(vault.epochsInUse()).toEqual([1, 2]);
  });
});
