/**
 * Primitives shared by all manifests: identifiers, UIDs, digests, times as zod schemas.
 * Decides their textual form on the wire. Invariant: parsing yields the branded type.
 */
import { z } from 'zod';
import {
  isReasonCode,
  isUid,
  type JobId,
  type PseudonymousUid,
  type ReasonCode,
  type Sha256,
} from '@aifi/shared-kernel';

export const sha256Schema = z
  .string()
  .regex(/^[0-9a-f]{64}$/)
  .transform((value) => value as Sha256);
export const jobIdSchema = z
  .string()
  .regex(/^[0-9a-f]{32}$/)
  .transform((value) => value as JobId);
export const uidSchema = z
  .string()
  .refine(isUid, 'not a UID')
  .transform((value) => value as PseudonymousUid);
export const reasonCodeSchema = z
  .string()
  .refine(isReasonCode, 'not a code of the closed table')
  .transform((value) => value as ReasonCode);
/** Milliseconds since the epoch. */
export const epochMsSchema = z.int().nonnegative();
export const productIdSchema = z.string().regex(/^[a-z][a-z0-9-]{0,63}$/);
export const semverSchema = z.string().regex(/^\d+\.\d+\.\d+$/);
export const laneSchema = z.enum(['acute', 'routine']);
export type Lane = z.infer<typeof laneSchema>;
