/**
 * Goal: an outcome is believed only when envelope, linkage and digests agree (C4, C5, C6).
 * Method: one outcome that passes, on a real vault in a temporary folder; every test breaks exactly
 * one thing and expects IDENTITY_MISMATCH.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { join } from 'node:path';
import type { OutcomeManifest } from '@aifi/contracts-manifests';
import { DicomDataset } from '@aifi/dicom-core';
import {
  identityHmacs,
  identityOf,
  sealEnvelope,
  Vault,
  type Envelope,
  type EnvelopeBinding,
  type Linkage,
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
import { keyRingOf } from '@aifi/shared-site-keys';
import { fakeSiteKeys, temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import { checkGuards, type GuardInput, type SentJob } from './guards.js';

const JOB = jobId('a'.repeat(32));
const OTHER_JOB = jobId('b'.repeat(32));
const SITE = siteId('site-a');
const STUDY = pseudonymousUid('2.25.100');
const MODEL = sha256Hex('model');
const OBJECTS = [sha256Hex('slice 1'), sha256Hex('slice 2')];
const MANIFEST = sha256Hex('study manifest');
const keys = fakeSiteKeys();
const ring = keyRingOf(keys);
const sent: SentJob = {
  revision: 2,
  product: 'brain-tissue',
  productVersion: '1.0.0',
  modelDigest: MODEL,
  manifestSha256: MANIFEST,
  objectSha256s: OBJECTS,
};

const anIdentity = (name = 'Berg^Jan') =>
  identityOf(
    new DicomDataset()
      .setString('PatientName', name)
      .setString('PatientID', '0012345')
      .setString('StudyInstanceUID', '1.2.3'),
  );
function aLinkage(job: JobId = JOB, name?: string): Linkage {
  return {
    ...{ jobId: job, studyUid: originalUid('1.2.3'), seriesUid: originalUid('1.2.3.1') },
    ...{ pseudonymousStudyUid: STUDY, epoch: 1, asSent: anIdentity(name) },
  };
}
function anEnvelope(
  content: Partial<Envelope> = {},
  binding: Partial<EnvelopeBinding> = {},
  sealedWith = keys,
): Buffer {
  const identity = { ...identityHmacs(anIdentity(), keys.identity) };
  return sealEnvelope(
    { jobId: JOB, revision: 2, targetId: 'pacs', identityHmacs: identity, ...content },
    { siteId: SITE, jobId: JOB, pseudonymousStudyUid: STUDY, manifestSha256: MANIFEST, ...binding },
    sealedWith,
  );
}
function anOutcome(over: Partial<OutcomeManifest> = {}): OutcomeManifest {
  return {
    ...{ schema: 'aifi.outcome-manifest.v1', jobId: JOB, revision: 2, issue: 0 },
    product: { id: 'brain-tissue', version: '1.0.0', modelDigest: MODEL },
    ...{ outcome: 'RESULT', manifestSha256: MANIFEST, inputDigest: objectsDigest(OBJECTS) },
    ...{ objects: [], mintedUids: [], finishedAtMs: 1 },
    ...over,
  };
}

describe(checkGuards.name, () => {
  let folder: TemporaryFolder;
  let vault: Vault;
  beforeEach(async () => {
    folder = temporaryFolder('guards');
    vault = Vault.open(join(folder.path, 'vault.db'), ring);
    await vault.recordLinkage(aLinkage(), new Map(), 1);
  });
  afterEach(() => {
    vault.close();
    folder.remove();
  });
  const sut = (broken: Partial<GuardInput> = {}) =>
    checkGuards({
      ...{ manifest: anOutcome(), envelope: anEnvelope(), sent, vault, keys: ring, siteId: SITE },
      ...broken,
    });
  const mismatch = { ok: false, refusal: { code: 'IDENTITY_MISMATCH' } };

  it('gives the linkage when everything agrees, in whatever order the objects were read', () => {
    expect(sut()).toEqual({ ok: true, value: aLinkage() });
    const reversed = { ...sent, objectSha256s: [...OBJECTS].reverse() };
    expect(sut({ sent: reversed })).toEqual({ ok: true, value: aLinkage() });
  });

  it('needs no input digest when nothing ran', () => {
    const { inputDigest, ...notAnalysed } = anOutcome({ outcome: 'NOT_ANALYSED' });
    expect(inputDigest).toBeDefined();
    expect(sut({ manifest: notAnalysed })).toMatchObject({ ok: true });
  });

  const envelopes: [string, () => Buffer][] = [
    ['is the one of another job', () => anEnvelope({ jobId: OTHER_JOB }, { jobId: OTHER_JOB })],
    ['is bound to this job but speaks of another', () => anEnvelope({ jobId: OTHER_JOB })],
    ['is of another revision', () => anEnvelope({ revision: 1 })],
    ['is of another site', () => anEnvelope({}, { siteId: siteId('site-b') })],
    [
      'is of another study',
      () => anEnvelope({}, { pseudonymousStudyUid: pseudonymousUid('2.25.9') }),
    ],
    ['is of another study manifest', () => anEnvelope({}, { manifestSha256: sha256Hex('other') })],
    [
      'is sealed with another key',
      () => anEnvelope({}, {}, { ...keys, seal: Buffer.alloc(32, 9) }),
    ],
    ['is of another key epoch', () => anEnvelope({}, {}, { ...keys, epoch: 2 })],
    ['is cut short', () => anEnvelope().subarray(0, -1)],
    ['is empty', () => Buffer.alloc(0)],
  ];
  it.each(envelopes)('C4 refuses when the envelope %s', (_, envelope) => {
    expect(sut({ envelope: envelope() })).toMatchObject(mismatch);
  });

  it('C5 refuses when the linkage names another patient than the envelope', () => {
    const hmacs = { ...identityHmacs(anIdentity('Other^P'), keys.identity) };
    expect(sut({ envelope: anEnvelope({ identityHmacs: hmacs }) })).toMatchObject(mismatch);
  });

  it('C5 refuses when any single attribute differs, is missing or is one too many', () => {
    const whole = { ...identityHmacs(anIdentity(), keys.identity) };
    for (const name of Object.keys(whole)) {
      const changed = { ...whole, [name]: '0'.repeat(64) };
      const rest = Object.fromEntries(Object.entries(whole).filter(([key]) => key !== name));
      expect(sut({ envelope: anEnvelope({ identityHmacs: changed }) })).toMatchObject(mismatch);
      expect(sut({ envelope: anEnvelope({ identityHmacs: rest }) })).toMatchObject(mismatch);
    }
    const more = { ...whole, OtherPatientIDs: '0'.repeat(64) };
    expect(sut({ envelope: anEnvelope({ identityHmacs: more }) })).toMatchObject(mismatch);
  });

  it('C5 refuses when the identity key has changed since', () => {
    expect(sut({ keys: keyRingOf({ ...keys, identity: Buffer.alloc(32, 9) }) })).toMatchObject(
      mismatch,
    );
  });

  const outcomes: [string, Partial<OutcomeManifest>][] = [
    ['names a job that was never linked', { jobId: OTHER_JOB }],
    ['is for another revision', { revision: 1 }],
    ['worked on another study manifest', { manifestSha256: sha256Hex('other') }],
    ['read other bytes', { inputDigest: objectsDigest([OBJECTS[0]!]) }],
    [
      'is of another product',
      { product: { id: 'bone-age', version: '1.0.0', modelDigest: MODEL } },
    ],
    [
      'is of another version',
      { product: { id: 'brain-tissue', version: '1.0.1', modelDigest: MODEL } },
    ],
    [
      'is of another model',
      { product: { id: 'brain-tissue', version: '1.0.0', modelDigest: sha256Hex('other') } },
    ],
  ];
  it.each(outcomes)('C6 refuses an outcome that %s', (_, over) => {
    expect(sut({ manifest: anOutcome(over) })).toMatchObject(mismatch);
  });

  it('refuses the whole outcome of another job, envelope and all, when only the job is renamed', async () => {
    await vault.recordLinkage(aLinkage(OTHER_JOB, 'Other^P'), new Map(), 2);
    const hmacs = { ...identityHmacs(anIdentity('Other^P'), keys.identity) };
    const swapped = anEnvelope({ jobId: OTHER_JOB, identityHmacs: hmacs }, { jobId: OTHER_JOB });
    expect(sut({ envelope: swapped })).toMatchObject(mismatch);
    expect(sut({ manifest: anOutcome({ jobId: OTHER_JOB }) })).toMatchObject(mismatch);
  });

  it('never says which value differed', () => {
    const result = sut({ envelope: anEnvelope({ identityHmacs: {} }) });
    expect(JSON.stringify(result)).not.toMatch(/Berg|0012345|1\.2\.3|[0-9a-f]{32}/);
  });
});
