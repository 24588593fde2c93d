/**
 * Goal: settings that hospital IT applies on the page are in force after the gateway started anew
 * by itself, the session of the page goes on, and they can be undone; what the configuration does
 * not allow is refused, and the checks ask the PACS that is meant.
 * Method: a whole gateway with the embedded provider, whose hub and PACS are addresses where nobody
 * listens; a browser's steps by hand over HTTP.
 */
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DEMO_PASSWORD } from '@aifi/access-embedded-provider';
import {
  gatewayRoutes,
  sessionSchema,
  type ProbeView,
  type SetupPacs,
  type SetupView,
} from '@aifi/contracts-rest';
import { DimseScu } from '@aifi/dicom-dimse';
import { systemClock } from '@aifi/shared-kernel';
import { silentLogger } from '@aifi/shared-observability';
import { freePorts, PageVisitor, temporaryFolder } from '@aifi/shared-testing';
import { gatewayConfigSchema, type GatewayConfig } from './gateway-config.js';
import { GatewayProcess } from './gateway-process.js';

const CERTIFICATES = join(import.meta.dirname, '../../../deploy/certs/make-certs.mjs');
const folder = temporaryFolder('gateway-process');
const visitor = new PageVisitor();
let config: GatewayConfig;
let sut: GatewayProcess;

beforeAll(async () => {
  const into = join(folder.path, 'certs');
  const printed = execFileSync(process.execPath, [CERTIFICATES, into, 'site-a']);
  const certificates = JSON.parse(printed.toString()) as {
    sites: Record<string, { caFile: string; certificateFile: string; keyFile: string }>;
    signingPublicKeyFile: string;
  };
  const [httpPort, port, nobody] = await freePorts(3);
  const { signingPublicKeyFile } = certificates;
  config = gatewayConfigSchema.parse({
    ...{ siteId: 'site-a', purpose: 'demonstration', dataFolder: join(folder.path, 'data') },
    ...{ http: { port: httpPort }, publicUrl: `http://localhost:${httpPort}` },
    signIn: { kind: 'embedded', listen: { port } },
    dicom: {
      ...{ port: 0, aeTitle: 'AIFI' },
      callers: [{ aeTitle: 'PACS', host: '127.0.0.1', plain: true }],
    },
    pacs: { host: '127.0.0.1', port: nobody, calledAeTitle: 'PACS', callingAeTitle: 'AIFI' },
    disk: { reserveBytes: 1024 ** 2 },
    hub: { address: `localhost:${nobody}`, signingPublicKeyFile, ...certificates.sites['site-a']! },
    consoleFolder: folder.path,
  });
  sut = await GatewayProcess.start(config, silentLogger);
  const account = { name: 'hospital-it.site-a', password: DEMO_PASSWORD };
  await visitor.signIn(`${config.publicUrl}/auth/sign-in`, account);
  await visitor.signIn(`${config.publicUrl}/auth/step-up`, account);
}, 60_000);
afterAll(async () => {
  await sut?.stop();
  folder.remove();
}, 60_000);

const get = (path: string): Promise<Response> => visitor.fetch(config.publicUrl + path);
async function post(path: string, body: object): Promise<Response> {
  const session = sessionSchema.parse(await (await get('/api/v1/session')).json());
  const headers = {
    ...{ 'content-type': 'application/json', 'idempotency-key': randomUUID() },
    'x-csrf-token': session.csrfToken ?? '',
  };
  const init = { method: 'POST', headers, body: JSON.stringify(body) };
  return visitor.fetch(config.publicUrl + path, init);
}
async function view(): Promise<SetupView> {
  return gatewayRoutes.setup.response.parse(await (await get('/api/v1/setup')).json());
}
/** Looks until it holds; Jest's own limit ends a wait for what never comes. */
async function whenever(holds: (view: SetupView) => boolean): Promise<SetupView> {
  for (;;) {
    const now = await view().catch(() => undefined);
    if (now && holds(now)) return now;
    await sleep(50);
  }
}
const settled = ({ overlay, isChecking }: SetupView): boolean =>
  !overlay.isRestarting && !isChecking;

describe('settings of the page', () => {
  const other: SetupPacs = {
    ...{ host: '127.0.0.1', port: 1, calledAeTitle: 'ARCHIVE', callingAeTitle: 'AIFI_NEW' },
    commitment: false,
  };

  it('are planned first, and what the configuration does not allow is refused', async () => {
    const settings = { pacs: { ...other, commitment: true } };
    const plan = await (await post('/api/v1/setup/plan', { settings })).json();
    expect(plan).toMatchObject({ changes: [], problems: [{ setting: 'pacs.commitment' }] });
    expect((await post('/api/v1/setup/settings', { settings })).status).toBe(400);
    expect((await view()).overlay).toMatchObject({ current: null, isRestarting: false });
  });
  it('are in force after the gateway has started anew, in the same session', async () => {
    const before = (await view()).pacs;
    const answer = await post('/api/v1/setup/settings', { settings: { pacs: other } });
    expect(answer.status).toBe(200);
    expect(gatewayRoutes.applySetup.response.parse(await answer.json()).overlay.isRestarting).toBe(
      true,
    );
    const after = await whenever((now) => settled(now) && now.pacs.calledAeTitle === 'ARCHIVE');
    expect(after.pacs).toEqual(other);
    expect(after.overlay).toMatchObject({ current: { pacs: other }, canUndo: true });
    expect((await post('/api/v1/setup/settings/undo', {})).status).toBe(200);
    const undone = await whenever((now) => settled(now) && now.pacs.calledAeTitle === 'PACS');
    expect(undone.pacs).toEqual(before);
    expect(undone.overlay.current).toBeNull();
  }, 60_000);
  it('outlive the process', async () => {
    await post('/api/v1/setup/settings', { settings: { pacs: other } });
    await whenever((now) => settled(now) && now.pacs.calledAeTitle === 'ARCHIVE');
    await sut.stop();
    sut = await GatewayProcess.start(config, silentLogger);
    expect((await view()).pacs).toEqual(other);
  }, 60_000);
});

describe('trying it out', () => {
  it('the checks ask the PACS that is meant, and what they found stays', async () => {
    const [port] = await freePorts(1);
    const pacs = { host: '127.0.0.1', port, calledAeTitle: 'NEW', callingAeTitle: 'AIFI' };
    const body = { checks: ['echo', 'inbound'], pacs: { ...pacs, commitment: false } };
    expect((await post('/api/v1/setup/checks', body)).status).toBe(200);
    const { checks } = await whenever((now) => settled(now) && now.checks[0]?.atMs !== null);
    expect(checks[0]).toMatchObject({
      ...{ name: 'echo', state: 'failed', target: `NEW@127.0.0.1:${port}` },
      findings: [{ code: 'PORT_CLOSED', facts: { port: String(port) } }],
    });
    expect(checks[4]).toMatchObject({ name: 'inbound', state: 'waiting' });
  });
  it('a C-ECHO of the PACS shows that it reaches the gateway', async () => {
    const titles = { calledAeTitle: 'AIFI', callingAeTitle: 'PACS' };
    const peer = { host: '127.0.0.1', port: sut.dicomPort, ...titles, clock: systemClock };
    await new DimseScu(peer).echo();
    const pacs = { host: '127.0.0.1', port: 1, calledAeTitle: 'PACS', callingAeTitle: 'AIFI' };
    const body = { checks: ['inbound'], pacs: { ...pacs, commitment: false } };
    await post('/api/v1/setup/checks', body);
    const { checks } = await whenever(
      (now) => settled(now) && now.checks[4]?.target === 'PACS@127.0.0.1:1',
    );
    expect(checks[4]).toMatchObject({ state: 'passed', findings: [] });
  });
  it('the probe names the step that failed, and the metrics say so', async () => {
    const run = await post('/api/v1/probe/runs', {});
    const { runs } = (await run.json()) as ProbeView;
    // Its own listener is well; nobody sent rules yet.
    expect(runs[0]).toMatchObject({ failedAt: 'rules', code: 'NOT_FOUND' });
    const metrics = await (await get('/metrics')).text();
    expect(metrics).toMatch(/^aifi_probe_success\{.*\} 0$/m);
    expect(metrics).toMatch(/^aifi_probe_failed_step\{.*\} 2$/m);
  });
  it('a look at our own listener is counted as nobody refused', async () => {
    const status = (await (await get('/api/v1/status')).json()) as { refusals: unknown[] };
    expect(status.refusals).toEqual([]);
  });
});
