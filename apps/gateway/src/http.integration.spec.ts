/**
 * Goal: the gateway's interface tells every hop of a study and what was refused, in the shapes of
 * the contract, and nothing is cached. Method: the real interface over loopback, a real database
 * with one study in each leg, files in a temporary folder, stand-ins for link and PACS.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ChangeBell } from '@aifi/access-web';
import { encodeManifest, outcomeManifestSchema, type KillState } from '@aifi/contracts-manifests';
import {
  gatewayRoutes,
  gatewayStatusSchema,
  problemSchema,
  studyTraceSchema,
} from '@aifi/contracts-rest';
import { openGatewayAccess, PatientSource, type GatewayAccess } from '@aifi/gateway-access';
import { Catalogue } from '@aifi/gateway-catalogue';
import { ObjectionRegister } from '@aifi/gateway-consent';
import { GATEWAY_MIGRATIONS, GatewayDatabase, moveJob, type Sql } from '@aifi/gateway-database';
import { DeadLetterStore } from '@aifi/gateway-deliver';
import type { DiskState } from '@aifi/gateway-disk';
import { Vault } from '@aifi/gateway-vault';
import { objectsDigest, sha256Hex, siteId } from '@aifi/shared-kernel';
import { silentLogger } from '@aifi/shared-observability';
import { keyRingOf } from '@aifi/shared-site-keys';
import {
  FakeClock,
  fakeSiteKeys,
  temporaryFolder,
  type TemporaryFolder,
} from '@aifi/shared-testing';
import { DISK, LINK } from '../test/planted-gateway.js';
import { roleSignIn } from '../test/role-sign-in.js';
import { startHttp, type HttpInterface } from './http.js';
import { GATEWAY_VERSION } from './status-read-model.js';
import { plantedReconcile } from '../test/planted-reconcile.js';
import { plantedRetrieval } from '../test/planted-retrieval.js';
import { plantedSetup } from '../test/planted-setup.js';

const JOB = 'a'.repeat(32);
const OTHER_JOB = 'b'.repeat(32);
const DIGEST = sha256Hex('x');

let folder: TemporaryFolder;
let database: GatewayDatabase;
let access: GatewayAccess;
let vault: Vault;
const changes = new ChangeBell();
let sut: HttpInterface;
let disk: DiskState | undefined = DISK;
const clock = new FakeClock();

function file(name: string, bytes: number): string {
  const path = join(folder.path, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, Buffer.alloc(bytes));
  return path;
}

function insertStudy(sql: Sql): void {
  sql.run(`INSERT INTO study VALUES (1, '1.2.3', 1, 5)`);
  sql.run(`INSERT INTO study_revision VALUES (1, 1, 6, 'SELECTED')`);
  const paths = [file('incoming/1.dcm', 7), join(folder.path, 'incoming/gone.dcm')];
  paths.forEach((path, i) =>
    sql.run(
      `INSERT INTO instance (study_id, series_uid, sop_instance_uid, sop_class_uid,
         transfer_syntax_uid, sha256, size_bytes, path, header, calling_ae, received_ms, revision)
       VALUES (1, '1', ?, '1', '1', 'x', 7, ?, '{"modality":"MR"}', 'CT1', ?, 1)`,
      `1.${i}`,
      path,
      4 + i,
    ),
  );
  for (const [jobId, product] of [
    [JOB, 'meshnet-tissue'],
    [OTHER_JOB, 'other'],
  ] as const) {
    sql.run(
      `INSERT INTO job (job_id, study_id, revision, product, product_version, model_digest, lane,
         rule_set_sha256, attestations, state, created_ms)
       VALUES (?, 1, 1, ?, '1.0.0', ?, 'acute', 'x', '[]', 'SPOOLED', 10)`,
      jobId,
      product,
      DIGEST,
    );
    sql.run(
      `INSERT INTO spool_job (job_id, revision, manifest, manifest_sha256, envelope, state,
         attempts, next_attempt_ms, last_fault)
       VALUES (?, 1, x'00', ?, x'00', 'QUEUED', 3, 99, 'PEER_UNAVAILABLE')`,
      jobId,
      DIGEST,
    );
  }
  const path = file(`spool/${JOB}/1.dcm`, 3);
  sql.run('INSERT INTO spool_object VALUES (?, ?, 3, ?, 1)', JOB, DIGEST, path);
  const at = { stage: 'downlink', event: 'returned', atMs: 20 } as const;
  moveJob(sql, { jobId: OTHER_JOB, from: 'SPOOLED', to: 'RETURNED', ...at });
}

const KILL_STATE: KillState = {
  ...{ schema: 'aifi.kill-state.v1', sequence: 7, issuedAtMs: 1, validForMs: 900_000 },
  ...{ stopped: [], killRelevant: [] },
};

function insertOutcome(sql: Sql): void {
  const manifest = encodeManifest(outcomeManifestSchema, {
    schema: 'aifi.outcome-manifest.v1',
    jobId: OTHER_JOB,
    revision: 1,
    issue: 0,
    product: { id: 'other', version: '1.0.0', modelDigest: DIGEST },
    outcome: 'NOT_ANALYSED',
    code: 'MODEL_FAILED',
    manifestSha256: DIGEST,
    objects: [],
    mintedUids: [],
    finishedAtMs: 19,
  } as never);
  sql.run(`INSERT INTO inbound VALUES (?, 1, 0, 4, ?, x'00', 'RECEIVED', 20)`, OTHER_JOB, manifest);
  sql.run(
    `INSERT INTO receive_refusal (at_ms, calling_ae, what, code, dimse_status, count)
     VALUES (0, 'CT1', 'object', 'DICOM_MALFORMED', 49152, 2), (60000, '', 'stream',
       'INVALID_ARGUMENT', -1, 1)`,
  );
}

beforeAll(async () => {
  folder = temporaryFolder('gateway-http');
  database = GatewayDatabase.open(join(folder.path, 'gateway.db'), GATEWAY_MIGRATIONS);
  await database.write((sql) => {
    insertStudy(sql);
    insertOutcome(sql);
  });
  access = openGatewayAccess({ path: join(folder.path, 'access.db'), siteId: 'site-a', clock });
  vault = Vault.open(join(folder.path, 'vault.db'), keyRingOf(fakeSiteKeys()), { clock });
  sut = await startHttp({
    sources: {
      ...{ database, access, clock, vault, changes, auditPublicKeyPem: '' },
      deadLetters: new DeadLetterStore(database),
      link: { view: () => LINK, join: () => Promise.resolve() },
      ...{ ringDeliver: () => undefined, ringPseudonymise: () => undefined },
      uplinkState: () => ({ uploads: 2, streams: 3, linkFailures: 1, refusedBy: 'UNTRUSTED' }),
      killState: () => ({ state: KILL_STATE, ageMs: 900_001, contactMs: 0 }),
      ...{ diskState: () => disk, folderState: () => undefined },
      identityEvents: { erase: () => Promise.resolve(0) },
      patients: new PatientSource(database, vault),
      config: {
        ...{ siteId: siteId('site-a'), purpose: 'demonstration', dataFolder: folder.path },
        ...{ publicUrl: 'http://localhost:1', deadlines: { acuteMs: 600, routineMs: 3_600 } },
      },
      logger: silentLogger,
      reconcile: plantedReconcile(database, clock),
      catalogue: new Catalogue(database),
      objections: new ObjectionRegister({
        ...{ database, keys: keyRingOf(fakeSiteKeys()), config: { issuers: [] } },
      }),
      retrieval: plantedRetrieval(database, clock),
      setup: plantedSetup(database, clock),
      ...{ linkState: () => 'down', pacsState: () => 'open', currentRules: () => undefined },
    },
    listen: { host: '127.0.0.1', port: 0 },
    ...{ signIn: roleSignIn(clock), issuer: 'http://localhost:2', logger: silentLogger },
    consoleFolder: folder.path,
  });
});
afterAll(async () => {
  await sut.close();
  await access.database.close();
  database.close();
  vault.close();
  folder.remove();
});

const get = (path: string, token = 'hospital-it.own'): Promise<Response> =>
  fetch(`http://127.0.0.1:${sut.port}/${path}`, { headers: { authorization: `Bearer ${token}` } });

describe('the interface of the gateway', () => {
  it('tells link, PACS, disk, jobs, spool and refusals', async () => {
    const response = await get('api/v1/status');
    expect(response.headers.get('cache-control')).toBe('no-store');
    const status = gatewayStatusSchema.parse(await response.json());
    expect(status).toMatchObject({
      siteId: 'site-a',
      rules: null,
      link: 'down',
      uplink: { uploads: 2, streams: 3, linkFailures: 1, refusedBy: 'UNTRUSTED' },
      killState: { sequence: 7, ageMs: 900_001, isStale: true },
      pacsBreaker: 'open',
      studies: 1,
      jobs: { SPOOLED: 1, RETURNED: 1 },
      spool: { jobs: 2, objects: 1, bytes: 3 },
      hubAnchors: { lastDay: null, contradictions: 0 },
      delivery: { breaker: 'open', openCommitments: 0 },
      deadLetters: { count: 0, oldestMs: null },
      pixelHolds: { count: 0, oldestMs: null },
      disk: { level: 'refuse-routine', usedPercent: 86, freeBytes: DISK.freeBytes },
    });
    expect(status.diskFreeBytes).toBeGreaterThan(0);
    expect(status.refusals).toEqual([
      expect.objectContaining({ atMs: 60_000, what: 'stream', dimseStatus: null, count: 1 }),
      expect.objectContaining({ callingAeTitle: 'CT1', dimseStatus: 0xc000, count: 2 }),
    ]);
  });

  it('traces a study with attempts, digests and the files that are really there', async () => {
    const trace = studyTraceSchema.parse(await (await get('api/v1/studies/1.2.3')).json());
    expect(trace.received).toEqual({
      ...{ instances: 2, open: 0, conflicts: 0, bytes: 14 },
      ...{ firstAtMs: 4, lastAtMs: 5, callingAeTitles: ['CT1'] },
    });
    expect(trace.files).toEqual({ folder: 'incoming', rows: 2, files: 1, bytes: 7 });
    const [job, other] = trace.jobs;
    expect(job).toMatchObject({ jobId: JOB, state: 'SPOOLED', deadlineAtMs: 610 });
    expect(job?.upload).toEqual({
      ...{ state: 'QUEUED', manifestSha256: DIGEST, inputDigest: objectsDigest([DIGEST]) },
      ...{ objects: 1, acknowledged: 1, bytes: 3 },
      ...{ attempts: 3, nextAttemptAtMs: 99, lastFault: 'PEER_UNAVAILABLE' },
    });
    expect(job?.files[0]).toEqual({ folder: 'spool', rows: 1, files: 1, bytes: 3 });
    expect(other?.outcomes).toEqual([
      expect.objectContaining({ sequence: 4, outcome: 'NOT_ANALYSED', code: 'MODEL_FAILED' }),
    ]);
  });

  it('tells why an object is undelivered, and counts the deadline of a job anew', async () => {
    await database.write((sql) => {
      sql.run('UPDATE job SET reopened_ms = 50 WHERE job_id = ?', OTHER_JOB);
      sql.run(
        `INSERT INTO delivery (job_id, issue, output_index, role, sop_class_uid, series_uid,
           sop_instance_uid, path, sha256, state, dead_ms, dead_code, removed_ms)
         VALUES (?, 0, 0, 'SR', '1', '1', '1.9', 'gone', 'x', 'DEAD', 40, 'RESULT_LOST', 45)`,
        OTHER_JOB,
      );
    });
    const response = await get(`api/v1/jobs/${OTHER_JOB}/trace`);
    const [job] = studyTraceSchema.parse(await response.json()).jobs;
    expect(job).toMatchObject({
      ...{ createdAtMs: 10, deadlineAtMs: 650 },
      deliveries: [{ state: 'DEAD', lastFault: 'RESULT_LOST' }],
    });
    // What retention has removed is not missing.
    expect(job?.files[2]).toEqual({ folder: 'outgoing', rows: 0, files: 0, bytes: 0 });
    await database.write((sql) => sql.run('DELETE FROM delivery'));
  });

  it('traces one job of a study alone', async () => {
    const response = await get(`api/v1/jobs/${OTHER_JOB}/trace`);
    const trace = studyTraceSchema.parse(await response.json());
    expect(trace.jobs.map(({ jobId }) => jobId)).toEqual([OTHER_JOB]);
    expect(trace.journal.map(({ event }) => event)).toEqual(['returned']);
    const other = studyTraceSchema.parse(await (await get(`api/v1/jobs/${JOB}/trace`)).json());
    expect(other.journal).toEqual([]);
  });

  it.each([
    ['api/v1/studies/1.2.4', 404],
    ['api/v1/studies/x', 400],
    ['api/v1/jobs/x/trace', 404],
    ['api/v1/studies?cursor=x', 400],
    ['api/v1/studies?limit=1000000000', 400],
    ['api/v1/studies?patient=x', 400],
    ['api/v1/studies?__proto__=x', 400],
    ['nowhere', 404],
  ])('answers %s with a problem that has an instance id', async (path, status) => {
    const response = await get(path);
    expect(response.status).toBe(status);
    expect(response.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(response.headers.get('cache-control')).toBe('no-store');
    problemSchema.parse(await response.json());
  });

  it('lists studies with why each product has no result, in two languages', async () => {
    await database.write((sql) => sql.run(`UPDATE job SET code = 'TIMEOUT' WHERE job_id = ?`, JOB));
    const { items } = gatewayRoutes.listStudies.response.parse(
      await (await get('api/v1/studies', 'radiologist.own')).json(),
    );
    expect(items).toHaveLength(1);
    expect(items[0]).toMatchObject({
      ...{ studyInstanceUid: '1.2.3', modality: 'MR', receivedInstances: 2, receivedAtMs: 5 },
      ...{ state: 'IN_PROGRESS', patient: null, masked: null, statusObject: null },
    });
    expect(items[0]!.products).toMatchObject([
      {
        product: 'meshnet-tissue',
        code: 'TIMEOUT',
        words: { en: 'no result before the deadline' },
      },
      { product: 'other', code: null, words: null },
    ]);
  });

  it('counts refusals and open alerts in its metrics, without a name of anybody', async () => {
    expect((await get('api/v1/status', 'vendor.none')).status).toBe(403);
    const text = await (await get('metrics')).text();
    expect(text).toMatch(/aifi_access_refused_total\{code="FORBIDDEN",app="gateway"\} 1/);
    // Whoever reads metrics is nobody's privacy officer.
    expect(text).not.toMatch(/alert/);
    expect(text).toMatch(/aifi_gateway_jobs_count\{state="SPOOLED",app="gateway"\} 1/);
    expect(text).not.toMatch(/vendor|1\.2\.3/);
  });

  it('counts dead letters, the link and the level of the disk in its metrics, once it is known', async () => {
    const before = await (await get('metrics')).text();
    expect(before).toMatch(/aifi_gateway_dead_letters_count\{app="gateway"\} 0/);
    expect(before).toMatch(/aifi_gateway_disk_level\{app="gateway"\} 2/);
    expect(before).toMatch(/aifi_gateway_disk_free_bytes\{app="gateway"\} 14000/);
    expect(before).toMatch(/aifi_gateway_link_refused\{app="gateway"\} 1/);
    expect(before).toMatch(/aifi_gateway_link_failures_count\{app="gateway"\} 1/);
    expect(before).toMatch(/aifi_gateway_kill_state_age_seconds\{app="gateway"\} 900.001/);
    disk = undefined;
    expect(await (await get('metrics')).text()).not.toMatch(/^aifi_gateway_disk/m);
    const status = gatewayStatusSchema.parse(await (await get('api/v1/status')).json());
    expect(status.disk).toBeUndefined();
    disk = DISK;
  });

  it('tells open pages what has changed, and ends when they go', async () => {
    const abort = new AbortController();
    const headers = { authorization: 'Bearer radiologist.own' };
    const response = await fetch(`http://127.0.0.1:${sut.port}/api/v1/events`, {
      ...{ headers, signal: abort.signal },
    });
    changes.notify('studies');
    const reader = response.body!.getReader();
    const { value } = await reader.read();
    expect(Buffer.from(value!).toString()).toBe('event: changed\ndata: {"topic":"studies"}\n\n');
    abort.abort();
    await expect(reader.read()).rejects.toThrow();
  });

  it('says the version of the package', () => {
    const text = readFileSync(join(import.meta.dirname, '../package.json'), 'utf8');
    expect(GATEWAY_VERSION).toBe((JSON.parse(text) as { version: string }).version);
  });
});
