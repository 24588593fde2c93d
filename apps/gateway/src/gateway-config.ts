/**
 * Configuration of a gateway process.
 * Decides every setting that a hospital can make; secrets are named by file, never by value.
 * Invariants: visible demo accounts are never for clinical use; nobody signs in over a network
 * without TLS. Source: docs/architecture/1-context.md; security specification 7 (V12, V13).
 */
import { relative, resolve, sep } from 'node:path';
import { z } from 'zod';
import { syslogDestinationSchema } from '@aifi/access-audit';
import { signInConfigSchema } from '@aifi/access-sign-in';
import { assembleConfigSchema } from '@aifi/gateway-assemble';
import { deliverConfigSchema } from '@aifi/gateway-deliver';
import { siteDeidentificationSchema } from '@aifi/dicom-deidentification';
import { diskConfigSchema } from '@aifi/gateway-disk';
import { hl7ConfigSchema } from '@aifi/gateway-hl7';
import { folderIntakeConfigSchema, type FolderIntakeConfig } from '@aifi/gateway-folder-intake';
import { linkSettingsSchema, type LinkSettings } from '@aifi/gateway-link';
import { receiveConfigSchema, type ReceiveConfig } from '@aifi/gateway-receive';
import { consentConfigSchema } from '@aifi/gateway-consent';
import { reconcileConfigSchema } from '@aifi/gateway-reconcile';
import { retrieveConfigSchema } from '@aifi/gateway-retrieve';
import { uplinkConfigSchema } from '@aifi/gateway-uplink';
import { listenSchema } from '@aifi/shared-config';
import { PURPOSES, siteId } from '@aifi/shared-kernel';

const tlsSchema = z.strictObject({ certificateFile: z.string(), keyFile: z.string() });

const keysSchema = z.strictObject({
  file: z.string().optional().describe('default: keys/site-keys.json in dataFolder'),
  pkcs11: z
    .strictObject({
      modulePath: z.string().min(1).describe("PKCS#11 library of the HSM's maker"),
      tokenLabel: z.string().min(1),
      keyId: z.string().min(1).describe('CKA_ID of the RSA key pair, in hexadecimal'),
      pinFile: z.string().min(1).describe('mode 0600'),
      oaepDigest: z.enum(['sha1', 'sha256']).default('sha256'),
    })
    .optional()
    .describe('the HSM that keeps the master key'),
});
const vaultSchema = z.strictObject({
  linkageDays: z.int().min(1).max(3650).default(90).describe('after the last result'),
  registerYears: z.int().min(1).max(115).default(20).describe('after the study date'),
});

/** Certificates that somebody else puts there and renews. */
export interface HubFiles {
  readonly address: string;
  readonly caFile: string;
  readonly certificateFile: string;
  readonly keyFile: string;
  readonly signingPublicKeyFile: string;
}
const FILES = ['caFile', 'certificateFile', 'keyFile', 'signingPublicKeyFile'] as const;
const hubSchema = linkSettingsSchema
  .extend({
    caFile: z.string().optional(),
    certificateFile: z.string().optional(),
    keyFile: z.string().optional(),
    signingPublicKeyFile: z.string().optional(),
  })
  .refine((hub) => new Set(FILES.map((name) => hub[name] === undefined)).size === 1, {
    message: `all of ${FILES.join(', ')}, or none where the gateway joins with a token`,
  })
  .refine((hub) => hub.caFile === undefined || !(hub.proxy ?? hub.serverName), {
    message: 'proxy and serverName are for a gateway that joins with a token',
  })
  .transform((hub) => hub as HubFiles | LinkSettings);

export const gatewayConfigSchema = z
  .strictObject({
    siteId: z.string().transform((value) => siteId(value)),
    purpose: z.enum(PURPOSES),
    language: z
      .enum(['nl-NL', 'en-GB'])
      .default('nl-NL')
      .describe('language of what the gateway itself writes into the PACS'),
    dataFolder: z.string().min(1).describe('databases, keys and spool; on a local disk'),
    quietMs: z.int().positive().default(30_000).describe('silence that completes a study, ms'),
    assemble: assembleConfigSchema
      .prefault({})
      .describe('when studies of some kind are complete, and when a product starts before that'),
    deadlines: z
      .strictObject({
        acuteMs: z.int().positive().default(600_000),
        routineMs: z.int().positive().default(3_600_000),
      })
      .prefault({})
      .describe('time after which a product without a result is reported as not analysed, ms'),
    http: listenSchema
      .extend({ tls: tlsSchema.optional() })
      .describe("the gateway's own page and metrics"),
    publicUrl: z
      .url({ protocol: /^https?$/ })
      .transform((value) => new URL(value).origin)
      .describe("origin of the gateway's page, as a browser sees it"),
    signIn: signInConfigSchema.describe("the hospital's own OpenID provider"),
    sessionKeyFile: z
      .string()
      .optional()
      .describe('32 bytes in hexadecimal; default: keys/session.key in dataFolder, made at start'),
    consoleFolder: z.string().optional().describe('built pages; default: those of this release'),
    audit: z
      .strictObject({ syslog: syslogDestinationSchema.optional().describe('RFC 5425 receiver') })
      .prefault({})
      .describe('where the records of the audit trail go besides the own store'),
    keys: keysSchema.prefault({}).describe("the hospital's own keys"),
    pixelGate: z
      .strictObject({
        manufacturers: z
          .array(z.string().min(1).max(64))
          .max(100)
          .default([])
          .describe('of scanners of this hospital beside the usual ones, as their images write it'),
      })
      .prefault({})
      .describe('what is known of the pictures that this hospital makes'),
    pseudonymise: siteDeidentificationSchema
      .prefault({})
      .describe('what this hospital decides about identity for all products'),
    vault: vaultSchema.prefault({}).describe('how long identity and results stay linked'),
    dicom: receiveConfigSchema.describe('the DICOM listener'),
    folderIntake: folderIntakeConfigSchema
      .optional()
      .describe('a folder in which people put batches of files'),
    pacs: deliverConfigSchema.describe('the PACS that gets the results'),
    disk: diskConfigSchema
      .prefault({})
      .describe('when new images are refused, and how long files are kept'),
    hl7: hl7ConfigSchema
      .optional()
      .describe('orders and patient administration by HL7 v2; absent: none is taken'),
    consent: consentConfigSchema.describe('how patient numbers of objections are read'),
    reconcile: reconcileConfigSchema
      .prefault({})
      .describe('what is asked of the PACS, read from the disk and told of the clock'),
    retrieve: retrieveConfigSchema
      .prefault({})
      .describe('how studies are fetched from the PACS, and which by themselves'),
    uplink: uplinkConfigSchema.prefault({}).describe("use of the hospital's line to the hub"),
    hub: hubSchema.describe('the hub: joined with a token, or by certificates that are files'),
  })
  .refine(({ purpose, signIn }) => purpose !== 'clinical' || signIn.kind !== 'embedded', {
    path: ['signIn', 'kind'],
    message: 'the embedded provider has visible accounts: not for clinical use',
  })
  .refine(({ signIn }) => signIn.kind !== 'embedded' || isLoopback(signIn.listen.host), {
    path: ['signIn', 'listen', 'host'],
    message: 'the embedded provider listens on this machine only',
  })
  .refine(
    ({ purpose, pseudonymise }) =>
      purpose !== 'clinical' || pseudonymise.identityRemovedElsewhere === 'refuse',
    {
      path: ['pseudonymise', 'identityRemovedElsewhere'],
      message: 'a result of images without identity has no patient: not for clinical use',
    },
  )
  .refine(({ http }) => isLoopback(http.host) || http.tls !== undefined, {
    path: ['http', 'tls'],
    message: 'an interface that others can reach needs TLS',
  })
  .refine(({ dataFolder, folderIntake }) => !folderIntake || isApart(dataFolder, folderIntake), {
    path: ['folderIntake', 'folder'],
    message: 'apart from dataFolder, neither in it nor around it',
  })
  .refine(({ dicom, pacs }) => !pacs.commitment || isCaller(dicom, pacs.calledAeTitle), {
    path: ['pacs', 'commitment'],
    message: 'the PACS reports on associations of its own: it must be one of dicom.callers',
  })
  .refine(({ retrieve, pacs }) => retrieve.way !== 'wado' || pacs.stow !== undefined, {
    path: ['retrieve', 'way'],
    message: 'wado asks where pacs.stow is: it has to be set',
  })
  .refine(
    ({ retrieve, dicom, pacs }) => retrieve.way !== 'move' || isCaller(dicom, pacs.calledAeTitle),
    {
      path: ['retrieve', 'way'],
      message: 'the PACS sends what it moves to the listener: it must be one of dicom.callers',
    },
  )
  .refine(({ publicUrl }) => isSecure(new URL(publicUrl)), {
    path: ['publicUrl'],
    message: 'https, or http on this machine: browsers keep no session cookie otherwise',
  });
export type GatewayConfig = z.output<typeof gatewayConfigSchema>;

const isCaller = ({ callers }: ReceiveConfig, aeTitle: string): boolean =>
  callers.some((caller) => caller.aeTitle === aeTitle);
function isApart(dataFolder: string, { folder }: FolderIntakeConfig): boolean {
  const isOutside = (from: string, to: string): boolean =>
    relative(resolve(from), resolve(to)).split(sep)[0] === '..';
  return isOutside(dataFolder, folder) && isOutside(folder, dataFolder);
}
const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
const isSecure = ({ protocol, hostname }: URL): boolean =>
  protocol === 'https:' || hostname === '[::1]' || isLoopback(hostname);
