/**
 * KeyWrapper: the port to whatever keeps the master key of a key file.
 * Decides what a key store must do: wrap and unwrap 32 bytes, under a name that the file records.
 * Here: a second file, apart from the first; `pkcs11-wrapper.ts` is an HSM; a transit service fits.
 * Invariant: a wrapper never shows the bytes it handles, in a fault neither.
 * Source: security specification 5 (keys: per-site master in the hospital's KMS or HSM).
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { AifiError } from '@aifi/shared-kernel';

export interface KeyWrapper {
  /** Recorded in the file: another wrapper is not asked in vain. No secret. */
  readonly id: string;
  readonly wrap: (bytes: Uint8Array) => Promise<Buffer>;
  /** UNTRUSTED when these are not bytes it wrapped; PEER_UNAVAILABLE when the store is away. */
  readonly unwrap: (wrapped: Uint8Array) => Promise<Buffer>;
}

const KEY_HEX = /^[0-9a-f]{64}\s*$/;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const PERMISSIONS_OF_OTHERS = 0o077;

/** Wraps with a key of 64 hexadecimal digits in a file of its own (mode 0600): another disk. */
export function fileKeyWrapper(path: string): KeyWrapper {
  const id = 'key-encryption-file';
  return {
    id,
    wrap: async (bytes) => sealBytes(await keyOf(path), bytes, id),
    unwrap: async (wrapped) => openBytes(await keyOf(path), wrapped, id),
  };
}

async function keyOf(path: string): Promise<Buffer> {
  const text = (await readSecretFile(path, 'the key encryption file')).toString('utf8');
  if (!KEY_HEX.test(text)) {
    throw new AifiError('CONFIG_INVALID', 'the key encryption file is damaged');
  }
  return Buffer.from(text.trim(), 'hex');
}

/** A secret's bytes. CONFIG_INVALID when it is not there or others may read it. */
export async function readSecretFile(path: string, what: string): Promise<Buffer> {
  try {
    const { mode } = await stat(path);
    if ((mode & PERMISSIONS_OF_OTHERS) === 0) return await readFile(path);
  } catch (error) {
    throw new AifiError('CONFIG_INVALID', `${what} cannot be read`, { cause: error });
  }
  throw new AifiError('CONFIG_INVALID', `${what} may be read by others: chmod 600`);
}

/** AES-256-GCM: nonce, ciphertext, tag. */
export function sealBytes(key: Uint8Array, plain: Uint8Array, associated: string): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(associated));
  return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

/** UNTRUSTED when the bytes are changed, or sealed with another key or for another purpose. */
export function openBytes(key: Uint8Array, sealed: Uint8Array, associated: string): Buffer {
  const bytes = Buffer.from(sealed);
  const end = bytes.length - TAG_BYTES;
  if (end < NONCE_BYTES) throw new AifiError('UNTRUSTED', 'wrapped keys are too short');
  try {
    const nonce = bytes.subarray(0, NONCE_BYTES);
    const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
    decipher.setAAD(Buffer.from(associated)).setAuthTag(bytes.subarray(end));
    return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES, end)), decipher.final()]);
  } catch (error) {
    throw new AifiError('UNTRUSTED', 'wrapped keys do not open', { cause: error });
  }
}
