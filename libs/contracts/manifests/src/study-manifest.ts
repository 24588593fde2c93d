/**
 * Study manifest: what a gateway sends for one job, sealed by its hash.
 * Decides the complete list of objects, and the verdicts that only the gateway can give.
 * Invariant: no site (it comes from the certificate) and no identity.
 * Source: architecture 2; reliability specification C4, C6.
 */
import { z } from 'zod';
import { LIMITS } from '@aifi/shared-kernel';
import {
  epochMsSchema,
  jobIdSchema,
  laneSchema,
  productIdSchema,
  semverSchema,
  sha256Schema,
  uidSchema,
} from './primitives.js';

export const manifestObjectSchema = z.strictObject({
  sopInstanceUid: uidSchema,
  sopClassUid: uidSchema,
  seriesInstanceUid: uidSchema,
  transferSyntaxUid: uidSchema,
  /** Part 10 file as sent. @unit bytes */
  sizeBytes: z.int().positive().max(LIMITS.objectBytesMax),
  sha256: sha256Schema,
});
export type ManifestObject = z.infer<typeof manifestObjectSchema>;

export const studyManifestSchema = z.strictObject({
  schema: z.literal('aifi.study-manifest.v1'),
  jobId: jobIdSchema,
  revision: z.int().positive(),
  product: z.strictObject({
    id: productIdSchema,
    version: semverSchema,
    /** SHA-256 of the model artefact that the rules named: the job pins it (H9). */
    modelDigest: sha256Schema,
  }),
  lane: laneSchema,
  studyInstanceUid: uidSchema,
  /** When the gateway had the last instance of the revision durable. */
  receivedAtMs: epochMsSchema,
  /** Verdicts of the rules that need real dates or geometry, attested by the gateway. */
  attestations: z.array(
    z.strictObject({ rule: z.string(), verdict: z.enum(['allow', 'deny', 'review']) }),
  ),
  /** SHA-256 of the routing rules that were evaluated. */
  ruleSetSha256: sha256Schema,
  objects: z.array(manifestObjectSchema).min(1).max(LIMITS.instancesPerStudyMax),
});
export type StudyManifest = z.infer<typeof studyManifestSchema>;
