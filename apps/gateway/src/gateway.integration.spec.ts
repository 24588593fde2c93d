/**
 * Goal: people sign in at their gateway and work with it while the hub is away, and whoever signed
 * in stays signed in over a restart. Method: a whole gateway with the embedded provider, whose hub
 * is an address where nobody listens; a browser's steps and a script's token by hand over HTTP.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { DEMO_PASSWORD } from '@aifi/access-embedded-provider';
import { verifyChain } from '@aifi/access-audit';
import {
  auditRecordSchema,
  gatewayRoutes,
  gatewayStatusSchema,
  sessionSchema,
} from '@aifi/contracts-rest';
import { systemClock } from '@aifi/shared-kernel';
import { silentLogger } from '@aifi/shared-observability';
import { freePorts, PageVisitor, temporaryFolder } from '@aifi/shared-testing';
import { gatewayConfigSchema, type GatewayConfig } from './gateway-config.js';
import { startGateway, type RunningGateway } from './gateway.js';
import { runMaintenance } from './maintenance.js';

const CERTIFICATES = join(import.meta.dirname, '../../../deploy/certs/make-certs.mjs');
const SECRET = 'a secret of the scripts, long enough';

const folder = temporaryFolder('gateway');
let config: GatewayConfig;
let sut: RunningGateway;
let issuer: string;

beforeAll(async () => {
  const into = join(folder.path, 'certs');
  const printed = execFileSync(process.execPath, [CERTIFICATES, into, 'site-a']);
  const certificates = JSON.parse(printed.toString()) as {
    sites: Record<string, { caFile: string; certificateFile: string; keyFile: string }>;
    signingPublicKeyFile: string;
  };
  const [httpPort, port, nobody] = await freePorts(3);
  issuer = `http://localhost:${port}`;
  const automationSecretFile = join(folder.path, 'automation.txt');
  writeFileSync(automationSecretFile, `${SECRET}\n`, { mode: 0o600 });
  const { signingPublicKeyFile } = certificates;
  config = gatewayConfigSchema.parse({
    ...{ siteId: 'site-a', purpose: 'demonstration', dataFolder: join(folder.path, 'data') },
    ...{ http: { port: httpPort }, publicUrl: `http://localhost:${httpPort}` },
    signIn: { kind: 'embedded', listen: { port }, automationSecretFile },
    dicom: {
      ...{ port: 0, aeTitle: 'AIFI' },
      callers: [{ aeTitle: 'PACS', host: '127.0.0.1', plain: true }],
    },
    pacs: { host: '127.0.0.1', port: nobody, calledAeTitle: 'PACS', callingAeTitle: 'AIFI' },
    disk: { reserveBytes: 1024 ** 2 },
    hub: { address: `localhost:${nobody}`, signingPublicKeyFile, ...certificates.sites['site-a']! },
    consoleFolder: folder.path,
  });
  sut = await startGateway(config, silentLogger);
}, 60_000);
afterAll(async () => {
  await sut?.stop();
  folder.remove();
}, 60_000);

const get = (path: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(config.publicUrl + path, { headers });
async function tokenOfScripts(): Promise<string> {
  const answer = await fetch(`${issuer}/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(`automation:${encodeURIComponent(SECRET)}`)}` },
    body: new URLSearchParams({ grant_type: 'client_credentials', resource: config.publicUrl }),
  });
  expect(answer.status).toBe(200);
  return ((await answer.json()) as { access_token: string }).access_token;
}

const visitor = new PageVisitor();
const asVisitor = (path: string, init: RequestInit = {}): Promise<Response> =>
  visitor.fetch(config.publicUrl + path, init);
const sessionOf = async (response: Response) => sessionSchema.parse(await response.json());
const account = (role: string) => ({ name: `${role}.site-a`, password: DEMO_PASSWORD });

describe('while the hub is away', () => {
  it('a radiologist signs in and sees the studies', async () => {
    const start = `${config.publicUrl}/auth/sign-in?returnTo=/studies`;
    const arrived = await visitor.signIn(start, account('radiologist'));
    expect(arrived.href).toBe(`${config.publicUrl}/studies`);
    const session = await sessionOf(await asVisitor('/api/v1/session'));
    expect(session).toMatchObject({
      ...{ roles: ['radiologist'], siteIds: ['site-a'], server: 'gateway' },
    });
    const studies = await (await asVisitor('/api/v1/studies')).json();
    expect(gatewayRoutes.listStudies.response.parse(studies).items).toEqual([]);
    expect((await asVisitor('/api/v1/status')).status).toBe(403);
  });
  it('a script of the hospital reads the status, which says that the hub is away', async () => {
    const authorization = `Bearer ${await tokenOfScripts()}`;
    const response = await get('/api/v1/status', { authorization });
    const status = gatewayStatusSchema.parse(await response.json());
    expect(status).toMatchObject({ siteId: 'site-a', rules: null });
    expect(status.link).not.toBe('up');
    expect((await get('/api/v1/status')).status).toBe(401);
  });
  it('a dangerous act asks for a fresh sign-in, which the provider gives', async () => {
    const officer = new PageVisitor();
    const at = config.publicUrl;
    await officer.signIn(`${at}/auth/sign-in`, account('privacy-officer'));
    const exportAudit = (): Promise<Response> => officer.fetch(`${at}/api/v1/audit/export`);
    expect((await exportAudit()).status).toBe(401);
    await officer.signIn(`${at}/auth/step-up`, account('privacy-officer'));
    const response = await exportAudit();
    expect(response.status).toBe(200);
    const lines = (await response.text()).trim().split('\n');
    const records = lines.map((line) => auditRecordSchema.parse(JSON.parse(line)));
    expect(await verifyChain(records)).toMatchObject({ ok: true });
    expect(records.map(({ act }) => act)).toEqual(
      expect.arrayContaining(['session.start', 'session.step-up', 'hospital-study-list.read']),
    );
  });
});

it('keys and databases are for this user only', () => {
  const files = ['access.db', 'vault.db', 'keys/audit-key.pem', 'keys/session.key'];
  for (const file of files) {
    expect([file, statSync(join(config.dataFolder, file)).mode & 0o077]).toEqual([file, 0]);
  }
});

it('a backup beside a running gateway comes into its audit trail', async () => {
  const backups = join(folder.path, 'backups');
  mkdirSync(backups);
  const args = ['vault', 'backup', '--to', backups];
  await runMaintenance({ args, config, clock: systemClock, out: () => undefined });
  const trail = new DatabaseSync(join(config.dataFolder, 'access.db'), { readOnly: true });
  const found = trail.prepare("SELECT user_id FROM audit_record WHERE act = 'vault.back-up'");
  // Jest's own limit ends a wait for what never comes.
  while (found.get() === undefined) await sleep(50);
  expect(found.all()).toEqual([{ user_id: expect.stringMatching(/^machine:/) }]);
  trail.close();
}, 30_000);

it('a session outlives a restart, an open page does not keep the gateway from stopping', async () => {
  const page = await asVisitor('/api/v1/events');
  expect(page.status).toBe(200);
  const ended = page.text().catch(() => 'cut');
  await sut.stop();
  await ended;
  sut = await startGateway(config, silentLogger);
  const session = await sessionOf(await asVisitor('/api/v1/session'));
  expect(session.roles).toEqual(['radiologist']);
  const headers = { 'x-csrf-token': session.csrfToken };
  expect((await asVisitor('/auth/sign-out', { method: 'POST' })).status).toBe(403);
  expect((await asVisitor('/auth/sign-out', { method: 'POST', headers })).status).toBe(200);
  expect((await asVisitor('/api/v1/session')).status).toBe(401);
});
