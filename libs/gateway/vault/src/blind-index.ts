/**
 * Blind index: how the vault finds a row without keeping what it is found by.
 * Decides the HMAC under the `index` key of study UID, result UID and patient, and the keys that
 * are derived from it for the chain of acts and the list of erasures.
 * Invariants: the same at all epochs, for a rotation copies the `index` key; equal patients give
 * equal values whatever their padding; nothing leads back without the key.
 * Source: security specification 5 (keys: lookup by HMAC blind index).
 */
import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import { invariant } from '@aifi/shared-kernel';
import type { KeyRing } from '@aifi/shared-site-keys';

/** A patient as an identity names one: both as in `Identity.fields`. */
export interface PatientKey {
  readonly patientId: string;
  /** Of the patient number; '' when none is named. */
  readonly issuer: string;
}

type Purpose = 'study' | 'patient' | 'result' | 'acts' | 'erasures' | 'check';

export class BlindIndex {
  readonly #key: KeyObject;

  constructor(ring: KeyRing) {
    const keys = ring.epoch(ring.epochs[0]!);
    invariant(keys, 'the ring has its first epoch');
    this.#key = createSecretKey(keys.index);
  }

  study(studyUid: string): Buffer {
    return this.#of('study', studyUid);
  }
  result(sopInstanceUid: string): Buffer {
    return this.#of('result', sopInstanceUid);
  }
  /** Null when no number is known: such identities are never of one patient. */
  patient({ patientId, issuer }: PatientKey): Buffer | null {
    const id = normalised(patientId);
    return id === '' ? null : this.#of('patient', `${normalised(issuer)}\0${id}`);
  }
  /** A key of its own for another purpose. */
  derivedKey(purpose: 'acts' | 'erasures' | 'check'): Buffer {
    return this.#of(purpose, '');
  }

  #of(purpose: Purpose, value: string): Buffer {
    return createHmac('sha256', this.#key).update(`${purpose}\0${value}`).digest();
  }
}

// As the fields of an identity are: a person who types a number means the same patient.
function normalised(value: string): string {
  return value.normalize('NFC').trim().replace(/\s+/g, ' ');
}
