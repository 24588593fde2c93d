/**
 * Certificates of a made-up hub, for tests: authorities, server and gateway certificates with any
 * dates and names. Decides nothing that production relies on.
 */
import 'reflect-metadata';
import { randomBytes, webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';

x509.cryptoProvider.set(webcrypto);
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const DAY_MS = 86_400_000;
type Keys = Awaited<ReturnType<typeof makeKeys>>;
const makeKeys = () => webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);

export interface Credential {
  readonly key: string;
  readonly certificate: string;
}
export interface Validity {
  /** Relative to now. @unit days */
  readonly fromDays?: number;
  readonly toDays?: number;
}
function validity({ fromDays = -0.01, toDays = 90 }: Validity, nowMs: number) {
  const serial = randomBytes(16);
  serial[0] = (serial[0]! & 0x3f) | 0x40;
  return {
    serialNumber: serial.toString('hex'),
    notBefore: new Date(nowMs + fromDays * DAY_MS),
    notAfter: new Date(nowMs + toDays * DAY_MS),
  };
}

export class TestAuthority {
  private constructor(
    private readonly keys: Keys,
    private readonly certificate: x509.X509Certificate,
  ) {}

  static async make(commonName: string): Promise<TestAuthority> {
    const keys = await makeKeys();
    const certificate = await x509.X509CertificateGenerator.createSelfSigned({
      ...validity({ fromDays: -400, toDays: 4_000 }, Date.now()),
      ...{ name: `CN=${commonName}`, keys, signingAlgorithm: ALGORITHM },
      extensions: [
        new x509.BasicConstraintsExtension(true, 1, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      ],
    });
    return new TestAuthority(keys, certificate);
  }

  get pem(): string {
    return this.certificate.toString('pem');
  }
  async fingerprint(): Promise<string> {
    return Buffer.from(await this.certificate.getThumbprint('SHA-256')).toString('hex');
  }

  /** With the authority's certificate after it, as a hub sends it. */
  async server(names: readonly string[], dates: Validity = {}): Promise<Credential> {
    const keys = await makeKeys();
    const usage = x509.ExtendedKeyUsage.serverAuth;
    const alternative = names.map((value) => ({
      type: /^[\d.]+$/.test(value) ? ('ip' as const) : ('dns' as const),
      value,
    }));
    const options = { usage, alternative, validity: validity(dates, Date.now()) };
    const certificate = await this.#issue(keys.publicKey, options);
    return { key: await pemOf(keys), certificate: `${certificate}\n${this.pem}` };
  }

  /** For the key of a request (PKCS #10). */
  async gateway(csr: string | ArrayBuffer, uri: string, dates: Validity & { nowMs?: number } = {}) {
    const request = new x509.Pkcs10CertificateRequest(csr);
    if (!(await request.verify())) throw new Error('the request is not signed by its key');
    return this.#issue(await request.publicKey.export(), {
      usage: x509.ExtendedKeyUsage.clientAuth,
      alternative: [{ type: 'url', value: uri }],
      validity: validity(dates, dates.nowMs ?? Date.now()),
    });
  }

  async #issue(
    publicKey: Keys['publicKey'],
    options: {
      readonly usage: x509.ExtendedKeyUsage;
      readonly alternative: x509.JsonGeneralNames;
      readonly validity: ReturnType<typeof validity>;
    },
  ): Promise<string> {
    const certificate = await x509.X509CertificateGenerator.create({
      ...options.validity,
      ...{ subject: 'CN=test', issuer: this.certificate.subject, publicKey },
      ...{ signingKey: this.keys.privateKey, signingAlgorithm: ALGORITHM },
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([options.usage], true),
        new x509.SubjectAlternativeNameExtension(options.alternative),
        await x509.AuthorityKeyIdentifierExtension.create(this.keys.publicKey),
      ],
    });
    return certificate.toString('pem');
  }
}

async function pemOf(keys: Keys): Promise<string> {
  const der = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
  return x509.PemConverter.encode(der, 'PRIVATE KEY');
}
