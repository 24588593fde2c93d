/**
 * Joining as a gateway does it, for the tests of the hub: a key, a request, one exchange over TLS.
 * Decides nothing; it speaks the exchange and shows what came back.
 */
import 'reflect-metadata';
import { webcrypto, X509Certificate } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import * as x509 from '@peculiar/x509';
import type { CredentialFiles } from './gateway-stand-in.js';

x509.cryptoProvider.set(webcrypto);
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

export interface KeyAndRequest {
  /** PKCS #8, PEM. */
  readonly key: string;
  /** PKCS #10, PEM. */
  readonly csr: string;
  readonly der: Buffer;
}
/** A new key; `commonName` is what the hub must not believe. */
export async function makeRequest(commonName = 'somebody'): Promise<KeyAndRequest> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const csr = await x509.Pkcs10CertificateRequestGenerator.create({
    ...{ name: [{ CN: [commonName] }], keys, signingAlgorithm: ALGORITHM },
  });
  const key = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
  return {
    key: x509.PemConverter.encode(key, 'PRIVATE KEY'),
    csr: csr.toString('pem'),
    der: Buffer.from(csr.rawData),
  };
}

/** A connection to the link; rejects when the handshake fails. */
export function dial(port: number, options: ConnectionOptions): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: 'localhost', port, servername: 'localhost', ...options });
    socket.once('secureConnect', () => resolve(socket));
    socket.once('error', reject);
  });
}

export interface TokenContent {
  readonly v: number;
  readonly hub: string;
  readonly ca: string;
  readonly secret: string;
}
export const contentOf = (token: string): TokenContent =>
  JSON.parse(Buffer.from(token.replace('aifi-join.', ''), 'base64url').toString()) as TokenContent;

export interface JoinResponse {
  readonly status: number;
  readonly body: Record<string, unknown>;
}
/** Pins the authority as a gateway does, then sends the body; `options` in tests of the edge. */
export async function postJoin(
  port: number,
  ca: string,
  body: unknown,
  path = '/join',
): Promise<JoinResponse> {
  const socket = await dial(port, { ALPNProtocols: ['aifi-join/1'], rejectUnauthorized: false });
  let shown = socket.getPeerCertificate(true);
  const digest = (one: typeof shown): string =>
    one.fingerprint256.replaceAll(':', '').toLowerCase();
  while (digest(shown) !== ca && shown.issuerCertificate !== shown) shown = shown.issuerCertificate;
  if (digest(shown) !== ca) throw new Error('the pinned authority was not shown');
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const headers = { host: 'localhost', 'content-length': Buffer.byteLength(text) };
    const sent = request({ method: 'POST', path, headers, createConnection: () => socket });
    sent.once('error', reject);
    sent.once('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        socket.destroy();
        const answer = JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>;
        resolve({ status: response.statusCode ?? 0, body: answer });
      });
    });
    sent.end(text);
  });
}

export interface Joined extends JoinResponse {
  readonly certificate: X509Certificate;
  readonly files: CredentialFiles;
}
/** Joins with a token and keeps key and certificate in files of `folder`. */
export async function joinWith(token: string, port: number, folder: string): Promise<Joined> {
  const { ca, secret } = contentOf(token);
  const { key, csr } = await makeRequest();
  const answer = await postJoin(port, ca, { secret, csr, gatewayVersion: '0.1.0' });
  if (answer.status !== 200) throw new Error(`joining was answered ${answer.status}`);
  const pem = answer.body['certificate'] as string;
  const anchors = (answer.body['trustAnchors'] as string[]).join('');
  const certificate = new X509Certificate(pem);
  return { ...answer, certificate, files: keep(folder, { pem, key, anchors }) };
}

let kept = 0;
export function keep(
  folder: string,
  { pem, key, anchors }: { pem: string; key: string; anchors: string },
): CredentialFiles {
  kept += 1;
  const write = (name: string, text: string): string => {
    const path = join(folder, `joined-${kept}-${name}.pem`);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  };
  return {
    caFile: write('ca', anchors),
    certificateFile: write('certificate', pem),
    keyFile: write('key', key),
  };
}
