/**
 * Requests over REST: "run this AI on this study", and what came of it.
 * Decides that a request is told as taken in, and answered by select: SELECTED, or the code that
 * stays in the way. Invariants: no patient attribute; a study is in the address by its UID only,
 * as everywhere. Source: features specification 37 (manual send).
 */
import { z } from 'zod';
import { epochMsSchema, productIdSchema, uidSchema } from '@aifi/contracts-manifests';
import { reasonSchema } from './route.js';

export const productRequestSchema = z.object({
  product: z.string(),
  /** ae-title, page, command-line or order. */
  source: z.string(),
  requestedAtMs: epochMsSchema,
  /** Null: not answered yet. */
  answeredAtMs: epochMsSchema.nullable(),
  /** SELECTED, the state that a job of it is in, or a reason code. */
  answer: z.string().nullable(),
  /** The code in words, in both languages; null without a code. */
  words: z.object({ nl: z.string(), en: z.string() }).nullable(),
});
export type ProductRequestView = z.infer<typeof productRequestSchema>;

const study = z.strictObject({ studyInstanceUid: uidSchema });
export const productRequestRoutes = {
  productRequests: {
    method: 'GET',
    path: '/api/v1/studies/:studyInstanceUid/requests',
    summary: 'Products that were asked for by name on one study, newest first',
    params: study,
    response: z.object({ items: z.array(productRequestSchema) }),
  },
  requestProduct: {
    method: 'POST',
    path: '/api/v1/studies/:studyInstanceUid/requests',
    summary: 'Run one product on one study, whatever its age',
    params: study,
    body: z.strictObject({
      product: productIdSchema,
      reason: reasonSchema.optional(),
      from: z.enum(['page', 'command-line']).default('page'),
    }),
    response: z.object({
      product: z.string(),
      requestedAtMs: epochMsSchema,
      /** False: the same was asked for already and is not answered yet. */
      isNew: z.boolean(),
    }),
  },
} as const;
