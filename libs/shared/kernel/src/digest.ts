/**
 * Digests that tie bytes to records along the whole path.
 * Decides the one hash (SHA-256) and how a set of objects becomes one digest (guard C6).
 * Source: FIPS 180-4, RFC 2104; reliability specification, guard C6.
 */
import { createHash, createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import type { Sha256 } from './brand.js';

/** Making a key known to the library takes longer than the digest of a few words with it. */
const keyObjects = new WeakMap<Uint8Array, KeyObject>();

export function sha256Hex(bytes: Uint8Array | string): Sha256 {
  return createHash('sha256').update(bytes).digest('hex') as Sha256;
}

/**
 * HMAC-SHA-256 over parts joined by NUL. The key is taken as it is at its first use: bytes that
 * change afterwards are not looked at again. Source: RFC 2104.
 */
export function hmacSha256(key: Uint8Array, ...parts: readonly string[]): Buffer {
  let known = keyObjects.get(key);
  if (!known) keyObjects.set(key, (known = createSecretKey(key)));
  return createHmac('sha256', known).update(parts.join('\0')).digest();
}

/**
 * One digest for a set of objects: SHA-256 over their digests, sorted, joined by line feeds.
 * The worker computes it from the bytes it read; the gateway compares it with what it sent.
 */
export function objectsDigest(objects: readonly Sha256[]): Sha256 {
  return sha256Hex([...objects].sort().join('\n'));
}
