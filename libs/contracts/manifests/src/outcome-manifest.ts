/**
 * Outcome manifest: how one job ended, signed by the hub.
 * Decides what the gateway may re-identify: every UID that the hub minted is listed here.
 * Invariant: RESULT has objects and no code; NOT_ANALYSED has a code and no objects.
 * Source: reliability specification C6 and "UIDs that the hub mints"; results specification 4.1.
 */
import { z } from 'zod';
import {
  epochMsSchema,
  jobIdSchema,
  productIdSchema,
  reasonCodeSchema,
  semverSchema,
  sha256Schema,
  uidSchema,
} from './primitives.js';

/** Role of a result object; part of the derivation of its final UIDs. */
export const resultRoleSchema = z.enum(['SR', 'SC', 'SEG']);
export type ResultRole = z.infer<typeof resultRoleSchema>;

/**
 * Detail of an outcome INPUT_INCOMPLETE whose negative result was not released: the gateway does
 * not tell it in the PACS while the revision of the whole study is still to come.
 */
export const EARLY_NEGATIVE_DETAIL = 'early start: negative waits for the whole study';

export const outcomeManifestSchema = z
  .strictObject({
    schema: z.literal('aifi.outcome-manifest.v1'),
    jobId: jobIdSchema,
    revision: z.int().positive(),
    /** 0 at first, rises only on supersession. */
    issue: z.int().nonnegative(),
    product: z.strictObject({
      id: productIdSchema,
      version: semverSchema,
      modelDigest: sha256Schema,
    }),
    outcome: z.enum(['RESULT', 'NOT_ANALYSED']),
    code: reasonCodeSchema.optional(),
    /** Short English text without identity, for staff. */
    detail: z.string().max(200).optional(),
    /** SHA-256 of the study manifest that the hub worked on. */
    manifestSha256: sha256Schema,
    /** Digest over the bytes that the worker really read (guard C6); absent when nothing ran. */
    inputDigest: sha256Schema.optional(),
    objects: z.array(
      z.strictObject({
        index: z.int().nonnegative(),
        role: resultRoleSchema,
        sopClassUid: uidSchema,
        sopInstanceUid: uidSchema,
        seriesInstanceUid: uidSchema,
        sizeBytes: z.int().positive(),
        sha256: sha256Schema,
      }),
    ),
    /** Every UID in the objects that the hub made, with what it stands for. */
    mintedUids: z.array(
      z.strictObject({
        uid: uidSchema,
        role: z.string().regex(/^[a-z][a-z0-9-]*$/),
        index: z.int().nonnegative(),
      }),
    ),
    startedAtMs: epochMsSchema.optional(),
    finishedAtMs: epochMsSchema,
  })
  .refine(
    (m) =>
      m.outcome === 'RESULT'
        ? m.objects.length > 0 && m.code === undefined && m.inputDigest !== undefined
        : m.objects.length === 0 && m.code !== undefined,
    'objects and code do not fit the outcome',
  );
export type OutcomeManifest = z.infer<typeof outcomeManifestSchema>;
