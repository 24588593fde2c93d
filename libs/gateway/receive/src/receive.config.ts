/**
 * Settings of the receive stage: where the gateway listens and whom it answers.
 * Decides that the listener binds to named interfaces, that every caller is listed with what proves
 * it, and that DICOM without TLS is a choice per caller; there is no wildcard.
 * Source: reliability specification F9, F12; security specification 4 (Config); PS3.15 annex B.
 */
import { z } from 'zod';
import { productIdSchema } from '@aifi/contracts-manifests';
import { aeTitleSchema } from '@aifi/dicom-dimse';
import {
  fingerprint,
  ipAddress,
  laneSchema,
  peerAddress,
  tcpPort,
} from './network-address.config.js';
import { webConfigSchema } from './web.config.js';

/** As a URL writes them, so that no other spelling of the same address passes. */
const EVERY_INTERFACE = new Set(['0.0.0.0', '[::]', '[::ffff:0:0]']);
function isOneInterface(host: string): boolean {
  const written = host.includes(':') ? `[${host}]` : host;
  return !EVERY_INTERFACE.has(new URL(`http://${written}`).hostname);
}
const callerSchema = z.strictObject({
  aeTitle: aeTitleSchema.describe('calling AE title'),
  host: peerAddress.optional().describe('IP address it calls from'),
  certificateSha256: fingerprint.optional(),
  plain: z.boolean().default(false).describe('may also come without TLS, from its host only'),
  lane: laneSchema,
});

/** A product that is asked for by sending to a title of its own. */
const calledTitleSchema = z.strictObject({
  aeTitle: aeTitleSchema.describe('called AE title'),
  product: productIdSchema.describe('product that is asked for'),
  lane: z
    .enum(['acute', 'routine'])
    .optional()
    .describe('lane of what is asked for; absent: that of the product'),
});
/** More titles than products makes no sense, and a gateway has some tens of those. */
const CALLED_TITLES_MAX = 100;

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

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
    aeTitles: z
      .array(calledTitleSchema)
      .max(CALLED_TITLES_MAX)
      .optional()
      .describe('further called AE titles, one per product: "run this AI on this study"'),
    timeZone: z
      .string()
      .refine(isTimeZone, 'a zone of the IANA data base')
      .optional()
      .describe('IANA zone of dates in images that name none; default Europe/Amsterdam'),
    callers: z.array(callerSchema).min(1).describe('modalities and PACS that may send'),
    web: webConfigSchema.optional().describe('STOW-RS, on ports of its own'),
  })
  .superRefine(({ port, tls, aeTitle: own, aeTitles = [], callers }, context) => {
    const problem = (message: string, ...path: (string | number)[]): void =>
      context.addIssue({ code: 'custom', path, message });
    if (port === undefined && !tls) problem('a listener needs a port', 'port');
    if (port !== undefined && port !== 0 && port === tls?.port) {
      problem('TLS has a port of its own', 'tls', 'port');
    }
    const called = new Set([own]);
    for (const [i, { aeTitle }] of aeTitles.entries()) {
      if (called.has(aeTitle)) problem('a called AE title means one thing', 'aeTitles', i);
      called.add(aeTitle);
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
export type CalledTitle = z.output<typeof calledTitleSchema>;
export type Lane = ReceiveConfig['callers'][number]['lane'];
