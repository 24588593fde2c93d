/**
 * Documents of the set-up: what `--json` prints of checks and of the probe.
 * Decides their shape. Invariant: keys keep name and meaning within v1.
 */
import { z } from 'zod';
import { gatewayRoutes } from '@aifi/contracts-rest';

/** Why there is no answer; null: there is one. */
const fault = z.string().nullable();

export const setupCheckDocumentSchema = z.object({
  ...{ schema: z.literal('aifictl.setup-check.v1'), server: z.string() },
  ...{ setup: gatewayRoutes.setup.response.nullable(), fault },
});
export type SetupCheckDocument = z.infer<typeof setupCheckDocumentSchema>;

export const selfTestDocumentSchema = z.object({
  ...{ schema: z.literal('aifictl.self-test.v1'), server: z.string() },
  ...{ probe: gatewayRoutes.probe.response.nullable(), fault },
});
export type SelfTestDocument = z.infer<typeof selfTestDocumentSchema>;
