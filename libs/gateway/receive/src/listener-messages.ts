/**
 * Messages between the gateway and its DIMSE listener child.
 * Decides what the child can say: it parses foreign bytes, so the parent checks all of it.
 * Invariant: a file is named by a UUID without a path, so a message can point at nothing else.
 * Source: reliability specification H13, P0.
 */
import { z } from 'zod';
import type { InstanceHeader } from '@aifi/gateway-database';
import { ERROR_CATALOGUE, isUid, type ErrorCode } from '@aifi/shared-kernel';
import type { ReceiveConfig } from './receive.config.js';

const uidSchema = z.string().refine(isUid, 'not a UID');
const HEADER_BYTES_MAX = 64 * 1024;

/** One instance on disk that has no row yet. */
export const receivedInstanceSchema = z.strictObject({
  fileName: z.string().regex(/^[0-9a-f-]{36}\.dcm$/),
  sizeBytes: z.int().positive(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  studyInstanceUid: uidSchema,
  seriesInstanceUid: uidSchema,
  sopInstanceUid: uidSchema,
  sopClassUid: uidSchema,
  transferSyntaxUid: uidSchema,
  callingAeTitle: z.string().max(16),
  /** InstanceHeader; the child made it, so its shape is known and only its size is checked. */
  header: z
    .custom<InstanceHeader>((value) => typeof value === 'object' && value !== null)
    .refine((value) => JSON.stringify(value).length <= HEADER_BYTES_MAX, 'header is too long'),
});
export type ReceivedInstance = z.output<typeof receivedInstanceSchema>;

/** Something that the child did not take. */
export const refusalSchema = z.strictObject({
  what: z.enum(['association', 'context', 'object', 'stream']),
  code: z.custom<ErrorCode>(
    (value) => typeof value === 'string' && Object.hasOwn(ERROR_CATALOGUE, value),
  ),
  /** As sent, so not yet known to be an AE title. */
  callingAeTitle: z.string().max(16),
  dimseStatus: z.int().min(0).max(0xffff).optional(),
});
export type ReceiveRefusal = z.output<typeof refusalSchema>;

export const childMessageSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('listening'), port: z.int().positive() }),
  z.strictObject({
    kind: z.literal('received'),
    id: z.int().positive(),
    instance: receivedInstanceSchema,
  }),
  z.strictObject({ kind: z.literal('refused'), refusal: refusalSchema }),
]);
export type ChildMessage = z.output<typeof childMessageSchema>;

export type ParentMessage =
  | {
      readonly kind: 'start';
      readonly config: ReceiveConfig;
      readonly incomingFolder: string;
      /** 0 at the first start of the child. */
      readonly restarts: number;
    }
  | { readonly kind: 'verdict'; readonly id: number; readonly status: number }
  | { readonly kind: 'stop' };
