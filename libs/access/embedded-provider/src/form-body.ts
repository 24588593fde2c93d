/**
 * The body of a form that one of our own pages sent.
 * Decides that it is small, of one type, and not sent by another site's page.
 * Source: Fetch Metadata Request Headers (Sec-Fetch-Site); OWASP ASVS 5.0 V4.
 */
import type { IncomingMessage } from 'node:http';
import { AifiError } from '@aifi/shared-kernel';

/** A name, a password and an identifier. @unit byte */
const BODY_BYTES_MAX = 4_096;

export async function readForm(request: IncomingMessage): Promise<URLSearchParams> {
  const type = request.headers['content-type'] ?? '';
  const site = request.headers['sec-fetch-site'] ?? 'same-origin';
  if (!type.startsWith('application/x-www-form-urlencoded') || site !== 'same-origin') {
    throw new AifiError('INVALID_ARGUMENT', 'not a form of this provider');
  }
  const parts: Buffer[] = [];
  let sizeBytes = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    sizeBytes += part.length;
    if (sizeBytes > BODY_BYTES_MAX) throw new AifiError('INVALID_ARGUMENT', 'a form is too large');
    parts.push(part);
  }
  return new URLSearchParams(Buffer.concat(parts).toString('utf8'));
}
