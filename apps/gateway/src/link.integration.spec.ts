/**
 * Goal: a gateway that has not joined starts, listens and says so; hospital IT joins it from its
 * own interface with a fresh sign-in; what failed is on record and names no token.
 * Method: a whole gateway with the embedded provider, and a hub of a test over real TLS.
 */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DEMO_PASSWORD } from '@aifi/access-embedded-provider';
import { gatewayLinkSchema, problemSchema, sessionSchema } from '@aifi/contracts-rest';
import { silentLogger } from '@aifi/shared-observability';
import { freePorts, PageVisitor, temporaryFolder } from '@aifi/shared-testing';
import { TestHub } from '@aifi/gateway-link/testing';
import { gatewayConfigSchema, type GatewayConfig } from './gateway-config.js';
import { startGateway, type RunningGateway } from './gateway.js';

const folder = temporaryFolder('gateway-link');
const visitor = new PageVisitor();
let hub: TestHub;
let config: GatewayConfig;
let sut: RunningGateway;

beforeAll(async () => {
  hub = await TestHub.start();
  const [httpPort, port, nobody] = await freePorts(3);
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
    hub: { address: hub.address },
    consoleFolder: folder.path,
  });
  sut = await startGateway(config, silentLogger);
  const account = { name: 'hospital-it.site-a', password: DEMO_PASSWORD };
  await visitor.signIn(`${config.publicUrl}/auth/sign-in`, account);
}, 60_000);
afterAll(async () => {
  await sut?.stop();
  await hub?.stop();
  folder.remove();
}, 60_000);

const linkNow = async () =>
  gatewayLinkSchema.parse(await (await visitor.fetch(`${config.publicUrl}/api/v1/link`)).json());
async function joinWith(token: string): Promise<Response> {
  const session = await visitor.fetch(`${config.publicUrl}/api/v1/session`);
  const { csrfToken } = sessionSchema.parse(await session.json());
  return visitor.fetch(`${config.publicUrl}/api/v1/link/join`, {
    method: 'POST',
    headers: {
      ...{ 'content-type': 'application/json', 'x-csrf-token': csrfToken },
      'idempotency-key': randomUUID(),
    },
    body: JSON.stringify({ token }),
  });
}

it('a gateway that has not joined listens, and says that it has not', async () => {
  expect(sut.dicomPort).toBeGreaterThan(0);
  expect(await linkNow()).toMatchObject({ mode: 'not-joined', state: 'down', certificate: null });
  const metrics = await (await fetch(`${config.publicUrl}/metrics`)).text();
  expect(metrics).not.toMatch(/^aifi_gateway_certificate_days_left/m);
  expect(metrics).toMatch(/^aifi_gateway_link_inspected(\{.*\})? 0$/m);
});

it('joining needs a fresh sign-in, a good token, and then goes through without a restart', async () => {
  const token = await hub.token();
  expect((await joinWith(token)).status).toBe(401);
  const account = { name: 'hospital-it.site-a', password: DEMO_PASSWORD };
  await visitor.signIn(`${config.publicUrl}/auth/step-up`, account);
  const wrong = await joinWith('aifi-join.bm90LWEtdG9rZW4');
  expect(problemSchema.parse(await wrong.json())).toMatchObject({ code: 'JOIN_TOKEN_INVALID' });
  const joined = await joinWith(token);
  expect(joined.status).toBe(200);
  expect(await linkNow()).toMatchObject({
    ...{ mode: 'joined', certificate: { daysLeft: 89, alarm: 'none' }, finding: null },
  });
  const metrics = await (await fetch(`${config.publicUrl}/metrics`)).text();
  expect(metrics).toMatch(/^aifi_gateway_certificate_days_left(\{.*\})? 89$/m);
  const again = await joinWith(token);
  expect(problemSchema.parse(await again.json())).toMatchObject({ code: 'JOIN_REFUSED' });
  expect((await linkNow()).mode).toBe('joined');
}, 30_000);

it('no file of the gateway has the token in it', async () => {
  const token = await hub.token();
  const secret = Buffer.from('a-secret-of-one-token');
  const paths = readdirSync(config.dataFolder, { recursive: true, encoding: 'utf8' });
  const files = paths.map((name) => join(config.dataFolder, name));
  const plain = files.filter((path) => statSync(path).isFile() && statSync(path).size < 1024 ** 2);
  expect(plain.length).toBeGreaterThan(5);
  for (const path of plain) {
    const bytes = readFileSync(path);
    expect([path, bytes.includes(token), bytes.includes(secret)]).toEqual([path, false, false]);
  }
});
