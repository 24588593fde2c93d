/**
 * Received trust: what the hub sent, checked before anything of it counts.
 * Decides that a certificate is ours only with our key, our site and an authority that is named;
 * and that a configuration counts only with the signature of a key that is trusted already (when
 * joining: of one that came over the connection whose authority the token pins).
 * Invariants: nothing that fails a check is kept; a configuration for another gateway, site or
 * purpose is refused; an older one never replaces a newer one.
 * Source: reliability specification C1; RFC 5280 6; RFC 8032.
 */
import { createPrivateKey, createPublicKey, X509Certificate, type KeyObject } from 'node:crypto';
import {
  decodeManifest,
  gatewayConfigurationSchema,
  verifyManifest,
  type GatewayConfiguration,
} from '@aifi/contracts-manifests';
import { AifiError, type Purpose, type SiteId } from '@aifi/shared-kernel';
import { certificateFacts, fingerprintOf } from './certificate-facts.js';

/** For whom this gateway works, as its own configuration says. */
export interface OwnPlace {
  readonly siteId: SiteId;
  readonly purpose: Purpose;
}
export interface SignedConfiguration {
  /** Canonical JSON, as signed. */
  readonly document: Uint8Array;
  readonly signature: Uint8Array;
}

/** UNTRUSTED unless one of the keys signed it and it is for this gateway. */
export function trustedConfiguration(
  signed: SignedConfiguration,
  keys: readonly KeyObject[],
  { siteId, purpose }: OwnPlace,
): GatewayConfiguration {
  if (!keys.some((key) => isSignedBy(signed, key))) {
    throw untrusted('the configuration has no signature of a trusted key');
  }
  const configuration = decodeManifest(gatewayConfigurationSchema, signed.document);
  if (configuration.siteId !== siteId) throw untrusted('the configuration is for another site');
  if (configuration.purpose !== purpose) {
    throw untrusted('the configuration is for another purpose');
  }
  return configuration;
}

/** UNTRUSTED unless the first certificate is for our key and site, and an anchor vouches for it. */
export function trustedCertificate(
  certificatePem: string,
  key: string,
  options: OwnPlace & { readonly anchors: readonly string[]; readonly nowMs: number },
): { readonly gateway: number } {
  const [own, ...intermediates] = certificatesOf(certificatePem);
  if (!own?.checkPrivateKey(createPrivateKey(key))) {
    throw untrusted('the certificate is not for the key of this gateway');
  }
  const { gateway, notBeforeMs, notAfterMs } = certificateFacts(own.toString());
  const uri = `URI:spiffe://aifi/site/${options.siteId}/gw/${gateway}`;
  if (gateway === null || own.subjectAltName !== uri) {
    throw untrusted('the certificate names another site');
  }
  // The hub's clock may be ahead a little: the certificate of this moment is not from the future.
  if (options.nowMs < notBeforeMs - SKEW_MS || options.nowMs >= notAfterMs) {
    throw untrusted('the certificate is not valid now: look at the clock of this machine');
  }
  const anchors = options.anchors.flatMap(certificatesOf);
  if (!isVouchedFor(own, intermediates, anchors)) {
    throw untrusted('no named authority vouches for the certificate');
  }
  return { gateway };
}
/** @unit ms */
const SKEW_MS = 5 * 60_000;

function isVouchedFor(
  certificate: X509Certificate,
  intermediates: readonly X509Certificate[],
  anchors: readonly X509Certificate[],
): boolean {
  const isIssuer = (one: X509Certificate): boolean =>
    one.ca && certificate.checkIssued(one) && certificate.verify(one.publicKey);
  if (anchors.some(isIssuer)) return true;
  const next = intermediates.find(isIssuer);
  const rest = intermediates.filter((one) => one !== next);
  return next !== undefined && isVouchedFor(next, rest, anchors);
}

/** Whether one of the certificates has the fingerprint. */
export const hasFingerprint = (anchors: readonly string[], fingerprint: string): boolean =>
  anchors.flatMap(certificatesOf).some((one) => fingerprintOf(one) === fingerprint);

/** Keys of PEM texts; UNTRUSTED for anything but Ed25519. */
export function signingKeysOf(pems: readonly string[]): readonly KeyObject[] {
  return pems.map((pem) => {
    const key = createPublicKey(pem);
    if (key.asymmetricKeyType !== 'ed25519') throw untrusted('a signing key is of another kind');
    return key;
  });
}

const PEM = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;
export function certificatesOf(pem: string): X509Certificate[] {
  return [...pem.matchAll(PEM)].map(([text]) => new X509Certificate(text));
}

function isSignedBy({ document, signature }: SignedConfiguration, key: KeyObject): boolean {
  try {
    verifyManifest(document, signature, key);
    return true;
  } catch {
    return false;
  }
}
const untrusted = (words: string): AifiError => new AifiError('UNTRUSTED', words);
