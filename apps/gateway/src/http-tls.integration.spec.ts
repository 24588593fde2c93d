/**
 * Goal: with TLS configured nothing is served without it, and browsers are told to keep to it.
 * Method: the real interface with a certificate of the demo's own authority.
 */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { request, type RequestOptions } from 'node:https';
import type { IncomingHttpHeaders } from 'node:http';
import { join } from 'node:path';
import { temporaryFolder } from '@aifi/shared-testing';
import { PlantedGateway } from '../test/planted-gateway.js';

const CERTIFICATES = join(import.meta.dirname, '../../../deploy/certs/make-certs.mjs');
interface Files {
  readonly caFile: string;
  readonly certificateFile: string;
  readonly keyFile: string;
}

const folder = temporaryFolder('gateway-tls');
const sut = new PlantedGateway();
let files: Files;
beforeAll(async () => {
  const printed = execFileSync(process.execPath, [CERTIFICATES, folder.path, 'site-a']);
  // The hub's is the one for a server on this machine.
  files = (JSON.parse(printed.toString()) as { hub: Files }).hub;
  const { certificateFile, keyFile } = files;
  await sut.start({ tls: { certificateFile, keyFile } });
});
afterAll(async () => {
  await sut.stop();
  folder.remove();
});

function get(options: RequestOptions): Promise<{ status?: number; headers: IncomingHttpHeaders }> {
  const place = { host: 'localhost', port: sut.http.port, path: '/healthz', agent: false };
  const ca = readFileSync(files.caFile);
  return new Promise((resolve, reject) => {
    const sent = request({ ...place, ca, family: 4, ...options } as RequestOptions, (response) => {
      response.resume();
      const { statusCode: status, headers } = response;
      resolve({ ...(status !== undefined && { status }), headers });
    });
    sent.on('error', reject).end();
  });
}

it('answers over TLS, and tells browsers to keep to it for a year', async () => {
  const { status, headers } = await get({});
  expect(status).toBe(200);
  expect(headers['strict-transport-security']).toBe('max-age=31536000; includeSubDomains');
});
it('takes no version before TLS 1.2, and no plain text', async () => {
  const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' };
  await expect(get(old as RequestOptions)).rejects.toThrow(/version|protocol|alert/i);
  await expect(sut.call(undefined, '/healthz')).rejects.toThrow();
});
