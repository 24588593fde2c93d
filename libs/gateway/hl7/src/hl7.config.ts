/**
 * Settings of the HL7 listener: where it listens, whom it answers, and how this hospital writes.
 * Decides that it binds to a named interface, that every sender is listed with what proves it, and
 * that messages without TLS are a choice per sender, who is then known by its address.
 * Source: security specification 4 (Config), 5; HL7 v2 chapters 2 to 4; IHE RAD TF-2 4.4.
 */
import { z } from 'zod';

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

const senderSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,31}$/)
    .describe('our own word for it, in status and metrics'),
  host: ipAddress.transform(asOfSocket).optional().describe('IP address it calls from'),
  certificateSha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/, '64 lower-case hexadecimal digits')
    .optional()
    .describe('SHA-256 fingerprint of its certificate, without colons'),
  plain: z.boolean().default(false).describe('may also come without TLS, from its host only'),
});
export type Hl7Sender = z.output<typeof senderSchema>;

export const ACCESSION_FIELDS = ['IPC-1', 'OBR-18', 'OBR-19', 'OBR-2', 'OBR-3', 'ORC-2', 'ORC-3'];
const OBJECTIONS = ['ai-in-own-care', 'secondary-use', 'sharing'] as const;
const objections = z.array(z.enum(OBJECTIONS)).max(OBJECTIONS.length);

const numbersSchema = z.strictObject({
  authority: z.string().min(1).max(199).describe('assigning authority: PID-3.4, any part of it'),
  issuer: z.string().max(64).default('').describe('issuer of the patient number in the images'),
});

function isTimeZone(zone: string): boolean {
  try {
    return new Intl.DateTimeFormat('en-GB', { timeZone: zone }).format(0) !== '';
  } catch {
    return false;
  }
}

export const hl7ConfigSchema = z
  .strictObject({
    host: ipAddress
      .refine(isOneInterface, { message: 'name the interface to listen on', abort: true })
      .default('127.0.0.1')
      .describe('IP address of the interface to listen on'),
    port: tcpPort.optional().describe('TCP port without TLS; 0: any free one; absent: none'),
    tls: z
      .strictObject({
        port: tcpPort.describe('TCP port of MLLP over TLS; 0: any free one'),
        certificateFile: z.string().describe('PEM, with the chain'),
        keyFile: z.string().describe('PEM'),
        caFile: z.string().describe('PEM: who signs the certificates of the senders'),
      })
      .optional()
      .describe('MLLP over TLS; senders show a certificate'),
    senders: z.array(senderSchema).min(1).max(32).describe('systems that may send messages'),
    messageBytesMax: z
      .int()
      .min(4_096)
      .max(16 * 1024 * 1024)
      .default(1024 * 1024)
      .describe('longest message, bytes'),
    timeZone: z
      .string()
      .refine(isTimeZone, { message: 'an IANA name, such as Europe/Amsterdam' })
      .default('Europe/Amsterdam')
      .describe('of times without an offset'),
    processingIds: z
      .array(z.enum(['P', 'T', 'D']))
      .min(1)
      .default(['P'])
      .describe('MSH-11 that is taken: production, training, debugging'),
    patientNumbers: z
      .array(numbersSchema)
      .max(16)
      .default([])
      .describe('numbers that images carry; empty: the first of PID-3 that is no national number'),
    accessionFrom: z
      .array(z.enum(ACCESSION_FIELDS))
      .min(1)
      .default(['IPC-1', 'OBR-18'])
      .describe('where an order has its accession number: the first that is there'),
    ignoredEvents: z
      .array(z.string().regex(/^[A-Z]\d{2}$/))
      .max(64)
      .default([])
      .describe('ADT events that are answered AA and not read, for senders that cannot leave out'),
    consent: z
      .strictObject({
        types: z
          .record(z.string().min(1).max(64), objections.min(1))
          .default({})
          .describe('codes of CON-2, each with what it is about'),
        protection: objections
          .default([])
          .describe('what a patient objects to whose PD1-12 is Y; empty: PD1-12 is not read'),
      })
      .prefault({})
      .describe('how ADT messages say that a patient objects'),
  })
  .superRefine(({ port, tls, senders }, context) => {
    const problem = (message: string, ...path: (string | number)[]): void =>
      context.addIssue({ code: 'custom', path, message });
    if (port === undefined && !tls) problem('a listener needs a port', 'port');
    if (port !== undefined && port !== 0 && port === tls?.port) {
      problem('TLS has a port of its own', 'tls', 'port');
    }
    const seen = new Set<string>();
    for (const [i, sender] of senders.entries()) {
      const { name, host, certificateSha256, plain } = sender;
      // Who matches two entries would be two senders.
      const proofs = [name, certificateSha256 ?? `host ${host}`];
      for (const proof of proofs) {
        if (seen.has(proof)) problem('a sender is listed once', 'senders', i);
        seen.add(proof);
      }
      if (plain && host === undefined) problem('it is known by its host', 'senders', i, 'host');
      if (plain && port === undefined) problem('no port without TLS', 'senders', i, 'plain');
      if (!plain && !tls) problem('no TLS to call over', 'senders', i, 'plain');
      if (host === undefined && certificateSha256 === undefined) {
        problem('a name alone proves nothing', 'senders', i, 'certificateSha256');
      }
    }
  });
export type Hl7Config = z.output<typeof hl7ConfigSchema>;

/** What is known of a peer before it says a word. */
export interface Hl7Peer {
  readonly address: string;
  /** Absent: the connection is not TLS. */
  readonly certificateSha256: string | undefined;
}
/** Over TLS every given binding must match; without it the address, of who may come so. */
export function senderOf(senders: readonly Hl7Sender[], peer: Hl7Peer): Hl7Sender | undefined {
  return senders.find(({ host, certificateSha256, plain }) => {
    if (peer.certificateSha256 === undefined) return plain && host === peer.address;
    if (host !== undefined && host !== peer.address) return false;
    return certificateSha256 === undefined || certificateSha256 === peer.certificateSha256;
  });
}
