/**
 * Reading and writing manifests as canonical bytes, signed with Ed25519 where they carry authority.
 * Decides that a manifest is checked twice: its signature over the exact bytes, then its schema.
 * Source: RFC 8032 (Ed25519), RFC 8785 (canonical JSON).
 */
import { sign, verify, type KeyObject } from 'node:crypto';
import type { z } from 'zod';
import { AifiError, canonicalJson } from '@aifi/shared-kernel';

/** Canonical UTF-8 bytes of a value that satisfies the schema. */
export function encodeManifest<S extends z.ZodType>(schema: S, value: z.output<S>): Buffer {
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw manifestFault(parsed.error);
  return Buffer.from(canonicalJson(parsed.data));
}

/** Parses bytes; INVALID_ARGUMENT names the failing paths, never the values. */
export function decodeManifest<S extends z.ZodType>(schema: S, bytes: Uint8Array): z.output<S> {
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch (error) {
    throw new AifiError('INVALID_ARGUMENT', 'manifest is not JSON', { cause: error });
  }
  const parsed = schema.safeParse(json);
  if (!parsed.success) throw manifestFault(parsed.error);
  return parsed.data;
}

function manifestFault(error: z.ZodError): AifiError {
  const paths = error.issues.map((issue) => issue.path.join('.') || '(root)').slice(0, 5);
  return new AifiError(
    'INVALID_ARGUMENT',
    `manifest does not match its schema: ${paths.join(', ')}`,
  );
}

/** Ed25519 signature over the bytes. */
export function signManifest(bytes: Uint8Array, privateKey: KeyObject): Buffer {
  return sign(null, bytes, privateKey);
}

/** Whose signature counts: one key, or all that are trusted at the moment of asking. */
export type VerifyingKeys = KeyObject | (() => readonly KeyObject[]);

/** Throws UNTRUSTED unless the signature is of one of the keys, over exactly these bytes. */
export function verifyManifest(
  bytes: Uint8Array,
  signature: Uint8Array,
  keys: VerifyingKeys,
): void {
  const trusted = typeof keys === 'function' ? keys() : [keys];
  if (!trusted.some((key) => verify(null, bytes, key, signature))) {
    throw new AifiError('UNTRUSTED', 'manifest signature does not verify');
  }
}
