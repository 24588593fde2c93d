/**
 * Addresses, ports and certificates as settings of the listener name them.
 * Decides their spelling: that of a socket, so that what is compared is the same text.
 * Source: RFC 5952; security specification 4 (Config).
 */
import { z } from 'zod';

export const ipAddress = z.union([z.ipv4(), z.ipv6()]);
/** As a socket names its peer: the same address in other words would never match. */
function asOfSocket(host: string): string {
  const plain = host.replace(/^::ffff:(?=\d+\.)/i, '');
  return plain.includes(':') ? new URL(`http://[${plain}]`).hostname.slice(1, -1) : plain;
}
export const peerAddress = ipAddress.transform(asOfSocket);
export const tcpPort = z.int().min(0).max(65535);
export const fingerprint = z
  .string()
  .regex(/^[0-9a-f]{64}$/, '64 lower-case hexadecimal digits')
  .describe('SHA-256 fingerprint of its certificate, without colons');
export const laneSchema = z
  .enum(['acute', 'routine'])
  .default('routine')
  .describe('routine callers are refused first when the disk fills');
