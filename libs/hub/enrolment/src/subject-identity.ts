/**
 * Subject identity: what of a foreign certificate says whose it is, beyond one renewal.
 * Decides the two forms: issuer with the subject's serialNumber, which a national PKI gives to an
 * organisation or a machine and keeps when it renews, or issuer with the public key.
 * Invariant: the same certificate always gives the same digest, whatever order or letter case its
 * names are written in by whom. Source: RFC 5280 4.1.2.4, 7.1; RFC 4519 2.31 (serialNumber).
 */
import 'reflect-metadata';
import type { X509Certificate as NodeCertificate } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import { canonicalJson, sha256Hex, type Sha256 } from '@aifi/shared-kernel';

/** Subject attribute serialNumber. */
const SERIAL_NUMBER_OID = '2.5.4.5';

export interface SubjectIdentity {
  /** Distinguished name of the issuer as in RFC 4514, see `issuerOf`. */
  readonly issuer: string;
  readonly subjectSerial?: string | undefined;
  /** SHA-256 of the SubjectPublicKeyInfo (DER), hexadecimal. */
  readonly subjectKeySha256?: string | undefined;
}

/** Digest that the records hold and two persons compare. */
export function identityDigest(identity: SubjectIdentity): Sha256 {
  const { subjectSerial, subjectKeySha256 } = identity;
  const issuer = normalName(identity.issuer);
  return sha256Hex(
    canonicalJson({
      issuer,
      serial: subjectSerial?.trim() ?? null,
      key: subjectKeySha256?.toLowerCase() ?? null,
    }),
  );
}

/** The identities that a certificate answers to: by serialNumber when it has one, and by key. */
export function identitiesOf(certificate: NodeCertificate): SubjectIdentity[] {
  const parsed = new x509.X509Certificate(new Uint8Array(certificate.raw).buffer);
  const issuer = parsed.issuer;
  const key = certificate.publicKey.export({ type: 'spki', format: 'der' });
  const byKey = { issuer, subjectKeySha256: sha256Hex(key) };
  const serials = parsed.subjectName.getField(SERIAL_NUMBER_OID);
  // Two numbers in one name: nobody could say which one was meant.
  const [serial] = serials.length === 1 ? serials : [];
  return serial === undefined ? [byKey] : [{ issuer, subjectSerial: serial }, byKey];
}

/** One way to write a name: no white space around its parts, small letters (RFC 5280 7.1). */
const normalName = (name: string): string =>
  name
    .split(/(?<!\\),/)
    .map((part) =>
      part
        .trim()
        .replace(/\s*=\s*/, '=')
        .replace(/\s+/g, ' ')
        .toLowerCase(),
    )
    .join(',');
