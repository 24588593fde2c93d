/**
 * Gateway configuration: what the hub signs for one gateway when it joins, and later on.
 * Decides for whom a gateway works and whose signatures and certificates it accepts from then on.
 * Invariant: signed by a key of the hub; a gateway follows only one that names itself.
 * Source: docs/adr/0021-enrolment.md; RFC 8785 (canonical bytes).
 */
import { z } from 'zod';
import { canonicalJson, sha256Hex, type Sha256 } from '@aifi/shared-kernel';
import { epochMsSchema } from './primitives.js';

/** 16 KiB: far above any certificate chain of one authority. */
const pemSchema = z.string().max(16_384).startsWith('-----BEGIN ');

export const gatewayConfigurationSchema = z.strictObject({
  schema: z.literal('aifi.gateway-configuration.v1'),
  /** As in the gateway's certificate. */
  siteId: z.string().regex(/^[a-z][a-z0-9-]{0,31}$/),
  /** Number of the gateway within its site. */
  gateway: z.int().min(1).max(9_999),
  purpose: z.enum(['demonstration', 'clinical']),
  issuedAtMs: epochMsSchema,
  /** Ed25519 public keys (PEM) that sign for the hub. */
  signingKeys: z.array(pemSchema).min(1).max(8),
  /** Certificates (PEM) of the hub's authorities: of the hub itself and of gateways. */
  trustAnchors: z.array(pemSchema).min(1).max(32),
});
export type GatewayConfiguration = z.infer<typeof gatewayConfigurationSchema>;

/** Which configuration it is, whoever of the hub issued it and when: its digest as of time 0. */
export function configurationDigest(configuration: GatewayConfiguration): Sha256 {
  return sha256Hex(canonicalJson({ ...configuration, issuedAtMs: 0 }));
}
