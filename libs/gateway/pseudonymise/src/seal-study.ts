/**
 * The study manifest and the sealed envelope of one job.
 * Decides what the hub learns beside the images, and what it must hand back unopened.
 * Invariants: no identity in the manifest; the envelope is bound to site, job, pseudonymous study
 * and manifest hash. Source: reliability specification C4.
 */
import {
  earlyStartSchema,
  encodeManifest,
  studyManifestSchema,
  type StudyManifest,
} from '@aifi/contracts-manifests';
import type { PseudonymisedInstance, PseudonymisedStudy } from '@aifi/dicom-deidentification';
import { identityHmacs, sealEnvelope, type Identity } from '@aifi/gateway-vault';
import { sha256Hex, type PseudonymousUid, type SiteId } from '@aifi/shared-kernel';
import type { SiteKeys } from '@aifi/shared-site-keys';
import type { SelectedJob, SourceInstance } from './selected-job.js';

/** Where results are owed: the PACS of the site. */
const TARGET_ID = 'pacs';

export interface StudyParts {
  readonly job: SelectedJob;
  readonly sources: readonly SourceInstance[];
  readonly instances: readonly PseudonymisedInstance[];
  readonly identity: Identity;
  readonly keys: SiteKeys;
  readonly siteId: SiteId;
}

export function sealStudy(
  parts: StudyParts,
): Pick<PseudonymisedStudy, 'manifest' | 'manifestSha256' | 'envelope'> {
  const { job, identity, keys, siteId, instances } = parts;
  const manifest = encodeManifest(studyManifestSchema, manifestOf(parts));
  const manifestSha256 = sha256Hex(manifest);
  const envelope = sealEnvelope(
    {
      jobId: job.jobId,
      revision: job.revision,
      targetId: TARGET_ID,
      identityHmacs: identityHmacs(identity, keys.identity),
    },
    {
      siteId,
      jobId: job.jobId,
      pseudonymousStudyUid: instances[0]!.studyInstanceUid,
      manifestSha256,
    },
    keys,
  );
  return { manifest, manifestSha256, envelope };
}

function manifestOf({ job, sources, instances }: StudyParts): StudyManifest {
  return {
    schema: 'aifi.study-manifest.v1',
    jobId: job.jobId,
    revision: job.revision,
    product: { id: job.product, version: job.productVersion, modelDigest: job.modelDigest },
    lane: job.lane,
    studyInstanceUid: instances[0]!.studyInstanceUid,
    receivedAtMs: Math.max(...sources.map((source) => source.receivedMs)),
    attestations: JSON.parse(job.attestations) as StudyManifest['attestations'],
    ruleSetSha256: job.ruleSetSha256,
    ...(job.early !== null && { early: earlyStartSchema.parse(JSON.parse(job.early)) }),
    objects: instances.map((instance) => ({
      sopInstanceUid: instance.sopInstanceUid,
      sopClassUid: instance.sopClassUid as PseudonymousUid,
      seriesInstanceUid: instance.seriesInstanceUid,
      transferSyntaxUid: instance.transferSyntaxUid as PseudonymousUid,
      sizeBytes: instance.sizeBytes,
      sha256: instance.sha256,
    })),
  };
}
