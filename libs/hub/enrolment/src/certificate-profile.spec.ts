/**
 * Goal: certificates have the profile that the records and the front rely on, and nothing of a
 * request but its key. Method: real keys; the made certificates are read again by Node and by
 * the ASN.1 library.
 */
import 'reflect-metadata';
import { webcrypto, X509Certificate } from 'node:crypto';
import { beforeAll, describe, expect, it } from '@jest/globals';
import * as x509 from '@peculiar/x509';
import { peerFromAlternativeNames } from '@aifi/hub-identity';
import {
  GATEWAY_DAYS,
  makeAuthority,
  readRequest,
  serialOf,
  signGateway,
  systemRandomness,
  type AuthorityCertificate,
} from './certificate-profile.js';
import { isIssuedBy, serverChainOf } from './pem-file.js';
import { identitiesOf, identityDigest } from './subject-identity.js';

const P256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const NOW_MS = 1_800_000_000_000;
const DAY_MS = 24 * 3_600_000;
const moment = { nowMs: NOW_MS, randomness: systemRandomness };
const peer = peerFromAlternativeNames('URI:spiffe://aifi/site/site-a/gw/12');

async function requestOf(algorithm: webcrypto.EcKeyGenParams): Promise<string> {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const names = [{ type: 'url' as const, value: 'spiffe://aifi/site/site-b/gw/1' }];
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    ...{ name: 'CN=site-b', keys },
    signingAlgorithm: { ...algorithm, hash: 'SHA-256' },
    extensions: [
      new x509.SubjectAlternativeNameExtension(names),
      new x509.BasicConstraintsExtension(true, 3, true),
    ],
  });
  return request.toString('pem');
}

let authority: AuthorityCertificate;
let pem: string;
beforeAll(async () => {
  authority = await makeAuthority(moment);
  const key = await readRequest(await requestOf(P256));
  pem = (await signGateway(authority, peer, key, moment)).certificate;
});

describe(signGateway.name, () => {
  it('makes a client of one gateway, for 90 days, from nothing of the request but its key', () => {
    const certificate = new x509.X509Certificate(pem);
    expect(certificate.extensions.map(({ type, critical }) => [type, critical])).toEqual([
      ['2.5.29.19', true],
      ['2.5.29.15', true],
      ['2.5.29.37', true],
      ['2.5.29.17', false],
      ['2.5.29.35', false],
      ['2.5.29.14', false],
    ]);
    const node = new X509Certificate(pem);
    expect(node.subjectAltName).toBe('URI:spiffe://aifi/site/site-a/gw/12');
    expect({ ca: node.ca, usage: node.keyUsage }).toEqual({
      ca: false,
      usage: ['1.3.6.1.5.5.7.3.2'],
    });
    expect(node.validToDate.getTime()).toBe(NOW_MS + GATEWAY_DAYS * DAY_MS);
    expect(node.validFromDate.getTime()).toBe(NOW_MS - 5 * 60_000);
    expect(node.subject).not.toContain('site-b');
    expect(isIssuedBy(node, new X509Certificate(authority.certificate))).toBe(true);
  });
  it('never outlives the authority', async () => {
    const late = { ...moment, nowMs: authority.notAfterMs - 10 * DAY_MS };
    const key = await readRequest(await requestOf(P256));
    const { notAfterMs } = await signGateway(authority, peer, key, late);
    expect(notAfterMs).toBe(authority.notAfterMs);
  });
  it.each([
    ['ff'.repeat(16), 'ff'.repeat(16)],
    ['00'.repeat(16), `01${'00'.repeat(15)}`],
    [`0a${'00'.repeat(15)}`, `0a${'00'.repeat(15)}`],
  ])('has a serial number of 128 bits that is read back: %s', async (random, expected) => {
    const randomness = (): Uint8Array => Buffer.from(random, 'hex');
    const key = await readRequest(await requestOf(P256));
    const made = await signGateway(authority, peer, key, { nowMs: NOW_MS, randomness });
    expect(made.serial).toBe(expected);
    expect(serialOf(new X509Certificate(made.certificate))).toBe(expected);
  });
});

describe(readRequest.name, () => {
  it.each<[string, () => Promise<string | Uint8Array>]>([
    ['another curve', () => requestOf({ ...P256, namedCurve: 'P-384' })],
    ['no request', async () => 'a letter'],
    ['a certificate', async () => pem],
    ['a long text', async () => 'x'.repeat(10_000)],
    ['no bytes', async () => new Uint8Array()],
  ])('refuses %s', async (_name, make) => {
    await expect(readRequest(await make())).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});

describe(makeAuthority.name, () => {
  it('signs gateways and no other authority', () => {
    const certificate = new x509.X509Certificate(authority.certificate);
    const constraints = certificate.getExtension(x509.BasicConstraintsExtension);
    expect(constraints).toMatchObject({ ca: true, pathLength: 0, critical: true });
    expect(certificate.subject).toMatch(/^CN=AIFI gateway authority [0-9a-f]{8}$/);
  });
  it('is shown behind what it signed, up to itself', () => {
    const anchor = new X509Certificate(authority.certificate);
    const { chain, authorities, anchorSha256 } = serverChainOf(pem, [anchor]);
    expect(chain.match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
    expect(authorities).toEqual([anchor.toString()]);
    expect(anchorSha256).toBe(authority.id);
    expect(serverChainOf(pem, []).anchorSha256).toBeUndefined();
  });
  it('is not taken for another one of the same name', async () => {
    const zero = (bytes: number): Uint8Array => new Uint8Array(bytes);
    const [one, other] = await Promise.all([
      makeAuthority({ ...moment, randomness: zero }),
      makeAuthority({ ...moment, randomness: zero }),
    ]);
    const key = await readRequest(await requestOf(P256));
    const signed = new X509Certificate((await signGateway(one, peer, key, moment)).certificate);
    expect(isIssuedBy(signed, new X509Certificate(one.certificate))).toBe(true);
    expect(isIssuedBy(signed, new X509Certificate(other.certificate))).toBe(false);
  });
});

describe(identityDigest.name, () => {
  it('does not depend on how a name is written', () => {
    const subjectSerial = '87';
    const written = ['CN=National CA, O=PKI, C=NL', 'cn = National  CA,O=PKI,C=NL'];
    const [one, same] = written.map((issuer) => identityDigest({ issuer, subjectSerial }));
    expect(one).toBe(same);
    const others = [
      { issuer: written[0]!, subjectSerial: '88' },
      { issuer: 'CN=National CA, O=PKI, C=BE', subjectSerial },
      { issuer: written[0]!, subjectKeySha256: subjectSerial },
    ];
    for (const other of others) expect(identityDigest(other)).not.toBe(one);
  });
  it('is by key for a certificate without a serialNumber', () => {
    const [only, ...rest] = identitiesOf(new X509Certificate(pem));
    expect(rest).toEqual([]);
    expect(only!.subjectKeySha256).toMatch(/^[0-9a-f]{64}$/);
  });
});
