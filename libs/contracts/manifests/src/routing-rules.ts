/**
 * Routing rules: what the hub signs and the gateway evaluates before anything leaves.
 * Decides which products exist for one site and which series each takes.
 * Invariant: carries the purpose, so that a demonstration product cannot reach a clinical site.
 * Source: architecture 2 (select), governance specification 4.3.
 */
import { z } from 'zod';
import { maxStudyAgeHoursSchema, productCertificateSchema } from './certificate.js';
import { intendedUseSchema, onMissingSchema } from './intended-use.js';
import { deidentificationContractSchema } from './model-manifest.js';
import {
  epochMsSchema,
  laneSchema,
  productIdSchema,
  semverSchema,
  sha256Schema,
} from './primitives.js';

/**
 * May the product be used at the site at all. The last three say that the site may not have it run:
 * a hub that knows contracts publishes them.
 */
export const productStateSchema = z.enum([
  'active',
  'suspended',
  'agreement-missing',
  'no-contract',
  'licence-grace-over',
]);
export type ProductState = z.infer<typeof productStateSchema>;

export const deployedProductSchema = z.strictObject({
  product: productIdSchema,
  name: z.string(),
  version: semverSchema,
  modelDigest: sha256Schema,
  label: z.string(),
  purpose: z.enum(['demonstration', 'clinical']),
  state: productStateSchema,
  lane: laneSchema,
  intendedUse: intendedUseSchema,
  certificate: productCertificateSchema.optional(),
  /** Absent: MAX_STUDY_AGE_HOURS_DEFAULT. @unit h */
  maxStudyAgeHours: maxStudyAgeHoursSchema.optional(),
  /** Images that do not say when the study was made. Absent: deny. */
  studyAgeOnMissing: onMissingSchema.optional(),
  /** Runs only where it is asked for by name. Absent: wherever it is meant for. */
  manualOnly: z.boolean().optional(),
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
