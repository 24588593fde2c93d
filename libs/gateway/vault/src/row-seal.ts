/**
 * Seals of the vault's rows: a random data key for each row, wrapped by an epoch's `vault` key.
 * Decides what a row is bound to: table, row and epoch for the key; table, row and part for the
 * content. Invariants: changed bytes, a row put in another's place and keys of another epoch never
 * open; a row whose wrapped key is gone is gone (crypto-erasure); a fault says nothing of content.
 * Source: security specification 5 (keys); NIST SP 800-38D (GCM, random 96-bit nonces).
 * Layout of a seal: nonce (12), ciphertext, tag (16). Unit: bytes.
 */
import { createCipheriv, createDecipheriv, createSecretKey, randomBytes } from 'node:crypto';
import { AifiError, canonicalJson } from '@aifi/shared-kernel';
import type { KeyRing, SiteKeys } from '@aifi/shared-site-keys';

const KEY_BYTES = 32; // AES-256
const NONCE_BYTES = 12; // SP 800-38D 8.2: 96 bits
const TAG_BYTES = 16;

/** Where a row lies: no seal opens in another place. */
export interface RowPlace {
  readonly table: 'linkage' | 'identity_history' | 'result_register';
  /** What the row is found by; never identity in plain. */
  readonly rowId: string;
}

/** A data key as a row keeps it. */
export interface WrappedKey {
  readonly keyEpoch: number;
  readonly dataKey: Uint8Array;
}

/**
 * AES-256-GCM of `plain`, bound to `associated`. Node takes a key object five times faster than the
 * same bytes, its making included (measured).
 */
export function seal(key: Uint8Array, associated: Uint8Array, plain: Uint8Array): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', createSecretKey(key), nonce).setAAD(associated);
  return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

/** UNTRUSTED when the bytes are changed, of another key or of another place. */
export function openSeal(key: Uint8Array, associated: Uint8Array, sealed: Uint8Array): Buffer {
  const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength);
  const end = bytes.length - TAG_BYTES;
  if (end < NONCE_BYTES) throw new AifiError('UNTRUSTED', 'a sealed row is too short');
  try {
    const nonce = bytes.subarray(0, NONCE_BYTES);
    const options = { authTagLength: TAG_BYTES };
    const decipher = createDecipheriv('aes-256-gcm', createSecretKey(key), nonce, options);
    decipher.setAAD(associated).setAuthTag(bytes.subarray(end));
    return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES, end)), decipher.final()]);
  } catch (error) {
    throw new AifiError('UNTRUSTED', 'a sealed row does not open', { cause: error });
  }
}

function bound(...parts: readonly (string | number)[]): Buffer {
  return Buffer.from(canonicalJson(parts));
}

/** A data key with the seals of its row. */
export class RowKey {
  private constructor(
    private readonly key: Buffer,
    private readonly place: RowPlace,
    /** As the row keeps it. */
    readonly wrapped: WrappedKey,
  ) {}

  /** A fresh key for a new row. */
  static make(keys: SiteKeys, place: RowPlace): RowKey {
    const key = randomBytes(KEY_BYTES);
    const associated = bound('key', place.table, place.rowId, keys.epoch);
    const dataKey = seal(keys.vault, associated, key);
    return new RowKey(key, place, { keyEpoch: keys.epoch, dataKey });
  }

  /** The key of a row that is there; UNTRUSTED when it is not of this ring or of this row. */
  static open(ring: KeyRing, place: RowPlace, wrapped: WrappedKey): RowKey {
    const keys = ring.epoch(wrapped.keyEpoch);
    if (!keys) throw new AifiError('UNTRUSTED', 'the keys of a sealed row are not on the ring');
    const associated = bound('key', place.table, place.rowId, keys.epoch);
    return new RowKey(openSeal(keys.vault, associated, wrapped.dataKey), place, wrapped);
  }

  /** Seals one part of the row. */
  seal(part: string, plain: Uint8Array): Buffer {
    return seal(this.key, bound('part', this.place.table, this.place.rowId, part), plain);
  }
  open(part: string, sealed: Uint8Array): Buffer {
    return openSeal(this.key, bound('part', this.place.table, this.place.rowId, part), sealed);
  }
  sealJson(part: string, value: unknown): Buffer {
    return this.seal(part, Buffer.from(canonicalJson(value)));
  }
  openJson<T>(part: string, sealed: Uint8Array): T {
    return JSON.parse(this.open(part, sealed).toString('utf8')) as T;
  }
}
