/**
 * DICOM UIDs from 128 bits: the `2.25.` arc with a UUID of version 8.
 * Decides how keyed derivations become UIDs. Invariant: at most 44 characters, no leading zero.
 * Source: PS3.5 B.2 (UUID derived UID), RFC 9562 5.8 (version 8).
 */
import { randomBytes } from 'node:crypto';
import type { JobId } from './brand.js';
import { hmacSha256 } from './digest.js';

/** The first 16 bytes with version 8 and variant bits set, as `2.25.<decimal>`. */
export function uidFromBytes(bytes: Uint8Array): string {
  const uuid = Buffer.from(bytes.subarray(0, 16));
  uuid[6] = (uuid[6]! & 0x0f) | 0x80;
  uuid[8] = (uuid[8]! & 0x3f) | 0x80;
  return `2.25.${BigInt(`0x${uuid.toString('hex')}`).toString()}`;
}

/** `uidFromBytes(HMAC-SHA-256(key, parts joined by NUL))`. */
export function keyedUid(key: Uint8Array, ...parts: readonly string[]): string {
  return uidFromBytes(hmacSha256(key, ...parts));
}

/** A new job id: 128 random bits (guard C4). */
export function newJobId(): JobId {
  return randomBytes(16).toString('hex') as JobId;
}
