/**
 * Certificates for development, tests and the demonstration; never for production.
 * Decides their form: one authority, a server certificate for the hub (localhost), a client
 * certificate per gateway whose URI names its site (guard C1), the hub's Ed25519 signing pair.
 * Invariants: files of mode 600, valid for 90 days; the authority's key is not kept.
 * Source: reliability specification C1; RFC 5280; SPIFFE-ID 2.
 *
 *   node deploy/certs/make-certs.mjs FOLDER SITE [SITE ...]
 */
import 'reflect-metadata';
import { generateKeyPairSync, randomBytes, webcrypto } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as x509 from '@peculiar/x509';

x509.cryptoProvider.set(webcrypto);

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const VALID_DAYS = 90;
const DAY_MS = 24 * 60 * 60 * 1000;
/** Clocks of a test machine and its containers may differ a little. */
const BACKDATE_MS = 5 * 60 * 1000;
const SITE = /^[a-z][a-z0-9-]{0,31}$/;

const keyUsage = (...flags) =>
  new x509.KeyUsagesExtension(
    flags.reduce((sum, flag) => sum | flag, 0),
    true,
  );

function validity() {
  const now = Date.now();
  // Positive, at most 20 octets, no leading zero octet (RFC 5280 4.1.2.2, X.690 8.3.2).
  const serial = randomBytes(16);
  serial[0] = (serial[0] & 0x3f) | 0x40;
  return {
    notBefore: new Date(now - BACKDATE_MS),
    notAfter: new Date(now + VALID_DAYS * DAY_MS),
    serialNumber: serial.toString('hex'),
  };
}

function write(path, content) {
  writeFileSync(path, content, { mode: 0o600 });
  return path;
}

async function privateKeyPem(keys) {
  const der = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
  return x509.PemConverter.encode(der, 'PRIVATE KEY');
}

async function makeAuthority() {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    ...validity(),
    name: 'CN=AIFI development authority',
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      keyUsage(x509.KeyUsageFlags.keyCertSign, x509.KeyUsageFlags.cRLSign),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { keys, certificate };
}

async function issue(authority, { commonName, names, usage }) {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.create({
    ...validity(),
    subject: `CN=${commonName}`,
    issuer: authority.certificate.subject,
    publicKey: keys.publicKey,
    signingKey: authority.keys.privateKey,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      keyUsage(x509.KeyUsageFlags.digitalSignature),
      new x509.ExtendedKeyUsageExtension([usage], true),
      new x509.SubjectAlternativeNameExtension(names),
      await x509.AuthorityKeyIdentifierExtension.create(authority.keys.publicKey),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { keys, certificate };
}

/**
 * Makes all files in `folder` and names them. Files of an earlier run are replaced.
 * @param {{ folder: string, sites: readonly string[], standbys?: readonly string[] }} options
 * site ids as in the gateways' URIs; `standbys`: sites that have a second gateway
 */
export async function makeDevelopmentCertificates({ folder, sites, standbys = [] }) {
  for (const site of [...sites, ...standbys])
    if (!SITE.test(site)) throw new Error('not a valid site id');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const authority = await makeAuthority();
  const caFile = write(join(folder, 'ca.pem'), authority.certificate.toString('pem'));
  const store = async (name, { keys, certificate }) => ({
    caFile,
    certificateFile: write(join(folder, `${name}.pem`), certificate.toString('pem')),
    keyFile: write(join(folder, `${name}-key.pem`), await privateKeyPem(keys)),
  });
  const server = await issue(authority, {
    commonName: 'hub',
    names: [
      { type: 'dns', value: 'localhost' },
      { type: 'ip', value: '127.0.0.1' },
    ],
    usage: x509.ExtendedKeyUsage.serverAuth,
  });
  const hub = await store('hub', server);
  const client = async (site, number, name) =>
    store(
      name,
      await issue(authority, {
        commonName: `gateway of ${site}`,
        names: [{ type: 'url', value: `spiffe://aifi/site/${site}/gw/${number}` }],
        usage: x509.ExtendedKeyUsage.clientAuth,
      }),
    );
  const [bySite, second] = [{}, {}];
  for (const site of sites) bySite[site] = await client(site, 1, `site-${site}`);
  for (const site of standbys) second[site] = await client(site, 2, `site-${site}-2`);
  const signing = generateKeyPairSync('ed25519');
  const pem = (key, type) => key.export({ format: 'pem', type });
  return {
    hub,
    sites: bySite,
    standbys: second,
    signingKeyFile: write(join(folder, 'signing-key.pem'), pem(signing.privateKey, 'pkcs8')),
    signingPublicKeyFile: write(join(folder, 'signing-public.pem'), pem(signing.publicKey, 'spki')),
  };
}

if (process.argv[1] && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const [folder, ...sites] = process.argv.slice(2);
  if (!folder || sites.length === 0) {
    console.error('usage: node deploy/certs/make-certs.mjs FOLDER SITE [SITE ...]');
    process.exit(2);
  }
  console.log(JSON.stringify(await makeDevelopmentCertificates({ folder, sites }), null, 2));
}
