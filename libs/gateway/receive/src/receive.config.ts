/**
 * Settings of the receive stage: where the gateway listens and whom it answers.
 * Decides that the listener binds to named interfaces, that every caller is listed with what proves
 * it, and that DICOM without TLS is a choice per caller; there is no wildcard.
 * Source: reliability specification F9, F12; security specification 4 (Config); PS3.15 annex B.
 */
import { z } from 'zod';
import { aeTitleSchema } from '@aifi/dicom-dimse';

/** As a URL writes them, so that no other spelling of the same address passes. */
const EVERY_INTERFACE = new Set(['0.0.0.0', '[::]', '[::ffff:0:0]']);
function isOneInterface(host: string): boolean {
  const written = host.includes(':') ? `[${host}]` : host;
  return !EVERY_INTERFACE.has(new URL(`http://${written}`).hostname);
}
const ipAddress = z.union([z.ipv4(), z.ipv6()]);
/** As a socket names its peer: the same address in other words would never match. */
function asOfSocket(host: string): string {
  const plain = host.replace(/^::ffff:(?=\d+\.)/i, '');
  return plain.includes(':') ? new URL(`http://[${plain}]`).hostname.slice(1, -1) : plain;
}
const tcpPort = z.int().min(0).max(65535);

const callerSchema = z.strictObject({
  aeTitle: aeTitleSchema.describe('calling AE title'),
  host: ipAddress.transform(asOfSocket).optional().describe('IP address it calls from'),
  certificateSha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/, '64 lower-case hexadecimal digits')
    .optional()
    .describe('SHA-256 fingerprint of its certificate, without colons'),
  plain: z.boolean().default(false).describe('may also come without TLS, from its host only'),
  lane: z
    .enum(['acute', 'routine'])
    .default('routine')
    .describe('routine callers are refused first when the disk fills'),
});

export const receiveConfigSchema = z
  .strictObject({
    host: ipAddress
      .refine(isOneInterface, { message: 'name the interface to listen on', abort: true })
      .default('127.0.0.1')
      .describe('IP address of the interface to listen on'),
    port: tcpPort.optional().describe('TCP port without TLS; 0: any free one; absent: none'),
    tls: z
      .strictObject({
        port: tcpPort.describe('TCP port of DICOM TLS; 0: any free one'),
        certificateFile: z.string().describe('PEM, with the chain'),
        keyFile: z.string().describe('PEM'),
        caFile: z.string().describe('PEM: who signs the certificates of the callers'),
      })
      .optional()
      .describe('DICOM TLS; callers show a certificate'),
    aeTitle: aeTitleSchema.describe('called AE title that is answered'),
    callers: z.array(callerSchema).min(1).describe('modalities and PACS that may send'),
  })
  .superRefine(({ port, tls, callers }, context) => {
    const problem = (message: string, ...path: (string | number)[]): void =>
      context.addIssue({ code: 'custom', path, message });
    if (port === undefined && !tls) problem('a listener needs a port', 'port');
    if (port !== undefined && port !== 0 && port === tls?.port) {
      problem('TLS has a port of its own', 'tls', 'port');
    }
    const titles = new Set<string>();
    for (const [i, { aeTitle, host, certificateSha256, plain }] of callers.entries()) {
      if (titles.has(aeTitle)) problem('an AE title is listed once', 'callers', i, 'aeTitle');
      titles.add(aeTitle);
      if (plain && host === undefined) {
        problem('a caller without TLS is known by its host', 'callers', i, 'host');
      }
      if (plain && port === undefined) problem('no port without TLS', 'callers', i, 'plain');
      if (!plain && !tls) problem('no TLS to call over', 'callers', i, 'plain');
      if (host === undefined && certificateSha256 === undefined) {
        problem('an AE title alone proves nothing', 'callers', i, 'certificateSha256');
      }
    }
  });
export type ReceiveConfig = z.output<typeof receiveConfigSchema>;
export type Lane = ReceiveConfig['callers'][number]['lane'];
