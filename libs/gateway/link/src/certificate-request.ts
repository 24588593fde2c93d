/**
 * Certificate request: a new key of the gateway and the request that the hub signs.
 * Decides the kind of key (P-256) and that each certificate has one of its own.
 * Invariant: the private key is made here and goes nowhere but into the identity file.
 * Source: RFC 2986 (PKCS #10); FIPS 186-5 (P-256).
 */
import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import { cryptoProvider, PemConverter, Pkcs10CertificateRequestGenerator } from '@peculiar/x509';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

export interface CertificateRequest {
  /** PKCS #8, PEM. */
  readonly key: string;
  /** PKCS #10, PEM. */
  readonly csr: string;
}

/** `commonName` is for people: what the certificate says is the hub's decision. */
export async function makeCertificateRequest(commonName: string): Promise<CertificateRequest> {
  cryptoProvider.set(webcrypto);
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const request = await Pkcs10CertificateRequestGenerator.create({
    name: [{ CN: [commonName] }],
    keys,
    signingAlgorithm: ALGORITHM,
  });
  const der = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
  return { key: PemConverter.encode(der, 'PRIVATE KEY'), csr: request.toString('pem') };
}
