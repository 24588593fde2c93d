/**
 * Goal: a gateway gets in with a token, stays in through renewal and rotation, and is out within
 * seconds of a revocation; a certificate of a national PKI gets in only by two persons.
 * Method: a whole hub with a real PostgreSQL; operators over REST, gateways over real TLS and gRPC;
 * a national authority of the test's own.
 */
import 'reflect-metadata';
import { createPublicKey, webcrypto, X509Certificate } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import * as x509 from '@peculiar/x509';
import {
  decodeManifest,
  gatewayConfigurationSchema,
  verifyManifest,
} from '@aifi/contracts-manifests';
import { removeServerFolder } from '@aifi/hub-database';
import { systemClock } from '@aifi/shared-kernel';
import { silentLogger } from '@aifi/shared-observability';
import { freePorts, temporaryFolder } from '@aifi/shared-testing';
import { GatewayStandIn, type CredentialFiles } from '../test/gateway-stand-in.js';
import {
  hubSettings,
  makeCertificates,
  makeModel,
  type Certificates,
} from '../test/hub-fixtures.js';
import { contentOf, dial, joinWith, keep, makeRequest, postJoin } from '../test/joining.js';
import { openRoleSignIn } from '../test/role-sign-in.js';
import { hubConfigSchema, type HubConfig } from './hub-config.js';
import { startHub, type RunningHub } from './hub.js';

const DAY_MS = 24 * 3_600_000;
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const ANNE = 'central-operator.none.anne';
const BEN = 'central-operator.none.ben';
const REASON = 'the hospital asked for it by telephone';
const UNAUTHENTICATED = 16;

const folder = temporaryFolder('hub-joining');
const gateways: GatewayStandIn[] = [];
let certificates: Certificates;
let config: HubConfig;
let sut: RunningHub;
let nationalAuthority: Authority;

interface Authority {
  readonly keys: webcrypto.CryptoKeyPair;
  readonly certificate: x509.X509Certificate;
}

beforeAll(async () => {
  const { path } = folder;
  certificates = makeCertificates(join(path, 'certs'), ['site-a']);
  nationalAuthority = await makeNationalAuthority();
  const anchor = join(path, 'national.pem');
  writeFileSync(anchor, nationalAuthority.certificate.toString('pem'));
  const [port] = await freePorts(1);
  const settings = hubSettings(path, certificates, await makeModel(join(path, 'models')), [
    'site-a',
  ]);
  config = hubConfigSchema.parse({
    ...settings,
    grpc: { ...(settings['grpc'] as object), nationalAnchorFiles: [anchor] },
    http: { host: '127.0.0.1', port },
    ...{ publicUrl: `http://localhost:${port}`, workerUrl: 'http://127.0.0.1:9' },
  });
  sut = await startHub(config, silentLogger, openRoleSignIn);
}, 180_000);
afterAll(async () => {
  for (const gateway of gateways) gateway.close();
  await sut?.stop();
  if (config) await removeServerFolder(config.dataFolder);
  folder.remove();
}, 60_000);

let posts = 0;
async function call(
  who: string,
  path: string,
  body?: unknown,
): Promise<{ status: number; body: Record<string, unknown> }> {
  posts += 1;
  const headers = { authorization: `Bearer ${who}`, 'content-type': 'application/json' };
  const key = { 'idempotency-key': `enrolment-${posts}` };
  const init = body && {
    method: 'POST',
    headers: { ...headers, ...key },
    body: JSON.stringify(body),
  };
  const response = await fetch(`${config.publicUrl}/api/v1${path}`, init || { headers });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}
async function token(site: string, gateway = 1): Promise<string> {
  const answer = await call(ANNE, `/sites/${site}/join-tokens`, { gateway });
  expect(answer.status).toBe(200);
  return answer.body['token'] as string;
}
const joined = async (site: string, gateway = 1): ReturnType<typeof joinWith> =>
  joinWith(await token(site, gateway), sut.linkPort!, folder.path);
function gatewayOf(files: Partial<CredentialFiles>): GatewayStandIn {
  const gateway = new GatewayStandIn(sut.linkPort!, files);
  gateways.push(gateway);
  return gateway;
}
/** A stream that stays open; resolves with its status when it ends. */
function openStream(gateway: GatewayStandIn): { ended: Promise<number>; isOpen: () => boolean } {
  const stream = gateway.downlink.streamOutcomes();
  let isOpen = true;
  const ended = new Promise<number>((resolve) => {
    stream.on('error', (error) => resolve((error as { code?: number }).code ?? -1));
    stream.on('end', () => resolve(0));
  }).finally(() => (isOpen = false));
  stream.on('data', () => undefined);
  stream.write({ part: { $case: 'cursor', value: { afterSequence: 0, exact: false } } });
  return { ended, isOpen: () => isOpen };
}
const serialOf = ({ serialNumber }: X509Certificate): string =>
  serialNumber.toLowerCase().padStart(32, '0');
async function codeOf(work: Promise<unknown>): Promise<number | undefined> {
  return work.then(
    () => undefined,
    (error: unknown) => (error as { code: number }).code,
  );
}

describe('a gateway with a token', () => {
  it('joins a site that was not configured, and is that site from then on', async () => {
    const text = await token('site-new', 2);
    expect(contentOf(text)).toMatchObject({ v: 1, hub: `localhost:${sut.linkPort}` });
    const { body, certificate, files } = await joinWith(text, sut.linkPort!, folder.path);
    expect(body).toMatchObject({ siteId: 'site-new', gateway: 2 });
    expect(certificate.subjectAltName).toBe('URI:spiffe://aifi/site/site-new/gw/2');
    const signed = body['configuration'] as { document: string; signature: string };
    const document = Buffer.from(signed.document, 'base64');
    const [key] = body['signingKeys'] as string[];
    verifyManifest(document, Buffer.from(signed.signature, 'base64'), createPublicKey(key!));
    const configuration = decodeManifest(gatewayConfigurationSchema, document);
    expect(configuration).toMatchObject({ siteId: 'site-new', purpose: 'demonstration' });
    const { rules } = await gatewayOf(files).rules();
    expect(JSON.parse(Buffer.from(rules).toString())).toMatchObject({ products: [] });
  });
  it('does not join twice, and is not told why', async () => {
    const text = await token('site-a', 3);
    await joinWith(text, sut.linkPort!, folder.path);
    const { ca, secret } = contentOf(text);
    const { csr } = await makeRequest();
    const again = await postJoin(sut.linkPort!, ca, { secret, csr, gatewayVersion: '0.1.0' });
    const other = { secret: secret.toUpperCase(), csr, gatewayVersion: '0.1.0' };
    const unknown = await postJoin(sut.linkPort!, ca, other);
    const words = { title: 'the token is not valid', code: 'UNTRUSTED', status: 401 };
    for (const { status, body } of [again, unknown]) {
      expect({ status, body }).toMatchObject({ status: 401, body: words });
    }
  });
  it('sends one small request of one form', async () => {
    const { ca, secret } = contentOf(await token('site-a', 3));
    const { csr } = await makeRequest();
    const send = (body: unknown, path?: string): Promise<number> =>
      postJoin(sut.linkPort!, ca, body, path).then(({ status }) => status);
    expect(await send({ secret, csr, gatewayVersion: '0.1.0', site: 'site-b' })).toBe(400);
    expect(await send({ secret, csr: 'no request', gatewayVersion: '0.1.0' })).toBe(400);
    expect(await send({ secret, csr, gatewayVersion: '0.1.0' }, '/join/../metrics')).toBe(404);
    expect(await send('x'.repeat(65 * 1024))).toBe(413);
  });
  it('finds the door closed without a certificate or the name of a protocol', async () => {
    const options = { rejectUnauthorized: false };
    const silent = await dial(sut.linkPort!, { ...options, ALPNProtocols: ['h2'] });
    await new Promise((resolve) => silent.once('close', resolve));
    const unknown = dial(sut.linkPort!, { ...options, ALPNProtocols: ['http/1.1'] });
    await expect(unknown).rejects.toThrow(/alert/);
  });
});

describe('a renewal', () => {
  it('drops no stream; the certificate before goes on for a week', async () => {
    const { certificate, files } = await joined('site-a', 4);
    const gateway = gatewayOf(files);
    const stream = openStream(gateway);
    const { key, der } = await makeRequest('gateway of site-b');
    const answer = await gateway.renew(der);
    const pem = x509.PemConverter.encode(new Uint8Array(answer.certificate).buffer, 'CERTIFICATE');
    expect(new X509Certificate(pem).subjectAltName).toBe(certificate.subjectAltName);
    const anchors = readFileSync(files.caFile, 'utf8');
    const renewed = gatewayOf(keep(folder.path, { pem, key, anchors }));
    const { notAfterMs } = await renewed.trust();
    expect(notAfterMs).toBe(new X509Certificate(pem).validToDate.getTime());
    const before = await gateway.trust();
    const left = before.notAfterMs - Date.parse(certificate.validFrom);
    expect(left).toBeGreaterThan(7 * DAY_MS - 60_000);
    expect(left).toBeLessThan(8 * DAY_MS);
    expect(stream.isOpen()).toBe(true);
  });
});

describe('a revocation', () => {
  it('cuts the open stream and keeps the gateway out', async () => {
    const { certificate, files } = await joined('site-a', 5);
    const gateway = gatewayOf(files);
    await gateway.rules();
    const stream = openStream(gateway);
    const path = `/sites/site-a/certificates/${serialOf(certificate)}/revoke`;
    expect((await call('auditor.none', path, { reason: REASON })).status).toBe(403);
    const answer = await call(ANNE, path, { reason: REASON });
    expect(answer.body).toMatchObject({ state: 'revoked', revokedBy: ANNE });
    expect(await stream.ended).not.toBe(0);
    expect(await codeOf(gatewayOf(files).rules())).toBe(UNAUTHENTICATED);
    const list = await call('auditor.none', '/sites/site-a/certificates');
    expect(list.body['certificates']).toContainEqual(
      expect.objectContaining({ serial: serialOf(certificate), state: 'revoked' }),
    );
  }, 30_000);
});

describe('a rotation of the authority', () => {
  it('cuts no stream; old and new certificates are let in', async () => {
    const before = await joined('site-a', 6);
    const stream = openStream(gatewayOf(before.files));
    const { status, body } = await call(ANNE, '/authority/rotate', { reason: REASON });
    expect(status).toBe(200);
    const states = (body['authorities'] as { state: string }[]).map(({ state }) => state);
    expect(states).toEqual(['active', 'retiring']);
    const after = await joined('site-a', 7);
    expect(after.certificate.issuer).not.toBe(before.certificate.issuer);
    for (const { files } of [before, after]) await gatewayOf(files).rules();
    expect(stream.isOpen()).toBe(true);
  }, 30_000);
});

describe('a certificate of a national PKI', () => {
  it('is let in once two persons have bound it, as the gateway it was bound to', async () => {
    const files = await nationalCertificate('8712345000004');
    expect(await codeOf(gatewayOf(files).rules())).toBe(UNAUTHENTICATED);
    const certificate = readFileSync(files.certificateFile, 'utf8');
    const inspected = await call(ANNE, '/bindings/inspect', { certificate, gateway: 9 });
    const [identity] = inspected.body['identities'] as Record<string, string>[];
    expect(identity).toMatchObject({ subjectSerial: '8712345000004' });
    const { issuer, subjectSerial, objectId } = identity!;
    const binding = { siteId: 'site-a', gateway: 9, issuer, subjectSerial };
    expect((await call(ANNE, '/bindings', binding)).status).toBe(403);
    const ask = { act: 'binding.create', siteId: 'site-a', objectId, reason: REASON };
    const { id } = (await call(ANNE, '/approvals', ask)).body as { id: string };
    const decision = { decision: 'approve', reason: REASON };
    expect((await call(ANNE, `/approvals/${id}/decision`, decision)).status).toBe(403);
    expect((await call(ANNE, '/bindings', binding)).status).toBe(403);
    expect((await call(BEN, `/approvals/${id}/decision`, decision)).status).toBe(200);
    // Another gateway, another person: not what was agreed to.
    expect((await call(ANNE, '/bindings', { ...binding, gateway: 8 })).status).toBe(403);
    expect((await call(BEN, '/bindings', binding)).status).toBe(403);
    const made = await call(ANNE, '/bindings', binding);
    expect(made.body).toMatchObject({ requestedBy: ANNE, approvedBy: BEN, gateway: 9 });
    const gateway = gatewayOf(files);
    await gateway.rules();
    const { configuration } = await gateway.trust();
    const document = decodeManifest(gatewayConfigurationSchema, configuration);
    expect(document).toMatchObject({ siteId: 'site-a', gateway: 9 });
    expect(await codeOf(gateway.renew((await makeRequest()).der))).toBe(7);
    // One agreement, one binding.
    expect((await call(ANNE, '/bindings', binding)).status).toBe(403);
    const stream = openStream(gateway);
    const path = `/sites/site-a/bindings/${made.body['id'] as string}/end`;
    expect((await call(ANNE, path, { reason: REASON })).status).toBe(200);
    expect(await stream.ended).not.toBe(0);
    expect(await codeOf(gatewayOf(files).rules())).toBe(UNAUTHENTICATED);
  }, 60_000);
  it('is not let in by a name of ours that it carries', async () => {
    const files = await nationalCertificate('1', 'spiffe://aifi/site/site-a/gw/1');
    expect(await codeOf(gatewayOf(files).rules())).toBe(UNAUTHENTICATED);
  });
});

async function makeNationalAuthority(): Promise<Authority> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    ...{ name: 'C=NL, O=National PKI, CN=National CA', keys, signingAlgorithm: ALGORITHM },
    notBefore: new Date(systemClock.nowMs() - DAY_MS),
    notAfter: new Date(systemClock.nowMs() + 365 * DAY_MS),
    extensions: [new x509.BasicConstraintsExtension(true, undefined, true)],
  });
  return { keys, certificate };
}
async function nationalCertificate(serial: string, uri?: string): Promise<CredentialFiles> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.create({
    subject: `C=NL, O=Hospital, 2.5.4.5=${serial}, CN=gateway.hospital.example`,
    issuer: nationalAuthority.certificate.subject,
    notBefore: new Date(systemClock.nowMs() - DAY_MS),
    notAfter: new Date(systemClock.nowMs() + 100 * DAY_MS),
    ...{ publicKey: keys.publicKey, signingKey: nationalAuthority.keys.privateKey },
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth]),
      ...(uri ? [new x509.SubjectAlternativeNameExtension([{ type: 'url', value: uri }])] : []),
    ],
  });
  const der = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
  return keep(folder.path, {
    pem: certificate.toString('pem'),
    key: x509.PemConverter.encode(der, 'PRIVATE KEY'),
    anchors: readFileSync(certificates.hub.caFile, 'utf8'),
  });
}
