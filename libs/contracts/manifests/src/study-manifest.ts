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
  reasonCodeSchema,
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

/** Verdict on one rule; the code where it does not allow. */
export const attestationSchema = z.strictObject({
  rule: z.string(),
  verdict: z.enum(['allow', 'deny', 'review']),
  code: reasonCodeSchema.optional(),
});
export type Attestation = z.infer<typeof attestationSchema>;

/**
 * The job was started while its study still arrived: a positive result says of how many images it
 * is, a negative one waits for the whole study unless the product needs no more.
 */
export const earlyStartSchema = z.strictObject({
  /** Of the series that the product takes. */
  instances: z.int().positive().max(LIMITS.instancesPerStudyMax),
  /** How many it is to have, where somebody says so. */
  expected: z.int().positive().max(LIMITS.instancesPerStudyMax).optional(),
  negativeAllowed: z.boolean(),
});
export type EarlyStart = z.infer<typeof earlyStartSchema>;

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
  attestations: z.array(attestationSchema),
  /** SHA-256 of the routing rules that were evaluated. */
  ruleSetSha256: sha256Schema,
  /** Absent: of a whole study. */
  early: earlyStartSchema.optional(),
  objects: z.array(manifestObjectSchema).min(1).max(LIMITS.instancesPerStudyMax),
});
export type StudyManifest = z.infer<typeof studyManifestSchema>;
