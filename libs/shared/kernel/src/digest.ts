/**
 * Digests that tie bytes to records along the whole path.
 * Decides the one hash (SHA-256) and how a set of objects becomes one digest (guard C6).
 * Source: FIPS 180-4; reliability specification, guard C6.
 */
import { createHash } from 'node:crypto';
import type { Sha256 } from './brand.js';

export function sha256Hex(bytes: Uint8Array | string): Sha256 {
  return createHash('sha256').update(bytes).digest('hex') as Sha256;
}

/**
 * One digest for a set of objects: SHA-256 over their digests, sorted, joined by line feeds.
 * The worker computes it from the bytes it read; the gateway compares it with what it sent.
 */
export function objectsDigest(objects: readonly Sha256[]): Sha256 {
  return sha256Hex([...objects].sort().join('\n'));
}
