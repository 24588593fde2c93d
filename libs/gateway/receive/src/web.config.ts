/**
 * Settings of the web listener: where images come in by STOW-RS, and from whom.
 * Decides that every caller is listed with what proves it: a certificate or a credential over TLS,
 * its address without TLS where that is allowed for it; the name is what rows and counts say of it.
 * Source: PS3.18 8.1 and 10.5; PS3.15 B.13 (HTTPS); security specification 4 (Config).
 */
import { z } from 'zod';
import { aeTitleSchema } from '@aifi/dicom-dimse';
import { fingerprint, laneSchema, peerAddress, tcpPort } from './network-address.config.js';

const webCallerSchema = z.strictObject({
  name: aeTitleSchema.describe('what it is called here, in the form of an AE title'),
  host: peerAddress.optional().describe('IP address it calls from'),
  certificateSha256: fingerprint.optional(),
  bearerTokenFile: z
    .string()
    .min(1)
    .optional()
    .describe('over TLS, in place of a certificate: 32 characters or more, which it sends along'),
  plain: z.boolean().default(false).describe('may also come without TLS, from its host only'),
  lane: laneSchema,
});
const CALLERS_MAX = 100;

export const webConfigSchema = z
  .strictObject({
    port: tcpPort.optional().describe('TCP port of http; 0: any free one; absent: none'),
    tls: z
      .strictObject({
        port: tcpPort.describe('TCP port of https; 0: any free one'),
        certificateFile: z.string().describe('PEM, with the chain'),
        keyFile: z.string().describe('PEM'),
        caFile: z.string().describe('PEM: who signs the certificates of the callers'),
      })
      .optional(),
    callers: z.array(webCallerSchema).min(1).max(CALLERS_MAX).describe('who may store'),
  })
  .superRefine(({ port, tls, callers }, context) => {
    const problem = (message: string, ...path: (string | number)[]): void =>
      context.addIssue({ code: 'custom', path, message });
    if (port === undefined && !tls) problem('a listener needs a port', 'port');
    if (port !== undefined && port !== 0 && port === tls?.port) {
      problem('TLS has a port of its own', 'tls', 'port');
    }
    const seen = new Set<string>();
    for (const [i, caller] of callers.entries()) {
      const { name, host, certificateSha256, bearerTokenFile, plain } = caller;
      const proof = JSON.stringify([host, certificateSha256, bearerTokenFile]);
      if (seen.has(name)) problem('a name is listed once', 'callers', i, 'name');
      if (seen.has(proof)) problem('two callers are known by the same', 'callers', i);
      seen.add(name).add(proof);
      if (plain && host === undefined) {
        problem('a caller without TLS is known by its host', 'callers', i, 'host');
      }
      if (plain && port === undefined) problem('no port without TLS', 'callers', i, 'plain');
      if (plain && bearerTokenFile !== undefined) {
        problem('a credential is not sent without TLS', 'callers', i, 'bearerTokenFile');
      }
      if (!plain && !tls) problem('no TLS to call over', 'callers', i, 'plain');
      if (host === undefined && certificateSha256 === undefined && bearerTokenFile === undefined) {
        problem('a name alone proves nothing', 'callers', i, 'certificateSha256');
      }
    }
  });
export type WebConfig = z.output<typeof webConfigSchema>;
export type WebCallerConfig = WebConfig['callers'][number];
