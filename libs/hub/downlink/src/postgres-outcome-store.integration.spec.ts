/**
 * Goal: the outcome store of the database keeps the promises of the port, and the kill state of a
 * site is signed, rises and repeats as it should.
 * Method: the shared contract over an embedded PostgreSQL with the tables emptied in between; stops
 * and take-overs by the statements that the REST interface uses.
 */
import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { decodeManifest, killStateSchema, verifyManifest } from '@aifi/contracts-manifests';
import {
  checkSite,
  concludeJob,
  enrolSites,
  HubDatabase,
  notAnalysed,
  recordTakeOver,
  removeServerFolder,
  resumeProduct,
  startEmbeddedPostgres,
  stopProduct,
  type EmbeddedPostgres,
  type StudyJob,
} from '@aifi/hub-database';
import {
  canonicalJson,
  newJobId,
  sha256Hex,
  siteId,
  systemClock,
  type JobId,
} from '@aifi/shared-kernel';
import {
  FakeClock,
  killedAt,
  KILLS_EACH,
  livedOn,
  temporaryFolder,
  type TemporaryFolder,
} from '@aifi/shared-testing';
import { controlConfigSchema } from './control.config.js';
import { checkOutcomeStore, type PlannedOutcome } from './outcome-store.contract.js';
import { createPostgresControlStore } from './postgres-control-store.js';
import { createPostgresOutcomeStore } from './postgres-outcome-store.js';

const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const SITES = ['site-a', 'site-b'] as const;
const STOP = { siteName: '*', product: 'p', version: '*' } as const;
const ANNE = { userId: 'anne', userName: 'Anne' };
const BEN = { userId: 'ben', userName: 'Ben' };
const REASON = 'the vendor has withdrawn it';

// The stream of a gateway that was restored from a backup: it says that it has nothing.
const RESTORED = `
const { HubDatabase } = await import('@aifi/hub-database');
const { createPostgresOutcomeStore } = await import('@aifi/hub-downlink');
const { systemClock } = await import('@aifi/shared-kernel');
const { urls, peer } = JSON.parse(process.argv[1]);
const database = await HubDatabase.open(urls);
const store = createPostgresOutcomeStore(database, systemClock);
const lease = await store.open(peer, { afterSequence: 0, isExact: true });
const outcome = await store.next(peer, lease, 0);
await database.close();
process.stdout.write(outcome?.jobId ?? 'none');`;

let folder: TemporaryFolder;
let server: EmbeddedPostgres;
let database: HubDatabase;

beforeAll(async () => {
  folder = temporaryFolder('hub-outcomes');
  server = await startEmbeddedPostgres({ dataFolder: folder.path, clock: systemClock });
  database = await HubDatabase.open(server.urls);
  const site = { purpose: 'demonstration', deployments: [] } as const;
  const sites = [...SITES, ...OTHERS].map((siteName) => ({ siteName, ...site }));
  await enrolSites(database, sites, async () => undefined);
}, 180_000);

afterAll(async () => {
  await database?.close();
  await server?.stop();
  await removeServerFolder(folder.path);
  folder.remove();
}, 60_000);

/** Each promise has sites of its own, so that nothing has to be removed. */
const ROUNDS = 12;
const OTHERS = Array.from({ length: ROUNDS }, (_, n) => [`site-a-${n}`, `site-b-${n}`]).flat();

async function conclude(siteName: string, planned: PlannedOutcome): Promise<JobId> {
  const { gateway, study, revision, isResult = true } = planned;
  const jobId = newJobId();
  const digest = sha256Hex('x');
  const manifest = {
    ...{ jobId, revision, product: { id: 'p', version: '1.0.0', modelDigest: digest } },
  };
  await database.withSite(siteId(siteName), async (sql) => {
    await sql.run(
      `INSERT INTO study_job (site_id, job_id, revision, product, version, model_digest, lane,
         manifest, manifest_sha256, envelope, state, study_pseudonym, gateway)
       VALUES ($1, $2, $3, 'p', '1.0.0', $4, 'routine', $5, $4, $5, 'STORED', $6, $7)`,
      siteName,
      jobId,
      revision,
      digest,
      Buffer.from(canonicalJson(manifest)),
      study,
      gateway,
    );
    const job = { state: 'STORED', manifest, manifestSha256: digest } as unknown as StudyJob;
    const outcome = notAnalysed(job, { code: 'SUSPENDED' }, systemClock.nowMs());
    await concludeJob(sql, { siteId: siteId(siteName), manifest: outcome, signingKey: privateKey });
    // Its bytes do not matter here: a result is a job without a code.
    if (isResult) await sql.run('UPDATE study_job SET code = NULL WHERE job_id = $1', jobId);
  });
  return jobId;
}

let round = -1;
checkOutcomeStore(createPostgresOutcomeStore.name, async () => {
  round += 1;
  const name = (siteName: string): string => `${siteName}-${round}`;
  const scope = { ...STOP, siteName: name('site-a') };
  const atMs = systemClock.nowMs();
  return {
    store: createPostgresOutcomeStore(database, systemClock),
    peer: (siteName, gateway) => ({ siteId: siteId(name(siteName)), gateway }),
    conclude: (planned) => conclude(name(planned.siteName), planned),
    stop: async () => {
      const order = { ...scope, ...ANNE, atMs, code: 'SUSPENDED', reason: REASON } as const;
      await database.withAccess((sql) => stopProduct(sql, order));
    },
    resume: async () => {
      await database.withAccess((sql) => resumeProduct(sql, { ...scope, ...BEN, atMs }));
    },
    takeOver: (siteName, gateway, successor) =>
      database.withAccess((sql) =>
        recordTakeOver(sql, { siteId: name(siteName), gateway, successor, atMs }),
      ),
  };
});

describe('an outcome that is owed again', () => {
  it('ends its job once and tells that end once', async () => {
    const store = createPostgresOutcomeStore(database, systemClock);
    const peer = { siteId: siteId('site-a'), gateway: 7 };
    const planned = { siteName: 'site-a', gateway: 7, study: '2.25.77', revision: 1 } as const;
    const jobId = await conclude('site-a', planned);
    const told = () =>
      database.withSite(peer.siteId, async (sql) => ({
        ...(await sql.row<{ state: string; acknowledged_at: Date }>(
          'SELECT state, acknowledged_at FROM study_job WHERE job_id = $1',
          jobId,
        ))!,
        events: await sql.rows(
          `SELECT 1 AS one FROM outbox WHERE type = 'aifi.study.outcome.acknowledged.v1'
             AND payload ->> 'jobId' = $1`,
          jobId,
        ),
      }));
    const take = async () => {
      const lease = await store.open(peer, { afterSequence: 0, isExact: true });
      const outcome = await store.next(peer, lease, 0);
      if (outcome) await store.acknowledge(peer, outcome);
      return outcome?.jobId;
    };
    expect(await take()).toBe(jobId);
    const once = await told();
    expect(once).toMatchObject({ state: 'ACKNOWLEDGED', events: [{ one: 1 }] });
    expect(await take()).toBe(jobId);
    expect(await told()).toEqual(once);
    const { violations } = await database.withSite(peer.siteId, (sql) =>
      checkSite(sql, new Date(0)),
    );
    expect(violations).toMatchObject({ 'ended-without-outcome': 0, 'end-told-twice': 0 });
  });
});

describe('a hub that dies while it owes outcomes again', () => {
  const hits = Array.from({ length: KILLS_EACH }, (_, hit) => ({ gateway: 20 + hit }));
  it.each(hits)(
    'owes them as before, and all of them to the next stream (gateway $gateway)',
    async ({ gateway }) => {
      const store = createPostgresOutcomeStore(database, systemClock);
      const peer = { siteId: siteId('site-a'), gateway };
      const planned = {
        siteName: 'site-a',
        gateway,
        study: `2.25.${gateway}`,
        revision: 1,
      } as const;
      const jobId = await conclude('site-a', planned);
      const owed = () =>
        database.withSite(peer.siteId, (sql) =>
          sql.row<{ isOwed: boolean; epoch: string }>(
            `SELECT acked_at IS NULL AS "isOwed", epoch FROM outcome
             JOIN outcome_cursor USING (site_id) WHERE job_id = $1 AND gateway = $2`,
            jobId,
            gateway,
          ),
        );
      const lease = await store.open(peer, { afterSequence: 0, isExact: true });
      await store.acknowledge(peer, (await store.next(peer, lease, 0))!);
      const before = await owed();
      expect(before).toMatchObject({ isOwed: false });
      const args = [JSON.stringify({ urls: server.urls, peer })];
      await killedAt('hub.outcome.owed-again', RESTORED, args);
      expect(await owed()).toEqual(before);
      expect(await livedOn(RESTORED, args)).toBe(jobId);
      expect(await owed()).toEqual({ isOwed: true, epoch: String(Number(before!.epoch) + 1) });
    },
    60_000,
  );
});

describe('take-overs', () => {
  it('are for good: nobody takes over twice, from one that is gone, or in a circle', async () => {
    const order = (gateway: number, successor: number) =>
      database.withAccess((sql) =>
        recordTakeOver(sql, { siteId: 'site-b', gateway, successor, atMs: 1 }),
      );
    await order(1, 2);
    const refused: [number, number][] = [
      [1, 2],
      [1, 3],
      [2, 1],
      [3, 1],
      [3, 3],
    ];
    for (const [gateway, successor] of refused) {
      await expect(order(gateway, successor)).rejects.toMatchObject({ code: 'STATE_CONFLICT' });
    }
    const elsewhere = { siteId: 'nowhere', gateway: 1, successor: 2, atMs: 1 };
    await expect(
      database.withAccess((sql) => recordTakeOver(sql, elsewhere)),
    ).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});

describe(createPostgresControlStore.name, () => {
  const peer = { siteId: siteId('site-a'), gateway: 1 };
  const clock = new FakeClock();
  const sut = (): ReturnType<typeof createPostgresControlStore> =>
    createPostgresControlStore({
      ...{ database, clock, signingKey: privateKey },
      control: controlConfigSchema.parse({ killRelevant: ['q', 'p'] }),
    });
  const state = async () => {
    const { killState } = await sut().current(peer);
    verifyManifest(killState.bytes, killState.signature, publicKey);
    return decodeManifest(killStateSchema, killState.bytes);
  };

  it('signs once for all, anew when something was stopped, and again as a heartbeat', async () => {
    const first = await state();
    expect(first).toMatchObject({ stopped: [], killRelevant: ['p', 'q'], validForMs: 900_000 });
    const [again, beside] = await Promise.all([state(), state()]);
    expect([again, beside]).toEqual([first, first]);
    const order = { ...STOP, ...ANNE, atMs: 5, code: 'SUSPENDED', reason: REASON } as const;
    expect(await database.withAccess((sql) => stopProduct(sql, order))).toBe(true);
    expect(await database.withAccess((sql) => stopProduct(sql, order))).toBe(false);
    const stopped = await state();
    expect(stopped.sequence).toBe(first.sequence + 1);
    expect(stopped.stopped).toEqual([
      { product: 'p', version: '*', code: 'SUSPENDED', sinceMs: 5 },
    ]);
    clock.advance(59_000);
    expect(await state()).toEqual(stopped);
    clock.advance(1_000);
    const beat = await state();
    expect(beat.sequence).toBeGreaterThan(stopped.sequence);
    expect(beat.stopped).toEqual(stopped.stopped);
  });
  it('lets another person resume, and not the one who stopped', async () => {
    const lift = (who: typeof ANNE) =>
      database.withAccess((sql) => resumeProduct(sql, { ...STOP, ...who, atMs: 6 }));
    await expect(lift(ANNE)).rejects.toMatchObject({ code: 'FORBIDDEN' });
    await lift(BEN);
    await expect(lift(BEN)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect((await state()).stopped).toEqual([]);
  });
  it('never falls behind what gateways hold, also with a database of yesterday', async () => {
    const before = await state();
    await database.withSite(peer.siteId, (sql) =>
      sql.run('UPDATE kill_state SET sequence = 1, content_sha256 = $1', 'x'),
    );
    clock.advance(60_000);
    expect((await state()).sequence).toBeGreaterThan(before.sequence);
  });
});
