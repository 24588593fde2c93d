/**
 * Configuration of a hub process.
 * Decides every setting that an operator can make; secrets are named by file, never by value.
 * Invariant: the embedded database belongs to one process, which then has both roles.
 * Source: architecture 3 (roles api | jobs); parsed once in main.ts.
 */
import { z } from 'zod';
import { productIdSchema, semverSchema } from '@aifi/contracts-manifests';
import { inferConfigSchema } from '@aifi/hub-infer';
import { resultsConfigSchema } from '@aifi/hub-results';
import { listenSchema } from '@aifi/shared-config';
import { PURPOSES } from '@aifi/shared-kernel';

const databaseSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('embedded') }),
  z.strictObject({
    kind: z.literal('external'),
    ownerUrl: z.string().describe('role aifi_owner: owns the tables, migrates'),
    appUrl: z.string().describe('role aifi_app: works inside one site'),
    jobsUrl: z.string().describe('role aifi_jobs: sees the queue columns of all sites'),
  }),
]);

const deploymentSchema = z.strictObject({
  // The name in the certificates of the site's gateways; never made into a SiteId here (C1).
  siteId: z.string().regex(/^[a-z][a-z0-9-]{0,31}$/),
  product: productIdSchema,
  version: semverSchema,
  state: z.enum(['active', 'suspended']).default('active'),
});

export const hubConfigSchema = z
  .strictObject({
    roles: z.array(z.enum(['api', 'jobs'])).min(1),
    purpose: z.enum(PURPOSES).describe('of all sites of this hub'),
    dataFolder: z.string().min(1).describe('object store and embedded database; on a local disk'),
    grpc: listenSchema
      .extend({ caFile: z.string(), certificateFile: z.string(), keyFile: z.string() })
      .describe('the link to the gateways, mutual TLS'),
    http: listenSchema.describe('operator interface and metrics'),
    database: databaseSchema,
    signingKeyFile: z.string().describe('Ed25519 private key, PEM, PKCS #8'),
    modelsFolder: z.string(),
    workerUrl: z.url({ protocol: /^https?$/ }),
    deployments: z.array(deploymentSchema),
    infer: inferConfigSchema.prefault({}),
    results: resultsConfigSchema.prefault({}),
  })
  .refine((config) => config.database.kind === 'external' || config.roles.length === 2, {
    path: ['roles'],
    message: 'the embedded database needs one process with both roles',
  });
export type HubConfig = z.output<typeof hubConfigSchema>;
