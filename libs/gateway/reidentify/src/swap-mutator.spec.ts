/**
 * Goal: nothing that is swapped between two jobs makes a result land under another patient
 * (T-MIS-2, T-MIS-3).
 * Method: two hospitals with nasty pairs of patients (the same number at both, twins of one birth
 * date). Every part of an outcome and of the records it meets is taken from any of the jobs, in all
 * combinations; the oracle is the patient whose bytes the worker read. One combination of each job
 * is right, and every other one must be refused.
 */
import { describe, expect, it } from '@jest/globals';
import type { OutcomeManifest } from '@aifi/contracts-manifests';
import { DicomDataset } from '@aifi/dicom-core';
import {
  identityHmacs,
  identityOf,
  sealEnvelope,
  type Identity,
  type Linkage,
  type Vault,
} from '@aifi/gateway-vault';
import {
  jobId,
  objectsDigest,
  originalUid,
  pseudonymousUid,
  sha256Hex,
  siteId,
  type JobId,
  type SiteId,
} from '@aifi/shared-kernel';
import { keyRingOf } from '@aifi/shared-site-keys';
import { fakeSiteKeys, type FakeSiteKeys } from '@aifi/shared-testing';
import { checkGuards, type SentJob } from './guards.js';

interface TestSite {
  readonly siteId: SiteId;
  readonly keys: FakeSiteKeys;
}
interface TestJob {
  readonly site: TestSite;
  readonly identity: Identity;
  readonly sent: SentJob;
  readonly linkage: Linkage;
  readonly envelope: Buffer;
  readonly manifest: OutcomeManifest;
}

const MODEL = sha256Hex('model');
const product = { id: 'brain-tissue', version: '1.0.0', modelDigest: MODEL };
const sites = ['site-a', 'site-b'].map((name) => ({
  siteId: siteId(name),
  keys: fakeSiteKeys(name),
}));

function aJob(index: number, site: TestSite, name: string, patientId: string): TestJob {
  const job: JobId = jobId(String(index).repeat(32));
  // The same study and SOP instance UIDs at both hospitals: a copied study, or a careless scanner.
  const identity = identityOf(
    new DicomDataset()
      .setString('PatientName', name)
      .setString('PatientID', patientId)
      .setString('PatientBirthDate', '19700101')
      .setString('AccessionNumber', 'A1')
      .setString('StudyInstanceUID', '1.2.3'),
  );
  const objects = [sha256Hex(`pixels of ${site.siteId} ${patientId}`)];
  const manifestSha256 = sha256Hex(`manifest ${index}`);
  const pseudonymousStudyUid = pseudonymousUid(`2.25.${site.siteId === 'site-a' ? 1 : 2}`);
  const sent: SentJob = {
    ...{ revision: 1, product: product.id, productVersion: product.version },
    ...{ modelDigest: MODEL, manifestSha256, objectSha256s: objects },
  };
  const hmacs = { ...identityHmacs(identity, site.keys.identity) };
  return {
    ...{ site, identity, sent },
    linkage: {
      ...{ jobId: job, studyUid: originalUid('1.2.3'), seriesUid: originalUid('1.2.3.1') },
      ...{ pseudonymousStudyUid, epoch: 1, asSent: identity },
    },
    envelope: sealEnvelope(
      { jobId: job, revision: 1, targetId: 'pacs', identityHmacs: hmacs },
      { siteId: site.siteId, jobId: job, pseudonymousStudyUid, manifestSha256 },
      site.keys,
    ),
    manifest: {
      ...{ schema: 'aifi.outcome-manifest.v1', jobId: job, revision: 1, issue: 0, product },
      ...{ outcome: 'RESULT', manifestSha256, inputDigest: objectsDigest(objects) },
      ...{ objects: [], mintedUids: [], finishedAtMs: 1 },
    },
  };
}

const [siteA, siteB] = sites as [TestSite, TestSite];
const jobs: readonly TestJob[] = [
  aJob(1, siteA, 'Berg^Jan', '0012345'),
  aJob(2, siteA, 'Berg^Jana', '0012346'),
  aJob(3, siteB, 'Berg^Jan', '0012345'),
  aJob(4, siteB, 'BERG^JAN', '0012345 '),
];

/** What can be swapped: which job each part comes from, and at which gateway they meet. */
interface Swap {
  readonly named: TestJob;
  readonly hash: TestJob;
  readonly read: TestJob;
  readonly envelope: TestJob;
  readonly sent: TestJob;
  readonly linkage: TestJob;
  readonly at: TestSite;
}

function believed({ named, hash, read, envelope, sent, linkage, at }: Swap): Linkage | undefined {
  const rows = new Map([
    [named.manifest.jobId, { ...linkage.linkage, jobId: named.manifest.jobId }],
  ]);
  const vault = { linkage: (job: JobId) => rows.get(job) } as unknown as Vault;
  const result = checkGuards({
    manifest: {
      ...named.manifest,
      manifestSha256: hash.manifest.manifestSha256,
      inputDigest: read.manifest.inputDigest,
    },
    ...{ envelope: envelope.envelope, sent: sent.sent, vault },
    ...{ keys: keyRingOf(at.keys), siteId: at.siteId },
  });
  return result.ok ? result.value : undefined;
}

describe('the swap mutator', () => {
  it('finds one combination of each job that is believed, and it is the right one', () => {
    const right: Swap[] = [];
    let tried = 0;
    for (const named of jobs)
      for (const hash of jobs)
        for (const read of jobs)
          for (const envelope of jobs)
            for (const sent of jobs)
              for (const linkage of jobs)
                for (const at of sites) {
                  tried += 1;
                  const swap = { named, hash, read, envelope, sent, linkage, at };
                  if (believed(swap)) right.push(swap);
                }
    expect(tried).toBe(4 ** 6 * 2);
    expect(right.map(({ read }) => read)).toEqual(jobs);
    for (const { named, hash, read, envelope, sent, linkage, at } of right) {
      for (const part of [named, hash, envelope, sent, linkage]) expect(part).toBe(read);
      expect(at).toBe(read.site);
    }
  });
});
