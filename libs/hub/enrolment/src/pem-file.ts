/**
 * Certificates in PEM files, and the chain that the hub shows.
 * Decides that the hub shows its chain up to the authority itself: a gateway that joins has only
 * the digest of that one, and learns the certificate from the handshake.
 * Invariant: a signature is checked, not only a name. Source: RFC 8446 4.4.2; RFC 7468.
 */
import { X509Certificate } from 'node:crypto';
import { AifiError, sha256Hex, type Sha256 } from '@aifi/shared-kernel';

const PEM = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;
/** Longest chain that a server shows here. */
const CHAIN_MAX = 6;

/** All certificates of a text; CONFIG_INVALID names the setting when there is none. */
export function certificatesIn(text: string, setting: string): X509Certificate[] {
  try {
    const found = [...text.matchAll(PEM)].map(([pem]) => new X509Certificate(pem));
    if (found.length > 0) return found;
  } catch (error) {
    throw new AifiError('CONFIG_INVALID', `${setting} holds no certificate`, { cause: error });
  }
  throw new AifiError('CONFIG_INVALID', `${setting} holds no certificate`);
}

/** Whether `issuer` signed `certificate`. */
export const isIssuedBy = (certificate: X509Certificate, issuer: X509Certificate): boolean =>
  issuer.ca && certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);

export interface ServerChain {
  /** Certificate of the server first, then who signed whom, PEM. */
  readonly chain: string;
  /** Everything of the chain that is an authority, PEM. */
  readonly authorities: readonly string[];
  /** SHA-256 of the last authority's certificate (DER); undefined: it is not in any file. */
  readonly anchorSha256: Sha256 | undefined;
}

/** The chain of a server certificate, completed from other certificates that are known. */
export function serverChainOf(
  certificateFile: string,
  known: readonly X509Certificate[],
): ServerChain {
  const [own, ...sent] = certificatesIn(certificateFile, 'grpc.certificateFile');
  const chain = [own!];
  while (chain.length < CHAIN_MAX) {
    const last = chain.at(-1)!;
    if (isIssuedBy(last, last)) break;
    const issuer = [...sent, ...known].find((one) => isIssuedBy(last, one));
    if (!issuer) break;
    chain.push(issuer);
  }
  const authorities = chain.slice(1);
  const anchor = authorities.at(-1);
  return {
    chain: chain.map((one) => one.toString()).join(''),
    authorities: authorities.map((one) => one.toString()),
    anchorSha256: anchor && sha256Hex(anchor.raw),
  };
}
