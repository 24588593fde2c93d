/**
 * One-time codes of the test accounts.
 * Decides the form that the realm asks for: six digits, 30 s, HMAC-SHA-1.
 * Keycloak takes each code once: whoever needs two within 30 s takes the one of the next period,
 * which its look-ahead window allows. Source: RFC 6238; RFC 4226 5.3.
 */
import { createHmac } from 'node:crypto';

/** @unit ms */
export const PERIOD_MS = 30_000;

/**
 * @param {string} secret as bytes, not base32
 * @param {number} atMs
 */
export function oneTimeCode(secret, atMs) {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(atMs / PERIOD_MS)));
  const digest = createHmac('sha1', secret).update(counter).digest();
  const offset = digest.readUInt8(digest.length - 1) & 0x0f;
  const number = digest.readUInt32BE(offset) & 0x7fffffff;
  return String(number % 1_000_000).padStart(6, '0');
}
