/**
 * Join token: what the operator of the hub hands to a hospital, once.
 * Decides its form: where the hub is, which authority it proves itself with, and a secret.
 * Invariant: the secret is never in a fault, a log line or a file of the gateway.
 * Source: docs/runbooks/link.md (enrolment).
 */
import { z } from 'zod';
import { linkFault } from './link-fault.js';

const PREFIX = 'aifi-join.';
/** Far more than any token is. */
const LENGTH_MAX = 4096;

const contentSchema = z.object({
  v: z.literal(1),
  hub: z.string().regex(/^[\w.-]+:\d{1,5}$/),
  /** SHA-256 of the authority's certificate (DER), hexadecimal. */
  ca: z.string().regex(/^[0-9a-f]{64}$/),
  secret: z.string().min(16).max(512),
});
export type JoinToken = z.output<typeof contentSchema>;

/** JOIN_TOKEN_INVALID for anything that is not one. */
export function parseJoinToken(text: string): JoinToken {
  const trimmed = text.trim();
  const parsed = contentSchema.safeParse(contentOf(trimmed));
  if (!trimmed.startsWith(PREFIX) || trimmed.length > LENGTH_MAX || !parsed.success) {
    throw linkFault('JOIN_TOKEN_INVALID');
  }
  return parsed.data;
}

export function formatJoinToken(token: JoinToken): string {
  return PREFIX + Buffer.from(JSON.stringify(token), 'utf8').toString('base64url');
}

function contentOf(text: string): unknown {
  try {
    return JSON.parse(Buffer.from(text.slice(PREFIX.length), 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
}
