/**
 * Certificates of DICOM peers: any number of authorities, each of which signs peers of its own.
 * Decides their form: valid for a day, usable at both ends, because a PACS calls and is called with
 * the same certificate. For tests only. Source: PS3.15 annex B; RFC 5280.
 */
import 'reflect-metadata';
import { randomBytes, webcrypto, X509Certificate } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as x509 from '@peculiar/x509';

x509.cryptoProvider.set(webcrypto as never);
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const DAY_MS = 86_400_000;

export interface PeerIdentity {
  /** PEM files. */
  readonly certificateFile: string;
  readonly keyFile: string;
  readonly caFile: string;
  /** SHA-256 of the certificate: 64 lower-case hexadecimal digits. */
  readonly fingerprint: string;
}

type KeyPair = webcrypto.CryptoKeyPair;

const newKeys = (): Promise<KeyPair> =>
  webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']) as Promise<KeyPair>;
function terms() {
  const nowMs = Date.now();
  return {
    serialNumber: `01${randomBytes(15).toString('hex')}`,
    notBefore: new Date(nowMs - DAY_MS),
    notAfter: new Date(nowMs + DAY_MS),
    signingAlgorithm: ALGORITHM,
  };
}

export class TestAuthority {
  private constructor(
    private readonly folder: string,
    private readonly keys: KeyPair,
    private readonly certificate: x509.X509Certificate,
    readonly caFile: string,
  ) {}

  static async make(folder: string, name: string): Promise<TestAuthority> {
    const keys = await newKeys();
    const certificate = await x509.X509CertificateGenerator.createSelfSigned({
      ...terms(),
      name: `CN=${name}`,
      keys,
      extensions: [new x509.BasicConstraintsExtension(true, 0, true)],
    });
    const caFile = join(folder, `${name}.pem`);
    writeFileSync(caFile, certificate.toString('pem'));
    return new TestAuthority(folder, keys, certificate, caFile);
  }

  /** A peer on this machine. */
  async issue(name: string): Promise<PeerIdentity> {
    const keys = await newKeys();
    const certificate = await x509.X509CertificateGenerator.create({
      ...terms(),
      subject: `CN=${name}`,
      issuer: this.certificate.subject,
      publicKey: keys.publicKey,
      signingKey: this.keys.privateKey,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.SubjectAlternativeNameExtension([
          { type: 'dns', value: 'localhost' },
          { type: 'ip', value: '127.0.0.1' },
        ]),
      ],
    });
    const certificateFile = join(this.folder, `${name}.pem`);
    const keyFile = join(this.folder, `${name}-key.pem`);
    const pkcs8 = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
    const pem = certificate.toString('pem');
    writeFileSync(certificateFile, pem);
    writeFileSync(keyFile, x509.PemConverter.encode(pkcs8, 'PRIVATE KEY'), { mode: 0o600 });
    const fingerprint = new X509Certificate(pem).fingerprint256.replaceAll(':', '').toLowerCase();
    return { certificateFile, keyFile, caFile: this.caFile, fingerprint };
  }
}
