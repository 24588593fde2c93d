/**
 * The link of a gateway over REST: whether it has joined the hub, how, and for how long.
 * Decides what hospital IT sees of certificates and proxy, and that joining needs only a token.
 * Invariants: no key, token or password in an answer; the token goes in a body, not in an address.
 * Source: reliability specification 5 (certificates); security specification 5 (gateway config).
 */
import { z } from 'zod';
import { epochMsSchema } from '@aifi/contracts-manifests';
import { linkFindingSchema } from './link-finding.js';

/** How near the end of the gateway's certificate is. */
export const CERTIFICATE_ALARMS = ['none', 'soon', 'urgent', 'critical', 'expired'] as const;
export type CertificateAlarm = (typeof CERTIFICATE_ALARMS)[number];

const certificateSchema = z.object({
  serialNumber: z.string(),
  /** Number of the gateway within its site. */
  gateway: z.int().nullable(),
  notBeforeMs: epochMsSchema,
  notAfterMs: epochMsSchema,
  /** Rounded down; negative when it has expired. */
  daysLeft: z.int(),
  alarm: z.enum(CERTIFICATE_ALARMS),
  /** When the next one is asked for; null: certificates are files of the configuration. */
  renewAtMs: epochMsSchema.nullable(),
});

const trustAnchorSchema = z.object({
  subject: z.string(),
  /** SHA-256 (DER), hexadecimal. */
  fingerprint: z.string(),
  notAfterMs: epochMsSchema,
});

export const gatewayLinkSchema = z.object({
  /** files: certificates of the configuration; not-joined: a token is needed; joined. */
  mode: z.enum(['files', 'not-joined', 'joined']),
  state: z.enum(['up', 'connecting', 'down']),
  /** host:port as configured. */
  hub: z.string(),
  serverName: z.string(),
  proxy: z.object({ url: z.string(), isAuthenticated: z.boolean() }).nullable(),
  certificate: certificateSchema.nullable(),
  trustAnchors: z.array(trustAnchorSchema),
  /** How many keys of the hub are trusted to sign rules and outcomes. */
  signingKeys: z.int().nonnegative(),
  joinedAtMs: epochMsSchema.nullable(),
  /** When the hub last answered; null: not since this start. */
  lastContactAtMs: epochMsSchema.nullable(),
  /** When anchors and keys were last confirmed by the hub; null: not since this start. */
  trustCheckedAtMs: epochMsSchema.nullable(),
  /** The last reason why the hub was not reached; null: it is, or nothing is known. */
  finding: linkFindingSchema.nullable(),
});
export type GatewayLinkView = z.infer<typeof gatewayLinkSchema>;

/** A token: prefix and base64url. */
const tokenSchema = z.string().trim().min(20).max(4096);

export const gatewayLinkRoutes = {
  link: {
    method: 'GET',
    path: '/api/v1/link',
    summary: 'Certificate, authorities, proxy and last contact of the link to the hub',
    response: gatewayLinkSchema,
  },
  joinLink: {
    method: 'POST',
    path: '/api/v1/link/join',
    summary: 'Join the hub with a one-time token',
    body: z.strictObject({
      token: tokenSchema,
      /** host:port: the hub that is meant, where the token names it otherwise. */
      hub: z
        .string()
        .regex(/^[\w.-]+:\d{1,5}$/)
        .optional(),
    }),
    response: gatewayLinkSchema,
  },
} as const;
