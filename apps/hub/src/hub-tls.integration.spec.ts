/**
 * Goal: a hub that is reached from elsewhere speaks TLS only, and its trail reaches the receiver of
 * the organisation. Method: a whole hub with a real certificate, and a syslog receiver over TLS.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import type { IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { connect, createServer, type Server, type SecureVersion } from 'node:tls';
import { removeServerFolder } from '@aifi/hub-database';
import { silentLogger } from '@aifi/shared-observability';
import { freePorts, temporaryFolder } from '@aifi/shared-testing';
import { hubSettings, makeCertificates, makeModel } from '../test/hub-fixtures.js';
import { openRoleSignIn } from '../test/role-sign-in.js';
import { hubConfigSchema, type HubConfig } from './hub-config.js';
import { startHub, type RunningHub } from './hub.js';

const folder = temporaryFolder('hub-tls');
let config: HubConfig;
let sut: RunningHub;
let receiver: Server;
let heard = '';
let ca: Buffer;

beforeAll(async () => {
  const { path } = folder;
  const certificates = makeCertificates(join(path, 'certs'), ['site-a']);
  const { caFile, certificateFile, keyFile } = certificates.hub;
  const own = { cert: readFileSync(certificateFile), key: readFileSync(keyFile) };
  ca = readFileSync(caFile);
  receiver = createServer(own, (socket) => {
    socket.on('data', (data) => (heard += data.toString('utf8')));
    socket.on('error', () => undefined);
  });
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  const [port] = await freePorts(1);
  config = hubConfigSchema.parse({
    ...hubSettings(path, certificates, await makeModel(join(path, 'models')), ['site-a']),
    http: { host: '0.0.0.0', port, tls: { certificateFile, keyFile } },
    ...{ publicUrl: `https://localhost:${port}`, workerUrl: 'http://127.0.0.1:9' },
    audit: {
      syslog: { host: 'localhost', port: (receiver.address() as AddressInfo).port, caFile },
    },
  });
  sut = await startHub(config, silentLogger, openRoleSignIn);
}, 180_000);
afterAll(async () => {
  await sut?.stop();
  receiver?.close();
  if (config) await removeServerFolder(config.dataFolder);
  folder.remove();
}, 60_000);

function get(path: string): Promise<{ status: number | undefined; headers: IncomingHttpHeaders }> {
  return new Promise((resolve, reject) => {
    const sent = request(config.publicUrl + path, { ca }, (response) => {
      response.resume();
      resolve({ status: response.statusCode, headers: response.headers });
    });
    sent.on('error', reject).end();
  });
}
/** The version that is agreed on; rejects when there is none. */
function handshake(version: SecureVersion): Promise<string | null> {
  const options = { port: sut.httpPort, host: 'localhost', ca };
  // Level 0: the client itself would still offer what the server must refuse.
  const weak = { minVersion: version, maxVersion: version, ciphers: 'DEFAULT@SECLEVEL=0' };
  return new Promise((resolve, reject) => {
    const socket = connect({ ...options, ...weak }, () => {
      resolve(socket.getProtocol());
      socket.destroy();
    });
    socket.on('error', reject);
  });
}

describe('a hub with a certificate', () => {
  it('tells browsers to come back over TLS only', async () => {
    const { status, headers } = await get('/healthz');
    expect(status).toBe(200);
    const insists = headers['strict-transport-security'];
    expect(insists).toBe('max-age=31536000; includeSubDomains');
  });
  it('speaks TLS 1.2 and 1.3 and nothing older', async () => {
    await expect(handshake('TLSv1.3')).resolves.toBe('TLSv1.3');
    await expect(handshake('TLSv1.2')).resolves.toBe('TLSv1.2');
    await expect(handshake('TLSv1.1')).rejects.toThrow();
    await expect(handshake('TLSv1')).rejects.toThrow();
  });
  it('answers nothing that is not encrypted', async () => {
    await expect(fetch(`http://localhost:${sut.httpPort}/healthz`)).rejects.toThrow();
  });
});

describe('the trail', () => {
  it('reaches the receiver, from the first record on', async () => {
    for (let tries = 0; tries < 200 && !heard.includes('rules.publish'); tries += 1) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(heard).toMatch(/^\d+ <\d+>1 \d{4}-\d\d-\d\dT/);
    for (const act of ['site.enrol', 'deployment.change', 'rules.publish']) {
      expect(heard).toContain(act);
    }
  }, 30_000);
});
