/**
 * Intake keys: how an order, an objection and a study meet without an identity in the database.
 * Decides the HMAC under the `index` key of a patient number and of an accession number, with
 * purposes of their own, so that no value here equals one of the vault.
 * Invariants: the same at all epochs, for a rotation copies the `index` key; equal numbers give
 * equal keys whatever their padding; nothing leads back without the key; no number, no key.
 * Source: security specification 5 (lookup by HMAC blind index); governance specification 4.3.
 */
import { createHmac } from 'node:crypto';
import { invariant } from '@aifi/shared-kernel';
import type { KeyRing } from './key-ring.js';

/** A patient as images and messages name one. */
export interface NumberedPatient {
  readonly patientId: string;
  /** Of the patient number; '' or absent when none is named. */
  readonly issuer?: string | undefined;
}

/** Hexadecimal; undefined when no number is known: such images are never of one patient. */
export function patientKeyOf(
  ring: KeyRing,
  { patientId, issuer = '' }: NumberedPatient,
): string | undefined {
  const id = normalised(patientId);
  return id === '' ? undefined : keyOf(ring, 'intake-patient', `${normalised(issuer)}\0${id}`);
}

/** Hexadecimal; undefined when the number is empty. */
export function accessionKeyOf(ring: KeyRing, accessionNumber: string): string | undefined {
  const number = normalised(accessionNumber);
  return number === '' ? undefined : keyOf(ring, 'intake-accession', number);
}

function keyOf(ring: KeyRing, purpose: string, value: string): string {
  const keys = ring.epoch(ring.epochs[0]!);
  invariant(keys, 'the ring has its first epoch');
  return createHmac('sha256', keys.index).update(`${purpose}\0${value}`).digest('hex');
}

// As the vault does: a person who types a number means the same patient.
function normalised(value: string): string {
  return value.normalize('NFC').trim().replace(/\s+/g, ' ');
}
