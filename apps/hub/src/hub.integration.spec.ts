/**
 * Goal: the hub takes studies of the right site only, and gives each an outcome exactly where it
 * belongs. Method: the whole hub in this process with the embedded PostgreSQL, real gRPC over
 * mutual TLS, a stand-in for gateways and one for the worker.
 */
import { createPublicKey } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  decodeManifest,
  outcomeManifestSchema,
  routingRulesSchema,
  verifyManifest,
  type ModelManifest,
  type OutcomeManifest,
} from '@aifi/contracts-manifests';
import {
  hubJobsSchema,
  hubRoutes,
  hubStatusSchema,
  modelsSchema,
  problemSchema,
  sitesSchema,
  type HubStudy,
} from '@aifi/contracts-rest';
import { decodePart10 } from '@aifi/dicom-core';
import { removeServerFolder } from '@aifi/hub-database';
import { objectsDigest, sha256Hex } from '@aifi/shared-kernel';
import { silentLogger } from '@aifi/shared-observability';
import { temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import {
  GatewayStandIn,
  partsOf,
  testStudy,
  type ReceivedOutcome,
  type TestStudy,
} from '../test/gateway-stand-in.js';
import {
  hubSettings,
  makeCertificates,
  makeModel,
  type Certificates,
} from '../test/hub-fixtures.js';
import { openRoleSignIn } from '../test/role-sign-in.js';
import { WorkerStandIn } from '../test/worker-stand-in.js';
import { hubConfigSchema, type HubConfig } from './hub-config.js';
import { startHub, type RunningHub } from './hub.js';

let folder: TemporaryFolder;
let certificates: Certificates;
let worker: WorkerStandIn;
let model: ModelManifest;
let config: HubConfig;
let sut: RunningHub;
let siteA: GatewayStandIn;
let siteB: GatewayStandIn;

beforeAll(async () => {
  folder = temporaryFolder('hub');
  certificates = makeCertificates(join(folder.path, 'certs'), ['site-a', 'site-b', 'site-c']);
  worker = new WorkerStandIn();
  model = await makeModel(join(folder.path, 'models'));
  const settings = hubSettings(folder.path, certificates, model, ['site-a', 'site-b']);
  config = hubConfigSchema.parse({ ...settings, workerUrl: await worker.start() });
  await start();
}, 180_000);

afterAll(async () => {
  siteA?.close();
  siteB?.close();
  await sut?.stop();
  worker?.stop();
  await removeServerFolder(config.dataFolder);
  folder.remove();
}, 60_000);

beforeEach(() => {
  worker.behaviour = 'answer';
});

async function start(): Promise<void> {
  sut = await startHub(config, silentLogger, openRoleSignIn);
  siteA = new GatewayStandIn(sut.linkPort!, certificates.sites['site-a']!);
  siteB = new GatewayStandIn(sut.linkPort!, certificates.sites['site-b']!);
}

/** The next outcome of this gateway, acknowledged: it must be the one of this study. */
async function outcomeOf(gateway: GatewayStandIn, study: TestStudy): Promise<OutcomeManifest> {
  const [outcome] = await gateway.pull(1, () => true);
  const manifest = verified(outcome!);
  expect(manifest.jobId).toBe(study.manifest.jobId);
  expect(Buffer.from(outcome!.header.envelope)).toEqual(study.envelope);
  return manifest;
}

function verified({ header }: ReceivedOutcome): OutcomeManifest {
  const key = createPublicKey(readFileSync(certificates.signingPublicKeyFile));
  verifyManifest(header.manifest, header.signature, key);
  return decodeManifest(outcomeManifestSchema, header.manifest);
}

const status = (code: number): unknown => expect.objectContaining({ code });

/** What the hub holds of a study that it has not seen. */
const NOTHING = { heldSha256: [], stored: false, partial: [] };

describe('uplink', () => {
  it('refuses a peer without a certificate', async () => {
    const { caFile } = certificates.hub;
    const stranger = new GatewayStandIn(sut.linkPort!, { caFile });
    await expect(stranger.open(testStudy(model))).rejects.toEqual(status(14));
    stranger.close();
  });

  it('refuses a site that is not enrolled', async () => {
    const unknown = new GatewayStandIn(sut.linkPort!, certificates.sites['site-c']!);
    // Let in by no record: the front answers each call, no service is reached.
    await expect(unknown.open(testStudy(model))).rejects.toEqual(status(16));
    await expect(unknown.rules()).rejects.toEqual(status(16));
    unknown.close();
  });

  it('refuses a study that other rules than the newest have selected, with a code', async () => {
    const study = await siteA.study(model, { ruleSetSha256: sha256Hex('rules of long ago') });
    const refused = await siteA.open(study).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 9, details: 'RULES_OUTDATED' });
  });

  it('refuses other bytes under the same job and manifests that do not fit', async () => {
    const study = await siteA.study(model);
    await siteA.open(study);
    const changed = { ...study, envelope: Buffer.from('other') };
    await expect(siteA.open(changed)).rejects.toEqual(status(9));
    const lie = { ...study, manifest: { ...study.manifest, revision: 2 } };
    await expect(siteA.open(lie)).rejects.toEqual(status(3));
    const broken = { ...study, manifestBytes: Buffer.from('{}') };
    await expect(siteA.open(broken)).rejects.toEqual(status(3));
  });

  it('refuses bytes that are not those declared, and keeps nothing of them', async () => {
    const study = await siteA.study(model);
    await siteA.open(study);
    const [file] = study.files as [Buffer];
    const flipped = Buffer.from(file);
    flipped[1000]! ^= 1;
    await expect(siteA.put(partsOf(study, 0, flipped))).rejects.toEqual(status(15));
    const longer = Buffer.concat([file, Buffer.alloc(10)]);
    await expect(siteA.put(partsOf(study, 0, longer))).rejects.toEqual(status(3));
    const shorter = partsOf(study, 0, file.subarray(0, 1000));
    await expect(siteA.put(shorter)).rejects.toEqual(status(3));
    const headless = partsOf(study, 0, file).slice(1);
    await expect(siteA.put(headless)).rejects.toEqual(status(3));
    const huge = Buffer.alloc(256 * 1024 + 1);
    const oversized = [
      partsOf(study, 0, file)[0]!,
      { part: { $case: 'chunk', value: huge } as const },
    ];
    await expect(siteA.put(oversized)).rejects.toEqual(status(8));
    await expect(siteA.open(study)).resolves.toEqual(NOTHING);
    await expect(siteA.closeStudy(study)).rejects.toEqual(status(9));
    expect(readdirSync(join(config.dataFolder, 'objects/site-a/incoming'))).toEqual([]);
  });

  it('shows and gives nothing of a job to another site', async () => {
    const study = await siteA.study(model);
    await siteA.open(study);
    await siteA.put(partsOf(study, 0, study.files[0]!));
    await expect(siteB.closeStudy(study)).rejects.toEqual(status(5));
    await expect(siteB.put(partsOf(study, 1, study.files[1]!))).rejects.toEqual(status(5));
    // The same ids and objects are a new job there, of which the hub holds nothing.
    const { ruleSetSha256 } = (await siteB.study(model)).manifest;
    const ofB = testStudy(model, { ...study.manifest, ruleSetSha256 });
    await expect(siteB.open(ofB)).resolves.toEqual(NOTHING);
  });
});

describe('limits', () => {
  it('takes four upload streams of a site and refuses a fifth', async () => {
    const calls = Array.from({ length: 5 }, () => siteB.uplink.putObjects());
    const ends = calls.map(
      (call) => new Promise((resolve) => call.on('error', resolve).on('end', resolve).resume()),
    );
    await expect(Promise.race(ends)).resolves.toEqual(status(8));
    for (const call of calls) call.cancel();
    await Promise.all(ends);
  });
});

describe('rules', () => {
  it('are signed, name the deployed product, and are not sent twice', async () => {
    const { rules, signature } = await siteA.rules();
    const key = createPublicKey(readFileSync(certificates.signingPublicKeyFile));
    verifyManifest(rules, signature, key);
    const { products, sequence, purpose } = decodeManifest(routingRulesSchema, rules);
    expect({ sequence, purpose }).toEqual({ sequence: 1, purpose: 'demonstration' });
    expect(products).toEqual([expect.objectContaining({ product: 'stand-in', state: 'active' })]);
    const again = await siteA.rules(sha256Hex(rules));
    expect(again.rules).toHaveLength(0);
  });
});

describe('the loop', () => {
  it('returns a signed result to the site that sent the study, until acknowledged', async () => {
    const study = await siteA.study(model);
    await siteA.send(study);
    const [first] = await siteA.pull(1, () => false);
    const [second] = await siteA.pull(1, () => true);
    expect(second).toEqual(first);
    const manifest = verified(second!);
    expect(manifest).toMatchObject({ jobId: study.manifest.jobId, outcome: 'RESULT', issue: 0 });
    expect(Buffer.from(second!.header.envelope)).toEqual(study.envelope);
    let offset = 0;
    for (const object of manifest.objects) {
      const bytes = second!.bytes.subarray(offset, (offset += object.sizeBytes));
      expect(sha256Hex(bytes)).toBe(object.sha256);
      const { dataset } = decodePart10(bytes);
      expect(dataset.string('SOPInstanceUID')).toBe(object.sopInstanceUid);
      expect(dataset.string('StudyInstanceUID')).toBe(study.manifest.studyInstanceUid);
    }
    expect(offset).toBe(second!.bytes.length);
    expect(manifest.objects.map((object) => object.role)).toEqual(['SR', 'SC']);
    expect(second!.bytes.includes('1.0')).toBe(true);
    await expect(jobState(study)).resolves.toEqual({ state: 'ACKNOWLEDGED', code: null });
  }, 60_000);

  it("refuses an acknowledgement of another site's outcome", async () => {
    const study = await siteA.study(model);
    await siteA.send(study);
    await siteA.pull(1, () => false);
    const call = siteB.downlink.streamOutcomes();
    const refused = new Promise((resolve) => call.on('error', resolve).resume());
    call.write({ part: { $case: 'cursor', value: { afterSequence: 0, exact: false } } });
    const { jobId, revision } = study.manifest;
    call.write({ part: { $case: 'ack', value: { jobId, revision, issue: 0 } } });
    await expect(refused).resolves.toEqual(status(5));
    await expect(jobState(study)).resolves.toEqual({ state: 'CONCLUDED', code: null });
    await outcomeOf(siteA, study);
  }, 60_000);

  it('answers a repeated upload as it did before, and makes no second outcome', async () => {
    const study = await siteA.study(model);
    await siteA.send(study);
    await outcomeOf(siteA, study);
    await expect(siteA.open(study)).resolves.toMatchObject({ stored: true });
    const acks = await siteA.put(partsOf(study, 0, study.files[0]!));
    expect(acks).toHaveLength(1);
    const ack = { jobId: study.manifest.jobId, manifestSha256: sha256Hex(study.manifestBytes) };
    await expect(siteA.closeStudy(study)).resolves.toEqual({ ack });
    expect(worker.requests.filter((id) => id.startsWith(study.manifest.jobId))).toHaveLength(1);
  }, 60_000);

  it('says NOT_ANALYSED with the code of the closed gate', async () => {
    const product = { id: 'unknown', version: '1.0.0', modelDigest: sha256Hex('unknown') };
    const study = await siteB.study(model, { product });
    await siteB.send(study);
    await expect(outcomeOf(siteB, study)).resolves.toMatchObject({
      outcome: 'NOT_ANALYSED',
      code: 'NOT_DEPLOYED',
    });
  }, 60_000);

  it('ends at once with the code of a worker that refuses the images', async () => {
    worker.behaviour = { code: 'INPUT_INCOMPLETE' };
    const study = await siteA.study(model);
    await siteA.send(study);
    await expect(outcomeOf(siteA, study)).resolves.toMatchObject({ code: 'INPUT_INCOMPLETE' });
    expect(worker.requests.filter((id) => id.startsWith(study.manifest.jobId))).toHaveLength(1);
  }, 60_000);

  it.each(['break off', 'other digest'] as const)(
    'tries three times, then says MODEL_FAILED, when the worker gives: %s',
    async (behaviour) => {
      worker.behaviour = behaviour;
      const study = await siteA.study(model);
      await siteA.send(study);
      await expect(outcomeOf(siteA, study)).resolves.toMatchObject({ code: 'MODEL_FAILED' });
      const { jobId } = study.manifest;
      const tries = worker.requests.filter((id) => id.startsWith(jobId));
      expect(tries).toEqual([`${jobId}-1-1`, `${jobId}-1-2`, `${jobId}-1-3`]);
    },
    60_000,
  );

  it('keeps an outcome over a restart and gives it to its own site only', async () => {
    const study = await siteA.study(model);
    await siteA.send(study);
    await siteA.pull(1, () => false);
    siteA.close();
    siteB.close();
    await sut.stop();
    await start();
    const ofB = await siteB.study(model);
    await siteB.send(ofB);
    await expect(outcomeOf(siteB, ofB)).resolves.toMatchObject({ outcome: 'RESULT' });
    await expect(outcomeOf(siteA, study)).resolves.toMatchObject({ outcome: 'RESULT' });
  }, 120_000);
});

/** As a central operator. */
async function get(path: string): Promise<Response> {
  const headers = { authorization: 'Bearer central-operator.none' };
  return fetch(`http://127.0.0.1:${sut.httpPort}/${path}`, { headers });
}
async function studyLine({ manifest }: TestStudy): Promise<HubStudy> {
  const asked = await get(`api/v1/studies?studyPseudonym=${manifest.studyInstanceUid}`);
  const { items } = hubRoutes.listStudies.response.parse(await asked.json());
  expect(items).toHaveLength(1);
  return items[0]!;
}
async function jobState(study: TestStudy): Promise<object> {
  const { state, code } = await studyLine(study);
  return { state, code };
}

describe('the operator interface', () => {
  it('lists jobs of studies by their pseudonym, and nothing else of them', async () => {
    const study = await siteA.study(model);
    await siteA.open(study);
    const { jobId, studyInstanceUid: studyPseudonym, revision, lane } = study.manifest;
    await expect(studyLine(study)).resolves.toEqual({
      ...{ siteId: 'site-a', studyPseudonym, jobId, revision, lane, state: 'OPEN', code: null },
      ...{ product: model.product, version: model.version, openedAtMs: expect.any(Number) },
      ...{ concludedAtMs: null, acknowledgedAtMs: null },
    });
    const path = `api/v1/sites/site-a/studies/${studyPseudonym}`;
    const hops = hubRoutes.study.response.parse(await (await get(path)).json());
    expect(hops.jobs).toMatchObject([{ jobId, objects: { declared: 2, held: 0 } }]);
    const elsewhere = await get(path.replace('site-a', 'site-b'));
    expect(elsewhere.status).toBe(404);
  });

  it('traces a job from hop to hop with attempts and digests, and names no study', async () => {
    const study = await siteA.study(model);
    await siteA.send(study);
    await outcomeOf(siteA, study);
    const text = await (await get(`api/v1/jobs/${study.manifest.jobId}`)).text();
    const [job] = hubJobsSchema.parse(JSON.parse(text)).jobs;
    expect(job).toMatchObject({
      ...{ siteId: 'site-a', state: 'ACKNOWLEDGED', code: null },
      manifestSha256: sha256Hex(study.manifestBytes),
      objects: { declared: 2, held: 2 },
      queue: { state: 'DONE', attempts: 0, lastFault: null },
      inference: { inputDigest: objectsDigest(study.files.map((file) => sha256Hex(file))) },
      outcomes: [{ issue: 0, objects: [{ index: 0 }, { index: 1 }] }],
    });
    expect(Object.values(job!.times).every((time) => time !== null)).toBe(true);
    expect(text).not.toMatch(/\d\.\d+\.\d+\.\d+/);
    const unknown = await get(`api/v1/jobs/${'f'.repeat(32)}`);
    expect(unknown.status).toBe(404);
    problemSchema.parse(await unknown.json());
  }, 60_000);

  it('lists sites and models with what is deployed, last seen and waiting', async () => {
    await siteB.rules();
    const { sites } = sitesSchema.parse(await (await get('api/v1/sites')).json());
    const [a, b] = sites;
    expect([a?.siteId, b?.siteId]).toEqual(['site-a', 'site-b']);
    expect(b).toMatchObject({ rulesSequence: 1, lastSeenAtMs: expect.any(Number) });
    const { models } = modelsSchema.parse(await (await get('api/v1/models')).json());
    const deployed = ['site-a', 'site-b'].map((siteId) => ({ siteId, state: 'active' }));
    const modelDigest = model.artefact.sha256;
    expect(models).toEqual([expect.objectContaining({ modelDigest, sites: deployed })]);
    const status = hubStatusSchema.parse(await (await get('api/v1/status')).json());
    expect(status).toMatchObject({ version: '0.1.0', roles: ['api', 'jobs'] });
    const activity = await get('api/v1/sites/site-a/activity');
    const { hours } = hubRoutes.siteActivity.response.parse(await activity.json());
    expect(hours).toHaveLength(24);
    expect(hours.reduce((sum, hour) => sum + hour.opened, 0)).toBeGreaterThan(0);
    expect((await get('api/v1/sites/site-x/activity')).status).toBe(404);
  });

  it('tells health and counts jobs by state', async () => {
    await expect((await get('healthz')).json()).resolves.toEqual({ status: 'ok' });
    const metrics = await (await get('metrics')).text();
    expect(metrics).toMatch(/aifi_hub_jobs_count\{state="ACKNOWLEDGED",app="hub"\} \d+/);
  });
});
