/**
 * Enrolment over REST: join tokens, certificates of gateways, the hub's authority, bindings of
 * certificates of a national PKI.
 * Decides what an operator of the hub can do about who is let in. Invariants: a token's text is
 * answered once, to who made it; no private key is ever in an answer.
 * Source: docs/adr/0021-enrolment.md; reliability specification C1; security specification 5.
 */
import { z } from 'zod';
import { epochMsSchema, sha256Schema } from '@aifi/contracts-manifests';
import { reasonSchema } from './route.js';

const siteId = z.string().regex(/^[a-z][a-z0-9-]{0,31}$/);
/** Number of a gateway within its site, as in its certificate. */
const gateway = z.int().min(1).max(9_999);
const siteParams = z.strictObject({ siteId });

export const joinTokenSchema = z.object({
  siteId: z.string(),
  gateway,
  /** For the gateway: shown once, kept nowhere. */
  token: z.string().startsWith('aifi-join.'),
  expiresAtMs: epochMsSchema,
});
export type JoinTokenView = z.infer<typeof joinTokenSchema>;

export const gatewayCertificateSchema = z.object({
  siteId: z.string(),
  /** 32 hexadecimal digits. */
  serial: z.string(),
  gateway,
  /** SHA-256 of the authority's certificate that signed it. */
  authorityId: sha256Schema,
  notBeforeMs: epochMsSchema,
  notAfterMs: epochMsSchema,
  /** Until when the hub accepts it: earlier than its end once it was renewed. */
  validUntilMs: epochMsSchema,
  state: z.enum(['valid', 'ended', 'revoked']),
  revokedAtMs: epochMsSchema.nullable(),
  revokedBy: z.string().nullable(),
  revocationReason: z.string().nullable(),
});
export type GatewayCertificateView = z.infer<typeof gatewayCertificateSchema>;

/** Subject of a foreign certificate: exactly one of the two identifiers. */
const identity = {
  /** Distinguished name as in RFC 4514. */
  issuer: z.string().trim().min(3).max(1_024),
  /** Attribute serialNumber of the subject. */
  subjectSerial: z.string().trim().min(1).max(128).optional(),
  /** SHA-256 of the SubjectPublicKeyInfo (DER). */
  subjectKeySha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .optional(),
};

export const bindingSchema = z.object({
  id: z.uuid(),
  siteId: z.string(),
  gateway,
  ...identity,
  /** What the two persons compared: digest over issuer and identifier. */
  identitySha256: z.string(),
  requestedBy: z.string(),
  approvedBy: z.string(),
  createdAtMs: epochMsSchema,
  endedAtMs: epochMsSchema.nullable(),
});
export type BindingView = z.infer<typeof bindingSchema>;

export const authoritySchema = z.object({
  /** SHA-256 of its certificate (DER). */
  id: z.string(),
  /** PEM. */
  certificate: z.string(),
  /** active: signs; retiring: is trusted until nothing that it signed is valid; retired: not. */
  state: z.enum(['active', 'retiring', 'retired']),
  createdAtMs: epochMsSchema,
  notAfterMs: epochMsSchema,
});
export type AuthorityView = z.infer<typeof authoritySchema>;
const authorities = z.object({ authorities: z.array(authoritySchema) });

export const enrolmentRoutes = {
  issueJoinToken: {
    method: 'POST',
    path: '/api/v1/sites/:siteId/join-tokens',
    summary: 'A one-time token for a gateway; enrols the site when it is new',
    params: siteParams,
    body: z.strictObject({ gateway: gateway.default(1) }),
    response: joinTokenSchema,
  },
  certificates: {
    method: 'GET',
    path: '/api/v1/sites/:siteId/certificates',
    summary: 'Certificates of the gateways of a site and bindings of foreign ones, newest first',
    params: siteParams,
    response: z.object({
      certificates: z.array(gatewayCertificateSchema),
      bindings: z.array(bindingSchema),
    }),
  },
  revokeCertificate: {
    method: 'POST',
    path: '/api/v1/sites/:siteId/certificates/:serial/revoke',
    summary: 'End a certificate now; its open connections are cut within seconds',
    params: siteParams.extend({ serial: z.string().regex(/^[0-9a-f]{32}$/) }),
    body: z.strictObject({ reason: reasonSchema }),
    response: gatewayCertificateSchema,
  },
  authority: {
    method: 'GET',
    path: '/api/v1/authority',
    summary: 'Authorities that sign gateways, newest first',
    response: authorities,
  },
  rotateAuthority: {
    method: 'POST',
    path: '/api/v1/authority/rotate',
    summary: 'Sign with a new authority from now on; the old one stays trusted while it is needed',
    body: z.strictObject({ reason: reasonSchema }),
    response: authorities,
  },
  inspectCertificate: {
    method: 'POST',
    path: '/api/v1/bindings/inspect',
    summary: 'Identities of a foreign certificate, and what a request for approval has to name',
    body: z.strictObject({ certificate: z.string().max(16_384), gateway: gateway.default(1) }),
    response: z.object({
      subject: z.string(),
      notAfterMs: epochMsSchema,
      identities: z.array(
        z.object({
          ...identity,
          /** objectId of a request for the act binding.create. */
          objectId: z.string(),
        }),
      ),
    }),
  },
  createBinding: {
    method: 'POST',
    path: '/api/v1/bindings',
    summary: 'Bind a foreign certificate to a gateway, after a second person has agreed',
    body: z
      .strictObject({ siteId, gateway: gateway.default(1), ...identity })
      .refine(
        ({ subjectSerial, subjectKeySha256 }) =>
          (subjectSerial === undefined) !== (subjectKeySha256 === undefined),
        { path: ['subjectSerial'], message: 'exactly one of subjectSerial and subjectKeySha256' },
      ),
    response: bindingSchema,
  },
  endBinding: {
    method: 'POST',
    path: '/api/v1/sites/:siteId/bindings/:bindingId/end',
    summary: 'End a binding now; its open connections are cut within seconds',
    params: siteParams.extend({ bindingId: z.uuid() }),
    body: z.strictObject({ reason: reasonSchema }),
    response: bindingSchema,
  },
} as const;
