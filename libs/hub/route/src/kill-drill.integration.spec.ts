/**
 * Goal: a hub that dies as it ends the jobs of a stopped product ends each of them once, whatever
 * was done with it, and tells that once; other products and sites go on.
 * Method: a life runs the stop stage against the embedded PostgreSQL until it dies by kill -9 at a
 * named point; then the next one, over the same rows. Each hit has products and sites of its own.
 */
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  decodeManifest,
  encodeManifest,
  outcomeManifestSchema,
  routingRulesSchema,
  studyManifestSchema,
  verifyManifest,
  type StudyManifest,
} from '@aifi/contracts-manifests';
import {
  advanceClaim,
  claimJob,
  concludeJob,
  endInference,
  enrolSites,
  HubDatabase,
  notAnalysed,
  readStudyJob,
  removeServerFolder,
  startEmbeddedPostgres,
  stopProduct,
  type Claim,
  type ConfiguredSite,
  type EmbeddedPostgres,
} from '@aifi/hub-database';
import { newJobId, sha256Hex, siteId, systemClock, type JobId } from '@aifi/shared-kernel';
import {
  killedAt,
  HITS as NUMBERS,
  livedOn,
  temporaryFolder,
  type TemporaryFolder,
} from '@aifi/shared-testing';

// It ends when a look at all jobs has ended none, and fails with the stage's first fault.
const LIFE = `
const { createPrivateKey } = await import('node:crypto');
const { HubDatabase } = await import('@aifi/hub-database');
const { createStopStage } = await import('@aifi/hub-route');
const { systemClock } = await import('@aifi/shared-kernel');
const { silentLogger } = await import('@aifi/shared-observability');
const { urls, key, model } = JSON.parse(process.argv[1]);
const database = await HubDatabase.open(urls);
const stop = new AbortController();
const clock = { ...systemClock,
  sleep: (delayMs, signal) => systemClock.sleep(Math.min(delayMs, 5), signal) };
const logger = Object.assign(Object.create(silentLogger), {
  fault: (words, error) => {
    console.error(words, error);
    process.exit(1);
  },
});
let [ended, endedBefore] = [0, -1];
const stage = createStopStage({
  database, clock, logger, signingKey: createPrivateKey(key),
  findModel: () => model,
  onConcluded: () => { ended += 1; },
  onRules: () => {
    if (endedBefore === ended) stop.abort();
    endedBefore = ended;
  },
});
await stage.run(stop.signal);
await database.close();
process.stdout.write(String(ended));`;

const { privateKey } = generateKeyPairSync('ed25519');
const publicKey = createPublicKey(privateKey);
const DIGEST = sha256Hex('model');
const MODEL = {
  ...{ name: 'a product', label: 'RESEARCH', purpose: 'demonstration', lane: 'routine' },
  intendedUse: {
    series: [{ id: 'modality', attribute: 'modality', oneOf: ['MR'], onMissing: 'deny' }],
    instancesMin: 1,
  },
};
/** How far the jobs of the stopped product are at the site of the stop; a worker has one. */
const STATES = ['STORED', 'QUEUED', 'QUEUED', 'INFERRED'] as const;
const CLAIMED = 1;
const HITS = NUMBERS.flatMap((hit) =>
  [1, 2].map((passage) => ({ hit, passage: passage + 2 * (hit % 2) })),
);

let folder: TemporaryFolder;
let server: EmbeddedPostgres;
let database: HubDatabase;
let round = 0;
beforeAll(async () => {
  folder = temporaryFolder('kill-drill-stop');
  server = await startEmbeddedPostgres({ dataFolder: folder.path, clock: systemClock });
  database = await HubDatabase.open(server.urls);
}, 180_000);
afterAll(async () => {
  await database?.close();
  await server?.stop();
  await removeServerFolder(folder.path);
  folder.remove();
}, 60_000);

const PRODUCTS = ['halted', 'other'] as const;
type Product = (typeof PRODUCTS)[number];
const SITES = ['a', 'b'] as const;
const nameOf = (name: string): string => `${name}-${round}`;
const sites: ConfiguredSite[] = [];
let jobs: { readonly own: JobId[]; readonly otherSite: JobId; readonly otherProduct: JobId };
let claim: Claim;

beforeEach(async () => {
  round += 1;
  const deployments = PRODUCTS.map((product) => ({
    ...{ product: nameOf(product), version: '1.0.0', modelDigest: DIGEST },
    state: 'active' as const,
  }));
  for (const name of SITES) {
    sites.push({ siteName: nameOf(name), purpose: 'demonstration', deployments });
  }
  await enrolSites(database, sites, async () => undefined);
  const own: JobId[] = [];
  for (const state of STATES) own.push(await insertJob('a', 'halted', state));
  claim = (await claimJob(database, 'QUEUED'))!;
  expect(claim.jobId).toBe(own[CLAIMED]);
  const otherSite = await insertJob('b', 'halted', 'QUEUED');
  jobs = { own, otherSite, otherProduct: await insertJob('a', 'other', 'STORED') };
  // The rules as they were before the stop.
  await livedOn(LIFE, args());
  await database.withAccess((sql) =>
    stopProduct(sql, {
      ...{ siteName: nameOf('a'), product: nameOf('halted'), version: '*', code: 'SUSPENDED' },
      ...{ reason: 'the vendor has withdrawn it', userId: 'anne', userName: 'Anne' },
      atMs: systemClock.nowMs(),
    }),
  );
}, 60_000);

const args = (): string[] => [
  JSON.stringify({
    ...{ urls: server.urls, key: privateKey.export({ type: 'pkcs8', format: 'pem' }) },
    model: MODEL,
  }),
];

async function insertJob(
  site: (typeof SITES)[number],
  product: Product,
  state: (typeof STATES)[number],
): Promise<JobId> {
  const jobId = newJobId();
  const manifest = manifestOf(jobId, nameOf(product));
  await database.withSite(siteId(nameOf(site)), async (sql) => {
    await sql.run(
      `INSERT INTO study_job (site_id, job_id, revision, product, version, model_digest, lane,
         manifest, manifest_sha256, envelope, state, study_pseudonym, stored_at)
       VALUES ($1, $2, 1, $3, '1.0.0', $4, 'routine', $5, $6, '\\x00', $7, $8,
         clock_timestamp())`,
      ...[nameOf(site), jobId, nameOf(product), DIGEST, manifest, sha256Hex(manifest), state],
      `2.25.${round}`,
    );
    if (state === 'STORED') return;
    await sql.run(
      `INSERT INTO inference_job (site_id, job_id, lane, state) VALUES ($1, $2, 'routine', $3)`,
      ...[nameOf(site), jobId, state],
    );
  });
  return jobId;
}
/** As a gateway sends it. */
function manifestOf(jobId: JobId, product: string): Buffer {
  const manifest: StudyManifest = {
    ...{ schema: 'aifi.study-manifest.v1', jobId, revision: 1, lane: 'routine' },
    product: { id: product, version: '1.0.0', modelDigest: DIGEST },
    studyInstanceUid: '2.25.1' as StudyManifest['studyInstanceUid'],
    ...{ receivedAtMs: 1, attestations: [], ruleSetSha256: sha256Hex('rules') },
    objects: [
      {
        ...{ sopInstanceUid: '2.25.2', sopClassUid: '1.2.840.10008.5.1.4.1.1.4' },
        ...{ seriesInstanceUid: '2.25.3', transferSyntaxUid: '1.2.840.10008.1.2.1' },
        ...{ sizeBytes: 10, sha256: sha256Hex('object') },
      },
    ] as unknown as StudyManifest['objects'],
  };
  return Buffer.from(encodeManifest(studyManifestSchema, manifest));
}

interface JobLeft {
  readonly job_id: JobId;
  readonly state: string;
  readonly code: string | null;
  /** State of the queue's part, and its token. */
  readonly queue: string | null;
  readonly lease_epoch: string | null;
}
interface OutcomeLeft {
  readonly job_id: JobId;
  readonly issue: number;
  readonly sequence: string;
  readonly manifest: Buffer;
  readonly signature: Buffer;
}
interface RulesLeft {
  readonly sequence: string;
  readonly rules: Buffer;
}
/** All that is there of one site of this hit. */
const left = (site: (typeof SITES)[number]) =>
  database.withSite(siteId(nameOf(site)), async (sql) => ({
    jobs: await sql.rows<JobLeft>(
      `SELECT job_id, study_job.state, code, work.state AS queue, lease_epoch
       FROM study_job LEFT JOIN inference_job work USING (site_id, job_id) ORDER BY job_id`,
    ),
    outcomes: await sql.rows<OutcomeLeft>(
      'SELECT job_id, issue, sequence, manifest, signature FROM outcome ORDER BY sequence',
    ),
    events: (
      await sql.rows<{ payload: { jobId: JobId } }>(
        "SELECT payload FROM outbox WHERE type = 'aifi.study.outcome.concluded.v1'",
      )
    ).map(({ payload }) => payload.jobId),
    rules: await sql.rows<RulesLeft>('SELECT sequence, rules FROM routing_rules ORDER BY sequence'),
  }));
type Left = Awaited<ReturnType<typeof left>>;

const killed = (point: string): Promise<void> => killedAt(`hub.stop.${point}`, LIFE, args());
/** How many jobs it has ended. */
const lived = async (): Promise<number> => Number(await livedOn(LIFE, args()));

/** Jobs that have ended, each with its outcome and its event, or with none of all that. */
function expectNothingHalf({ jobs: rows, outcomes, events }: Left): JobId[] {
  const ended = rows.filter(({ state }) => state === 'CONCLUDED');
  for (const { code, queue } of ended)
    expect([code, queue ?? 'DONE']).toEqual(['SUSPENDED', 'DONE']);
  for (const { state, code } of rows) expect(code === null).toBe(state !== 'CONCLUDED');
  const ids = ended.map(({ job_id: jobId }) => jobId);
  expect(outcomes.map(({ job_id: jobId }) => jobId).sort()).toEqual([...ids].sort());
  expect([...events].sort()).toEqual([...ids].sort());
  expect(outcomes.map(({ sequence }) => Number(sequence))).toEqual(ids.map((_, n) => n + 1));
  return ids;
}
/** Of the stopped product all have ended, and nothing else has. */
async function expectStopped(): Promise<void> {
  const here = await left('a');
  expect(expectNothingHalf(here).sort()).toEqual([...jobs.own].sort());
  for (const { issue, job_id: jobId, manifest, signature } of here.outcomes) {
    verifyManifest(manifest, signature, publicKey);
    expect(decodeManifest(outcomeManifestSchema, manifest)).toMatchObject({
      ...{ jobId, issue, outcome: 'NOT_ANALYSED', code: 'SUSPENDED' },
    });
  }
  expect(here.jobs.find((row) => row.job_id === jobs.otherProduct)).toMatchObject({
    ...{ state: 'STORED', code: null, queue: null },
  });
  const said = here.rules.map(({ rules }) =>
    decodeManifest(routingRulesSchema, rules).products.map(({ state }) => state),
  );
  expect(said).toEqual([
    ['active', 'active'],
    ['suspended', 'active'],
  ]);
  const there = await left('b');
  expect(there.jobs).toMatchObject([{ job_id: jobs.otherSite, state: 'QUEUED', queue: 'QUEUED' }]);
  expect([there.outcomes, there.events, there.rules.length]).toEqual([[], [], 1]);
}
async function expectStays(): Promise<void> {
  const before = [await left('a'), await left('b')];
  expect(await lived()).toBe(0);
  expect([await left('a'), await left('b')]).toEqual(before);
}

describe('a hub that is killed as it ends the jobs of a stopped product', () => {
  afterEach(async () => {
    // Nobody may claim it in the next hit.
    await database.withSite(siteId(nameOf('b')), (sql) => endInference(sql, jobs.otherSite));
  });

  const points = ['before-commit', 'after-commit'].flatMap((point) =>
    HITS.map((hit) => ({ point, ...hit })),
  );
  it.each(points)(
    'ends each of them once: $point#$passage (hit $hit)',
    async ({ point, passage }) => {
      await killed(`${point}#${passage}`);
      const ended = point === 'after-commit' ? passage : passage - 1;
      const ids = expectNothingHalf(await left('a'));
      expect([...ids].sort()).toEqual(jobs.own.slice(0, ended).sort());
      expect(await lived()).toBe(STATES.length - ended);
      await expectStopped();
      await expectStays();
    },
    120_000,
  );

  it.each(HITS.filter(({ passage }) => passage > CLAIMED))(
    'lets the worker that had a job write nothing of it: after-commit#$passage (hit $hit)',
    async ({ passage }) => {
      await killed(`after-commit#${passage}`);
      const late = database.withSite(claim.siteId, (sql) =>
        advanceClaim(sql, claim, 'QUEUED', 'INFERRED'),
      );
      await expect(late).rejects.toMatchObject({ code: 'STATE_CONFLICT' });
      await lived();
      await expectStopped();
      await expectStays();
    },
    120_000,
  );

  it.each(HITS)(
    'ends none that was concluded before it came back: before-commit#$passage (hit $hit)',
    async ({ passage }) => {
      await killed(`before-commit#${passage}`);
      const jobId = jobs.own[passage - 1]!;
      await database.withSite(claim.siteId, async (sql) => {
        const job = await readStudyJob(sql, jobId);
        const manifest = notAnalysed(job!, { code: 'SUSPENDED' }, systemClock.nowMs());
        await endInference(sql, jobId);
        await concludeJob(sql, { siteId: claim.siteId, manifest, signingKey: privateKey });
      });
      expect(await lived()).toBe(STATES.length - passage);
      await expectStopped();
      await expectStays();
    },
    120_000,
  );
});
