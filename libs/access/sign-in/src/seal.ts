/**
 * Seal: text that only this server can read and nobody can change or move.
 * Decides how the login transaction in the browser and the tokens in the store are protected.
 * Invariants: AES-256-GCM with a random 96-bit nonce; each purpose has a key of its own; what was
 * sealed for one owner does not open for another. Source: NIST SP 800-38D; RFC 5869 (HKDF).
 */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { AifiError } from '@aifi/shared-kernel';

/** @unit bytes */
const KEY_BYTES = 32;
/** SP 800-38D 8.2.2. @unit bytes */
const NONCE_BYTES = 12;
/** @unit bytes */
const TAG_BYTES = 16;

export class Seal {
  readonly #key: Uint8Array;

  constructor(sessionKey: Uint8Array, purpose: 'login' | 'tokens') {
    if (sessionKey.byteLength !== KEY_BYTES) {
      throw new AifiError('CONFIG_INVALID', 'the session key must have 32 bytes');
    }
    const info = `aifi sign-in ${purpose} v1`;
    this.#key = new Uint8Array(hkdfSync('sha256', sessionKey, '', info, KEY_BYTES));
  }

  close(text: string, owner: string): string {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonce).setAAD(Buffer.from(owner));
    const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
    return Buffer.concat([nonce, cipher.getAuthTag(), body]).toString('base64url');
  }

  /** Undefined: not sealed by this server, for this purpose and owner. */
  open(sealed: string, owner: string): string | undefined {
    const bytes = Buffer.from(sealed, 'base64url');
    if (bytes.length < NONCE_BYTES + TAG_BYTES) return undefined;
    const nonce = bytes.subarray(0, NONCE_BYTES);
    const tag = bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES);
    try {
      const decipher = createDecipheriv('aes-256-gcm', this.#key, nonce, {
        authTagLength: TAG_BYTES,
      });
      decipher.setAAD(Buffer.from(owner)).setAuthTag(tag);
      const body = bytes.subarray(NONCE_BYTES + TAG_BYTES);
      return Buffer.concat([decipher.update(body), decipher.final()]).toString('utf8');
    } catch {
      return undefined;
    }
  }
}
