/**
 * Goal: a hub that is told to stop loses nothing that is under way, and its gateways hear of it
 * before the connection ends. Method: the whole hub with the embedded PostgreSQL, an upload stream
 * over real mutual TLS with an object in hand, stopped and started again.
 */
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { uplink } from '@aifi/contracts-proto';
import { removeServerFolder } from '@aifi/hub-database';
import { silentLogger } from '@aifi/shared-observability';
import { temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import { GatewayStandIn, partsOf } from '../test/gateway-stand-in.js';
import {
  hubSettings,
  makeCertificates,
  makeModel,
  type Certificates,
} from '../test/hub-fixtures.js';
import { openRoleSignIn } from '../test/role-sign-in.js';
import { hubConfigSchema, type HubConfig } from './hub-config.js';
import { startHub, type RunningHub } from './hub.js';

let folder: TemporaryFolder;
let certificates: Certificates;
let config: HubConfig;
let model: Awaited<ReturnType<typeof makeModel>>;
let sut: RunningHub;
let gateway: GatewayStandIn;

beforeAll(async () => {
  folder = temporaryFolder('hub-drain');
  certificates = makeCertificates(join(folder.path, 'certs'), ['site-a']);
  model = await makeModel(join(folder.path, 'models'));
  const settings = hubSettings(folder.path, certificates, model, ['site-a']);
  config = hubConfigSchema.parse({ ...settings, workerUrl: 'http://127.0.0.1:9' });
  await start();
}, 180_000);

afterAll(async () => {
  gateway?.close();
  await sut?.stop();
  await removeServerFolder(config.dataFolder);
  folder.remove();
}, 60_000);

async function start(): Promise<void> {
  sut = await startHub(config, silentLogger, openRoleSignIn);
  gateway = new GatewayStandIn(sut.linkPort!, certificates.sites['site-a']!);
}

it('lets the object in hand come to its end, and says when to come again', async () => {
  const study = await gateway.study(model);
  await gateway.open(study);
  const parts = partsOf(study, 0, study.files[0]!);
  const call = gateway.uplink.putObjects();
  const heard: string[] = [];
  const ended = new Promise((resolve) => call.on('end', resolve).on('error', resolve));
  const drained = new Promise<number>((resolve) =>
    call.on('data', ({ part }: uplink.PutObjectsResponse) => {
      if (part) heard.push(part.$case);
      if (part?.$case === 'drain') resolve(part.value.retryAfterMs);
    }),
  );
  for (const part of parts.slice(0, 2)) call.write(part);
  // On the same connection: when this is answered, the stream is being served.
  await gateway.rules();
  const stopped = sut.stop();
  expect(await drained).toBeGreaterThan(0);
  for (const part of parts.slice(2)) call.write(part);
  call.end();
  await ended;
  expect(heard).toEqual(['drain', 'ack']);
  gateway.close();
  await stopped;
  await start();
  const { heldSha256 } = await gateway.open(study);
  expect(heldSha256).toEqual([study.manifest.objects[0]!.sha256]);
}, 120_000);
