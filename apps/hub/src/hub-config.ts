/**
 * Configuration of a hub process.
 * Decides every setting that an operator can make; secrets are named by file, never by value.
 * Invariants: the embedded database belongs to one process, which then has both roles; what is not
 * encrypted never leaves this machine; visible demonstration accounts, and gateways without a
 * record, never meet clinical data.
 * Source: architecture 3 (roles api | jobs); security specification 7 (V13).
 */
import { z } from 'zod';
import { syslogDestinationSchema } from '@aifi/access-audit';
import { signInConfigSchema } from '@aifi/access-sign-in';
import { productIdSchema, semverSchema } from '@aifi/contracts-manifests';
import { controlConfigSchema } from '@aifi/hub-downlink';
import { inferConfigSchema } from '@aifi/hub-infer';
import { admissionConfigSchema } from '@aifi/hub-ingest';
import { resultsConfigSchema } from '@aifi/hub-results';
import { listenSchema } from '@aifi/shared-config';
import { PURPOSES } from '@aifi/shared-kernel';
import { digestsConfigSchema } from './hub-assurance.js';
import { retentionConfigSchema } from './hub-retention.js';

const databaseSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('embedded') }),
  z.strictObject({
    kind: z.literal('external'),
    ownerUrl: z.string().describe('role aifi_owner: owns the tables, migrates'),
    appUrl: z.string().describe('role aifi_app: works inside one site'),
    jobsUrl: z.string().describe('role aifi_jobs: sees the queue columns of all sites'),
    accessUrl: z.string().describe('role aifi_access: sees sessions, approvals and the trail'),
  }),
]);

const deploymentSchema = z.strictObject({
  // The name in the certificates of the site's gateways; never made into a SiteId here (C1).
  siteId: z.string().regex(/^[a-z][a-z0-9-]{0,31}$/),
  product: productIdSchema,
  version: semverSchema,
  state: z.enum(['active', 'suspended']).default('active'),
});

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
/** An origin: nothing after the port; not encrypted only on this machine. */
const originSchema = z.url({ protocol: /^https?$/ }).refine((text) => {
  const { origin, protocol, hostname } = new URL(text);
  const isHere = isLoopback(hostname.replace(/^\[(.*)\]$/, '$1'));
  return text === origin && (protocol === 'https:' || isHere);
}, 'an origin without a path; https, or http at this machine');

export const hubConfigSchema = z
  .strictObject({
    roles: z.array(z.enum(['api', 'jobs'])).min(1),
    purpose: z.enum(PURPOSES).describe('of all sites of this hub'),
    dataFolder: z.string().min(1).describe('object store and embedded database; on a local disk'),
    grpc: listenSchema
      .extend({
        caFile: z
          .string()
          .describe('authority of certificateFile; gateways pin it, it vouches for none of them'),
        gatewayCaFile: z
          .string()
          .optional()
          .describe('authority of gateways that never joined: never with clinical data'),
        certificateFile: z.string(),
        keyFile: z.string(),
        nationalAnchorFiles: z
          .array(z.string())
          .default([])
          .describe('authorities whose certificates can be bound to a gateway by two persons'),
        publicAddress: z
          .string()
          .regex(/^[\w.-]+:\d{1,5}$/)
          .optional()
          .describe('host:port as gateways dial it; default: host of publicUrl and the link port'),
      })
      .describe('the link to the gateways, mutual TLS'),
    http: listenSchema
      .extend({
        tls: z.strictObject({ certificateFile: z.string(), keyFile: z.string() }).optional(),
      })
      .describe('pages, REST interface and metrics; beyond this machine with TLS only'),
    publicUrl: originSchema.describe('origin of the pages as browsers see it'),
    signIn: signInConfigSchema,
    sessionKeyFile: z
      .string()
      .optional()
      .describe('32 bytes in hexadecimal; made in dataFolder when absent'),
    consoleFolder: z.string().optional().describe('built pages; default: those of this release'),
    audit: z
      .strictObject({ syslog: syslogDestinationSchema.optional().describe('RFC 5425 receiver') })
      .prefault({}),
    database: databaseSchema,
    signingKeyFile: z.string().describe('Ed25519 private key, PEM, PKCS #8'),
    modelsFolder: z.string(),
    workerUrl: z.url({ protocol: /^https?$/ }),
    deployments: z.array(deploymentSchema),
    infer: inferConfigSchema.prefault({}),
    results: resultsConfigSchema.prefault({}),
    retention: retentionConfigSchema.prefault({}).describe('how long objects stay'),
    digests: digestsConfigSchema.prefault({}).describe('nightly check of stored objects'),
    control: controlConfigSchema.prefault({}),
    admission: admissionConfigSchema.prefault({}).describe('room for uploads, shared by all sites'),
  })
  .refine((config) => config.database.kind === 'external' || config.roles.length === 2, {
    path: ['roles'],
    message: 'the embedded database needs one process with both roles',
  })
  .refine(({ signIn, purpose }) => signIn.kind !== 'embedded' || purpose === 'demonstration', {
    path: ['signIn', 'kind'],
    message: 'the embedded provider has visible accounts: for demonstration only',
  })
  .refine(({ signIn }) => signIn.kind !== 'embedded' || isLoopback(signIn.listen.host), {
    path: ['signIn', 'listen', 'host'],
    message: 'the embedded provider listens on this machine only',
  })
  .refine(({ grpc, purpose }) => grpc.gatewayCaFile === undefined || purpose !== 'clinical', {
    path: ['grpc', 'gatewayCaFile'],
    message: 'gateways of a clinical hub join, each with a record that can be revoked',
  })
  .refine(({ http }) => http.tls !== undefined || isLoopback(http.host), {
    path: ['http', 'tls'],
    message: 'only an address of this machine is served without TLS',
  });
export type HubConfig = z.output<typeof hubConfigSchema>;
