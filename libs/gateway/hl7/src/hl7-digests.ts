/**
 * Digests of what messages are told apart by: message, content, order and visit.
 * Decides that the database holds HMACs under the site's `index` key, with purposes of their own,
 * in place of numbers that a hospital may have made of a patient.
 * Invariant: the same at all epochs, for a rotation copies the `index` key.
 * Source: security specification 5 (keys: lookup by HMAC).
 */
import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import { invariant } from '@aifi/shared-kernel';
import type { KeyRing } from '@aifi/shared-site-keys';

export type DigestPurpose = 'message' | 'content' | 'order' | 'visit';

export class Hl7Digests {
  readonly #key: KeyObject;

  constructor(ring: KeyRing) {
    const keys = ring.epoch(ring.epochs[0]!);
    invariant(keys, 'the ring has its first epoch');
    this.#key = createSecretKey(keys.index);
  }
  /** Hexadecimal. */
  of(purpose: DigestPurpose, ...values: readonly (string | Uint8Array)[]): string {
    const hmac = createHmac('sha256', this.#key).update(`hl7-${purpose}`);
    // A length before each value: no two lists of values run together.
    for (const value of values) hmac.update(`\0${value.length}\0`).update(value);
    return hmac.digest('hex');
  }
}
