/**
 * Certificates for the link bench: an authority, a hub and a gateway.
 * Decides nothing about trust: they live for the bench and in its folder. Source: RFC 5280.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AifiError } from '@aifi/shared-kernel';

export interface TlsMaterial {
  readonly ca: Buffer;
  readonly cert: Buffer;
  readonly key: Buffer;
}

function openssl(folder: string, ...args: readonly string[]): void {
  const { status } = spawnSync('openssl', args, { cwd: folder, stdio: 'ignore' });
  if (status !== 0) throw new AifiError('PEER_UNAVAILABLE', 'openssl makes no certificate');
}

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

export function makeCertificates(folder: string): void {
  const subject = ['-subj', '/CN=bench authority', '-days', '2'];
  openssl(folder, 'req', '-x509', ...KEY, '-keyout', 'ca.key', '-out', 'ca.pem', ...subject);
  makeOne(folder, 'hub', 'DNS:localhost,IP:127.0.0.1');
  makeOne(folder, 'gateway', 'URI:spiffe://aifi/site/bench/gw/1');
}

function makeOne(folder: string, name: string, alternativeName: string): void {
  const files = ['-keyout', `${name}.key`, '-out', `${name}.csr`];
  openssl(folder, 'req', ...KEY, ...files, '-subj', `/CN=${name}`);
  writeFileSync(join(folder, `${name}.ext`), `subjectAltName=${alternativeName}\n`);
  const authority = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2'];
  const out = ['-extfile', `${name}.ext`, '-in', `${name}.csr`, '-out', `${name}.pem`];
  openssl(folder, 'x509', '-req', ...authority, ...out);
}

export function readMaterial(folder: string, name: 'hub' | 'gateway'): TlsMaterial {
  const read = (file: string): Buffer => readFileSync(join(folder, file));
  return { ca: read('ca.pem'), cert: read(`${name}.pem`), key: read(`${name}.key`) };
}
