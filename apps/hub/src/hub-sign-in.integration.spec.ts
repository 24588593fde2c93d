/**
 * Goal: a hub with the embedded provider lets people and scripts in, and keeps who it knows over a
 * restart; what is not safe does not start.
 * Method: a whole hub with the real provider; a browser's steps and a client's by hand over HTTP.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { auditRecordSchema, sessionSchema } from '@aifi/contracts-rest';
import { removeServerFolder } from '@aifi/hub-database';
import { silentLogger } from '@aifi/shared-observability';
import { freePorts, temporaryFolder } from '@aifi/shared-testing';
import { hubSettings, makeCertificates, makeModel } from '../test/hub-fixtures.js';
import { hubConfigSchema, type HubConfig } from './hub-config.js';
import { startHub, type RunningHub } from './hub.js';

const folder = temporaryFolder('hub-sign-in');
const SECRET = 'a secret of the scripts, long enough';
let config: HubConfig;
let sut: RunningHub;
let providerPort: number;

beforeAll(async () => {
  const certificates = makeCertificates(join(folder.path, 'certs'), ['site-a']);
  const model = await makeModel(join(folder.path, 'models'));
  const [httpPort, port] = (await freePorts(2)) as [number, number];
  providerPort = port;
  const automationSecretFile = join(folder.path, 'automation.txt');
  writeFileSync(automationSecretFile, `${SECRET}\n`);
  const automationRoles = ['auditor'];
  const consoleFolder = join(folder.path, 'pages');
  mkdirSync(consoleFolder);
  writeFileSync(join(consoleFolder, 'index.html'), '<title nonce="__CSP_NONCE__">hub</title>');
  config = hubConfigSchema.parse({
    ...hubSettings(folder.path, certificates, model, ['site-a']),
    http: { port: httpPort },
    ...{ publicUrl: `http://localhost:${httpPort}`, workerUrl: 'http://127.0.0.1:9' },
    signIn: { kind: 'embedded', listen: { port }, automationSecretFile, automationRoles },
    consoleFolder,
  });
  sut = await startHub(config, silentLogger);
}, 180_000);
afterAll(async () => {
  await sut?.stop();
  if (config) await removeServerFolder(config.dataFolder);
  folder.remove();
}, 60_000);

const get = (path: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(config.publicUrl + path, { redirect: 'manual', headers });

async function tokenOfScripts(): Promise<string> {
  const issuer = `http://localhost:${providerPort}`;
  const metadata = (await (await fetch(`${issuer}/.well-known/openid-configuration`)).json()) as {
    token_endpoint: string;
  };
  const answer = await fetch(metadata.token_endpoint, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(`automation:${encodeURIComponent(SECRET)}`)}` },
    body: new URLSearchParams({ grant_type: 'client_credentials', resource: config.publicUrl }),
  });
  const { access_token: token } = (await answer.json()) as { access_token: string };
  return token;
}

describe('a browser', () => {
  it('is sent to the provider with a code challenge, and back to this page only', async () => {
    expect(sut.providerPort).toBe(providerPort);
    const response = await get('/auth/sign-in?returnTo=/studies');
    expect(response.status).toBe(303);
    const location = new URL(response.headers.get('location')!);
    expect(location.origin).toBe(`http://localhost:${providerPort}`);
    expect(Object.fromEntries(location.searchParams)).toMatchObject({
      ...{ response_type: 'code', code_challenge_method: 'S256', client_id: 'aifi-pages' },
      redirect_uri: `${config.publicUrl}/auth/callback`,
    });
    expect(response.headers.get('set-cookie')).toMatch(/^__Host-[^;]+; .*HttpOnly.*/);
    const page = await fetch(location, { redirect: 'manual' });
    expect([200, 302, 303]).toContain(page.status);
  });
  it('that comes back with an answer to somebody else is refused, and that is recorded', async () => {
    expect((await get('/auth/callback?code=x&state=y')).status).toBe(401);
    const authorization = `Bearer ${await tokenOfScripts()}`;
    const path = '/api/v1/audit?act=session.start&outcome=refused';
    const { items } = (await (await get(path, { authorization })).json()) as { items: unknown[] };
    expect(items.map((item) => auditRecordSchema.parse(item))).toMatchObject([
      { userKind: 'anonymous', code: 'UNAUTHENTICATED', chain: 'hub:*' },
    ]);
    expect((await get('/api/v1/session')).status).toBe(401);
  });
  it('gets the page at any address that is no interface, with a nonce of its own', async () => {
    const [first, second] = [await get('/studies/1'), await get('/')];
    expect(first.headers.get('content-type')).toContain('text/html');
    const [a, b] = [await first.text(), await second.text()];
    expect(a).not.toBe(b);
    const nonce = /nonce="([\w-]{20,})"/.exec(a)?.[1];
    expect(first.headers.get('content-security-policy')).toContain(`'nonce-${nonce}'`);
    expect((await get('/api/v1/nothing')).headers.get('content-type')).toContain('problem');
  });
});

describe('a script', () => {
  it('has the roles and sites of its client, and no dangerous act', async () => {
    const authorization = `Bearer ${await tokenOfScripts()}`;
    const session = sessionSchema.parse(
      await (await get('/api/v1/session', { authorization })).json(),
    );
    expect(session).toMatchObject({ roles: ['auditor'], siteIds: ['site-a'], server: 'hub' });
    expect(session.steppedUpUntilMs).toBeNull();
    expect((await get('/api/v1/audit', { authorization })).status).toBe(200);
    const dangerous = await get('/api/v1/audit/export', { authorization });
    expect(await dangerous.json()).toMatchObject({ status: 401, code: 'STEP_UP_REQUIRED' });
    expect((await get('/api/v1/audit')).status).toBe(401);
  });
  it.each(['x', 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJyb290In0.', `${'a'.repeat(9_000)}`])(
    'with a token of somebody else is nobody: %#',
    async (token) => {
      const response = await get('/api/v1/status', { authorization: `Bearer ${token}` });
      expect(response.status).toBe(401);
      expect(response.headers.get('www-authenticate')).toContain('resource_metadata=');
    },
  );
});

describe('the provider', () => {
  it('is named to clients that ask', async () => {
    const path = '/.well-known/oauth-protected-resource';
    await expect((await get(path)).json()).resolves.toMatchObject({
      ...{ resource: config.publicUrl },
      authorization_servers: [`http://localhost:${providerPort}`],
    });
  });
  it('and the session key stay the same over a restart, for this user only', async () => {
    const key = join(config.dataFolder, 'session-key.txt');
    const before = readFileSync(key, 'utf8');
    const token = await tokenOfScripts();
    // An open page must not keep the hub from stopping.
    const stream = await get('/api/v1/events', { authorization: `Bearer ${token}` });
    const ended = stream.text().then(
      () => 'ended',
      () => 'ended',
    );
    await sut.stop();
    await expect(ended).resolves.toBe('ended');
    sut = await startHub(config, silentLogger);
    expect(readFileSync(key, 'utf8')).toBe(before);
    expect(statSync(key).mode & 0o777).toBe(0o600);
    const answer = await get('/api/v1/status', { authorization: `Bearer ${token}` });
    expect(answer.status).toBe(200);
  }, 60_000);
});
