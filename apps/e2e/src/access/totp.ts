/**
 * One-time code of a test account, as an authenticator app shows it.
 * Source: RFC 6238 (TOTP), RFC 4226 5.3 (truncation); deploy/keycloak (SHA-1, 6 digits, 30 s).
 */
import { createHmac } from 'node:crypto';

const PERIOD_SECONDS = 30;
const DIGITS = 6;

/** @param secret as bytes @param nowMs wall clock */
export function oneTimeCode(secret: string, nowMs: number): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(nowMs / 1_000 / PERIOD_SECONDS)));
  const digest = createHmac('sha1', secret).update(counter).digest();
  const offset = digest.at(-1)! & 0x0f;
  const number = digest.readUInt32BE(offset) & 0x7fffffff;
  return String(number % 10 ** DIGITS).padStart(DIGITS, '0');
}
