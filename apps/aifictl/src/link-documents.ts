/**
 * Documents of the link: what `--json` prints of enrolment and of a gateway's link.
 * Decides their shape. Invariant: keys keep name and meaning within v1.
 */
import { z } from 'zod';
import {
  authoritySchema,
  bindingSchema,
  gatewayCertificateSchema,
  gatewayLinkSchema,
  joinTokenSchema,
} from '@aifi/contracts-rest';

/** Why there is no answer; null: there is one. */
const fault = z.string().nullable();

export const joinTokenDocumentSchema = z.object({
  ...{ schema: z.literal('aifictl.join-token.v1'), hub: z.string() },
  ...{ token: joinTokenSchema.nullable(), fault },
});
export type JoinTokenDocument = z.infer<typeof joinTokenDocumentSchema>;

export const certificatesDocumentSchema = z.object({
  ...{ schema: z.literal('aifictl.certificates.v1'), hub: z.string(), site: z.string() },
  ...{ certificates: z.array(gatewayCertificateSchema), bindings: z.array(bindingSchema), fault },
});
export type CertificatesDocument = z.infer<typeof certificatesDocumentSchema>;

export const revocationDocumentSchema = z.object({
  ...{ schema: z.literal('aifictl.revocation.v1'), hub: z.string() },
  ...{ certificate: gatewayCertificateSchema.nullable(), fault },
});
export type RevocationDocument = z.infer<typeof revocationDocumentSchema>;

export const authorityDocumentSchema = z.object({
  ...{ schema: z.literal('aifictl.authority.v1'), hub: z.string() },
  ...{ authorities: z.array(authoritySchema), fault },
});
export type AuthorityDocument = z.infer<typeof authorityDocumentSchema>;

export const gatewayLinkDocumentSchema = z.object({
  ...{ schema: z.literal('aifictl.gateway-link.v1'), server: z.string() },
  ...{ link: gatewayLinkSchema.nullable(), fault },
});
export type GatewayLinkDocument = z.infer<typeof gatewayLinkDocumentSchema>;
