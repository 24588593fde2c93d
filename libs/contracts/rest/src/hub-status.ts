/**
 * Hub status, sites and models: the central operator's overview.
 * Decides what is known of a site without its data: when it was last heard, what waits, what is
 * deployed. Invariant: counts and names of sites and products only.
 */
import { z } from 'zod';
import { epochMsSchema } from '@aifi/contracts-manifests';

export const hubStatusSchema = z.object({
  purpose: z.string(),
  version: z.string(),
  roles: z.array(z.string()),
  atMs: epochMsSchema,
  /** Jobs of all sites by state. */
  jobs: z.record(z.string(), z.int()),
});
export type HubStatus = z.infer<typeof hubStatusSchema>;

export const siteSchema = z.object({
  siteId: z.string(),
  purpose: z.string(),
  /** active or inactive. */
  state: z.string(),
  enrolledAtMs: epochMsSchema,
  /** Last call of one of its gateways, to half a minute; null: never. */
  lastSeenAtMs: epochMsSchema.nullable(),
  /** Jobs without an outcome. */
  openJobs: z.int(),
  /** Outcomes that wait to be fetched. */
  waitingOutcomes: z.int(),
  /** Sequence of the newest routing rules; null: none issued. */
  rulesSequence: z.int().nullable(),
  deployments: z.array(
    z.object({
      product: z.string(),
      version: z.string(),
      modelDigest: z.string(),
      state: z.string(),
    }),
  ),
});
export type SiteView = z.infer<typeof siteSchema>;
export const sitesSchema = z.object({ sites: z.array(siteSchema) });
export type Sites = z.infer<typeof sitesSchema>;

export const modelSchema = z.object({
  product: z.string(),
  name: z.string(),
  version: z.string(),
  vendor: z.string(),
  purpose: z.string(),
  label: z.string(),
  lane: z.string(),
  /** Digest of the artefact. */
  modelDigest: z.string(),
  /** Where it is deployed, retired deployments left out. */
  sites: z.array(z.object({ siteId: z.string(), state: z.string() })),
});
export type ModelView = z.infer<typeof modelSchema>;
export const modelsSchema = z.object({ models: z.array(modelSchema) });
export type Models = z.infer<typeof modelsSchema>;
