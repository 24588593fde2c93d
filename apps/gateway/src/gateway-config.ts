/**
 * Configuration of a gateway process.
 * Decides every setting that a hospital can make; secrets are named by file, never by value.
 * Source: docs/architecture/1-context.md; parsed once in main.ts.
 */
import { z } from 'zod';
import { deliverConfigSchema } from '@aifi/gateway-deliver';
import { receiveConfigSchema } from '@aifi/gateway-receive';
import { listenSchema } from '@aifi/shared-config';
import { PURPOSES, siteId } from '@aifi/shared-kernel';

export const gatewayConfigSchema = z.strictObject({
  siteId: z.string().transform((value) => siteId(value)),
  purpose: z.enum(PURPOSES),
  language: z
    .enum(['nl-NL', 'en-GB'])
    .default('nl-NL')
    .describe('language of what the gateway itself writes into the PACS'),
  dataFolder: z.string().min(1).describe('databases, keys and spool; on a local disk'),
  quietMs: z.int().positive().default(30_000).describe('silence that completes a study, ms'),
  deadlines: z
    .strictObject({
      acuteMs: z.int().positive().default(600_000),
      routineMs: z.int().positive().default(3_600_000),
    })
    .prefault({})
    .describe('time after which a product without a result is reported as not analysed, ms'),
  http: listenSchema.describe("the gateway's own page and metrics"),
  dicom: receiveConfigSchema.describe('the DICOM listener'),
  pacs: deliverConfigSchema.describe('the PACS that gets the results'),
  hub: z.strictObject({
    address: z.string().regex(/^[\w.-]+:\d+$/),
    caFile: z.string(),
    certificateFile: z.string(),
    keyFile: z.string(),
    signingPublicKeyFile: z.string(),
  }),
});
export type GatewayConfig = z.output<typeof gatewayConfigSchema>;
