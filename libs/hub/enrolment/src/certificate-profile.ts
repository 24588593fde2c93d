/**
 * Certificates that the hub makes: its authority for gateways, and what that signs.
 * Decides the profile: ECDSA P-256, random serial numbers of 128 bits, a gateway's certificate
 * names exactly one URI, is for clients only and lasts 90 days.
 * Invariants: nothing of a request but its public key gets into a certificate; a request proves
 * that its sender has the private key. Source: RFC 5280 4.1, 4.2; RFC 2986; SPIFFE-ID 2.
 */
import 'reflect-metadata';
import { randomBytes, webcrypto, X509Certificate as NodeCertificate } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import type { LinkPeer } from '@aifi/hub-identity';
import { AifiError, sha256Hex } from '@aifi/shared-kernel';

x509.cryptoProvider.set(webcrypto);

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const DAY_MS = 24 * 3_600_000;
/** Short enough that a forgotten certificate ends by itself. @unit days */
export const GATEWAY_DAYS = 90;
/** Long enough that nobody has to rotate in a hurry; rotation is an act, not an end. @unit days */
const AUTHORITY_DAYS = 5 * 365;
/** Clocks of hub and gateways may differ; more than a minute is an alarm (H16). @unit ms */
const BACKDATE_MS = 5 * 60_000;
/** A request with a P-256 key has a few hundred bytes. @unit bytes */
const REQUEST_BYTES_MAX = 8_192;

export interface Randomness {
  (bytes: number): Uint8Array;
}
export const systemRandomness: Randomness = (bytes) => randomBytes(bytes);

export interface AuthorityCertificate {
  /** SHA-256 of the certificate (DER), hexadecimal. */
  readonly id: string;
  /** PEM. */
  readonly certificate: string;
  /** PKCS #8, PEM. */
  readonly key: string;
  readonly notAfterMs: number;
}
export interface GatewayCertificate {
  /** 32 hexadecimal digits. */
  readonly serial: string;
  /** PEM. */
  readonly certificate: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}
export interface Moment {
  readonly nowMs: number;
  readonly randomness: Randomness;
}

/** A new authority: its own key and a certificate that it signed itself. */
export async function makeAuthority({ nowMs, randomness }: Moment): Promise<AuthorityCertificate> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const validity = validityOf(nowMs, AUTHORITY_DAYS);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    ...validity,
    serialNumber: newSerial(randomness),
    // Each authority has a name of its own, so that a chain is never ambiguous during a rotation.
    name: `CN=AIFI gateway authority ${Buffer.from(randomness(4)).toString('hex')}`,
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      keyUsage(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  const key = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
  return {
    id: sha256Hex(Buffer.from(certificate.rawData)),
    certificate: certificate.toString('pem'),
    key: x509.PemConverter.encode(key, 'PRIVATE KEY'),
    notAfterMs: validity.notAfter.getTime(),
  };
}

/** The public key of a request, PEM or DER. INVALID_ARGUMENT unless it is P-256 and proven. */
export async function readRequest(csr: string | Uint8Array): Promise<x509.PublicKey> {
  if (csr.length > REQUEST_BYTES_MAX) throw badRequest();
  let request: x509.Pkcs10CertificateRequest;
  try {
    request = new x509.Pkcs10CertificateRequest(
      typeof csr === 'string' ? csr : new Uint8Array(csr).buffer,
    );
    if (!(await request.verify())) throw badRequest();
  } catch (error) {
    throw badRequest(error);
  }
  const { name, namedCurve } = request.publicKey.algorithm as webcrypto.EcKeyAlgorithm;
  if (name !== 'ECDSA' || namedCurve !== 'P-256') throw badRequest();
  return request.publicKey;
}

/** A certificate for a gateway, by the authority. */
export async function signGateway(
  authority: Pick<AuthorityCertificate, 'certificate' | 'key'>,
  peer: LinkPeer,
  publicKey: x509.PublicKey,
  { nowMs, randomness }: Moment,
): Promise<GatewayCertificate> {
  const issuer = new x509.X509Certificate(authority.certificate);
  const der = x509.PemConverter.decodeFirst(authority.key);
  const signingKey = await webcrypto.subtle.importKey('pkcs8', der, ALGORITHM, false, ['sign']);
  const { notBefore, notAfter } = validityOf(nowMs, GATEWAY_DAYS);
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: newSerial(randomness),
    notBefore,
    // Never longer than who signed it (RFC 5280 6.1.3 would refuse it then anyway).
    notAfter: notAfter < issuer.notAfter ? notAfter : issuer.notAfter,
    subject: `CN=gateway ${peer.gateway} of ${peer.siteId}`,
    issuer: issuer.subject,
    publicKey,
    signingKey,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      keyUsage(x509.KeyUsageFlags.digitalSignature),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth], true),
      new x509.SubjectAlternativeNameExtension([{ type: 'url', value: uriOf(peer) }]),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
      await x509.SubjectKeyIdentifierExtension.create(publicKey),
    ],
  });
  const pem = certificate.toString('pem');
  return {
    serial: serialOf(new NodeCertificate(pem)),
    certificate: pem,
    notBeforeMs: certificate.notBefore.getTime(),
    notAfterMs: certificate.notAfter.getTime(),
  };
}

/** Serial number as the records have it: 32 hexadecimal digits. */
export const serialOf = ({ serialNumber }: Pick<NodeCertificate, 'serialNumber'>): string =>
  BigInt(`0x${serialNumber}`).toString(16).padStart(32, '0');

const uriOf = ({ siteId, gateway }: LinkPeer): string =>
  `spiffe://aifi/site/${siteId}/gw/${gateway}`;

/** 128 random bits; the encoder adds the octet that keeps it positive (X.690 8.3). */
function newSerial(randomness: Randomness): string {
  const serial = Buffer.from(randomness(16));
  // No leading zero octet: at most 20 octets and never zero (RFC 5280 4.1.2.2).
  serial[0] ||= 1;
  return serial.toString('hex');
}

function validityOf(nowMs: number, days: number): { notBefore: Date; notAfter: Date } {
  // Whole seconds: a certificate has no finer time (RFC 5280 4.1.2.5).
  const now = Math.floor(nowMs / 1_000) * 1_000;
  return { notBefore: new Date(now - BACKDATE_MS), notAfter: new Date(now + days * DAY_MS) };
}

const keyUsage = (flags: x509.KeyUsageFlags): x509.KeyUsagesExtension =>
  new x509.KeyUsagesExtension(flags, true);

const badRequest = (cause?: unknown): AifiError =>
  new AifiError('INVALID_ARGUMENT', 'the certificate request is not one of a P-256 key', { cause });
