/**
 * Certificate facts: how long a certificate lasts, when the next one is asked for, what to alarm.
 * Decides renewal at two thirds of the life (60 of 90 days), a little earlier by chance so that
 * gateways do not come together, and the alarms at 30, 14 and 3 days.
 * Invariant: with renewal in order no alarm is ever seen. Source: reliability specification 5
 * (certificates: alarms 30/14/3 d).
 */
import { X509Certificate } from 'node:crypto';
import type { CertificateAlarm } from '@aifi/contracts-rest';

/** @unit ms */
const DAY_MS = 86_400_000;
/** Gateways of one day come spread over this part of the life: a day of 90. */
const JITTER_SHARE = 1 / 90;
const RENEWAL_SHARE = 2 / 3;

export interface CertificateFacts {
  readonly serialNumber: string;
  readonly subject: string;
  /** SHA-256 (DER), hexadecimal. */
  readonly fingerprint: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** Number of the gateway in the URI; null: the certificate has no such name. */
  readonly gateway: number | null;
}

export function certificateFacts(pem: string): CertificateFacts {
  const certificate = new X509Certificate(pem);
  const uri = /URI:spiffe:\/\/aifi\/site\/[a-z0-9-]+\/gw\/(\d{1,4})(?:, |$)/;
  const number = uri.exec(certificate.subjectAltName ?? '')?.[1];
  return {
    serialNumber: certificate.serialNumber.toLowerCase(),
    subject: certificate.subject.replaceAll('\n', ', '),
    fingerprint: fingerprintOf(certificate),
    notBeforeMs: Date.parse(certificate.validFrom),
    notAfterMs: Date.parse(certificate.validTo),
    gateway: number === undefined ? null : Number(number),
  };
}

export const fingerprintOf = (certificate: X509Certificate): string =>
  certificate.fingerprint256.replaceAll(':', '').toLowerCase();

/** `random` in [0, 1): the same for one certificate, so that a restart moves nothing. */
export function renewalAtMs(facts: CertificateFacts, random: number): number {
  const lifeMs = facts.notAfterMs - facts.notBeforeMs;
  return Math.floor(facts.notBeforeMs + lifeMs * (RENEWAL_SHARE - JITTER_SHARE * random));
}

/** A number in [0, 1) that belongs to the certificate. */
export const chanceOf = ({ fingerprint }: CertificateFacts): number =>
  Number.parseInt(fingerprint.slice(0, 8), 16) / 2 ** 32;

export const daysLeft = (facts: CertificateFacts, nowMs: number): number =>
  Math.floor((facts.notAfterMs - nowMs) / DAY_MS);

/** Of fewer than 30, 14 and 3 days. A certificate that lives shorter alarms in proportion. */
export function alarmOf(facts: CertificateFacts, nowMs: number): CertificateAlarm {
  const leftMs = facts.notAfterMs - nowMs;
  const scale = Math.min(1, (facts.notAfterMs - facts.notBeforeMs) / (90 * DAY_MS));
  if (leftMs <= 0) return 'expired';
  if (leftMs < 3 * DAY_MS * scale) return 'critical';
  if (leftMs < 14 * DAY_MS * scale) return 'urgent';
  return leftMs < 30 * DAY_MS * scale ? 'soon' : 'none';
}
