/**
 * Routing rules: what the hub signs and the gateway evaluates before anything leaves.
 * Decides which products exist for one site and which series each takes.
 * Invariant: carries the purpose, so that a demonstration product cannot reach a clinical site.
 * Source: architecture 2 (select), governance specification 4.3.
 */
import { z } from 'zod';
import { deidentificationContractSchema, intendedUseSchema } from './model-manifest.js';
import {
  epochMsSchema,
  laneSchema,
  productIdSchema,
  semverSchema,
  sha256Schema,
} from './primitives.js';

export const deployedProductSchema = z.strictObject({
  product: productIdSchema,
  name: z.string(),
  version: semverSchema,
  modelDigest: sha256Schema,
  label: z.string(),
  purpose: z.enum(['demonstration', 'clinical']),
  state: z.enum(['active', 'suspended']),
  lane: laneSchema,
  intendedUse: intendedUseSchema,
  deidentification: deidentificationContractSchema.optional(),
});
export type DeployedProduct = z.infer<typeof deployedProductSchema>;

export const routingRulesSchema = z.strictObject({
  schema: z.literal('aifi.routing-rules.v1'),
  /** Rises with every change; a gateway never goes back. */
  sequence: z.int().nonnegative(),
  issuedAtMs: epochMsSchema,
  purpose: z.enum(['demonstration', 'clinical']),
  products: z.array(deployedProductSchema),
});
export type RoutingRules = z.infer<typeof routingRulesSchema>;
