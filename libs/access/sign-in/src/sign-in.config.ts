/**
 * Settings of sign-in, the same for hub and gateway.
 * Decides which provider is trusted and which of its claims carry roles and sites.
 * Invariant: the embedded provider with its visible accounts is for demonstration only.
 */
import { z } from 'zod';
import { listenSchema } from '@aifi/shared-config';

export const signInConfigSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('embedded'),
    listen: listenSchema.describe('where the embedded provider listens: an origin of its own'),
    automationSecretFile: z
      .string()
      .optional()
      .describe('secret of the client "automation" (client credentials), for scripts'),
    automationRoles: z.array(z.string()).default(['hospital-it']),
  }),
  z.strictObject({
    kind: z.literal('oidc'),
    issuer: z.url().describe('issuer as browsers see it and as tokens name it'),
    discoveryUrl: z
      .url()
      .optional()
      .describe('where this server reads the configuration when it cannot reach the issuer name'),
    clientId: z.string().default('aifi-pages'),
    clientSecretFile: z.string(),
    audience: z.string().describe('audience that bearer tokens must name'),
    rolesClaim: z.string().default('aifi_roles'),
    sitesClaim: z.string().default('aifi_sites'),
    stepUpAcr: z.string().default('aifi-step-up').describe('acr value that a step-up must have'),
  }),
]);
export type SignInConfig = z.output<typeof signInConfigSchema>;
