/**
 * Goal: the hub's database keeps sites apart and loses nothing, on the real embedded server.
 * Method: one embedded PostgreSQL for the file; two sites with equal ids try to see, change and
 * reference each other's rows; claims race and run out; migrations go both ways over old rows.
 */
import { existsSync, readFileSync, readlinkSync, realpathSync, statSync } from 'node:fs';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import type { DataSource } from 'typeorm';
import { systemClock, type JobId, type SiteId } from '@aifi/shared-kernel';
import { temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import { startEmbeddedPostgres, type EmbeddedPostgres } from './embedded-postgres.js';
import { HubDatabase, migrationSource } from './hub-database.js';
import {
  advanceClaim,
  claimJob,
  releaseAllClaims,
  releaseClaim,
  renewClaim,
  type Claim,
} from './job-queue.js';
import { enrolSites } from './enrolment.js';
import { HUB_MIGRATIONS } from './migrations/index.js';
import { removeServerFolder, serverFolderPath } from './server-folder.js';

// Tests stand in for the TLS layer, which alone makes site ids at the hub.
const [siteA, siteB] = ['site-a', 'site-b'] as unknown as [SiteId, SiteId];
const jobA = 'a'.repeat(32) as JobId;
let folder: TemporaryFolder;
let server: EmbeddedPostgres;
let sut: HubDatabase;

beforeAll(async () => {
  folder = temporaryFolder('hub-database');
  server = await startEmbeddedPostgres({ dataFolder: folder.path, clock: systemClock });
  sut = await HubDatabase.open(server.urls);
  const site = { purpose: 'demonstration', deployments: [] } as const;
  const sites = ['site-a', 'site-b'].map((siteName) => ({ siteName, ...site }));
  await enrolSites(sut, sites, async () => undefined);
}, 180_000);

afterAll(async () => {
  await sut?.close();
  await server?.stop();
  await removeServerFolder(folder.path);
  folder.remove();
}, 60_000);

async function insertJob(siteId: SiteId, jobId: string): Promise<void> {
  await sut.withSite(siteId, async (sql) => {
    await sql.run(
      `INSERT INTO study_job (site_id, job_id, revision, product, version, model_digest, lane,
         manifest, manifest_sha256, envelope, state, study_pseudonym)
       VALUES ($1, $2, 1, 'p', '1.0.0', 'd', 'routine', $3, 's', '\\x00', 'QUEUED', '2.25.1')`,
      siteId,
      jobId,
      Buffer.from('{"studyInstanceUid":"2.25.7"}'),
    );
    await sql.run(
      `INSERT INTO inference_job (site_id, job_id, lane, state)
       VALUES ($1, $2, 'routine', 'QUEUED')`,
      siteId,
      jobId,
    );
  });
}

async function catalogue<T extends object>(statement: string): Promise<T[]> {
  const source = await migrationSource(server.urls.ownerUrl).initialize();
  try {
    return (await source.query(statement)) as T[];
  } finally {
    await source.destroy();
  }
}

describe('startEmbeddedPostgres', () => {
  it('gives the unprivileged user a folder outside a mode-700 data folder', () => {
    expect(statSync(folder.path).mode & 0o777).toBe(0o700);
    const path = serverFolderPath(folder.path);
    expect(existsSync(`${path}/data/PG_VERSION`)).toBe(true);
    expect(statSync(`${path}/data`).uid).toBe(process.getuid!() === 0 ? 65_534 : process.getuid!());
    expect(statSync(`${folder.path}/postgres-passwords.json`).mode & 0o777).toBe(0o600);
  });

  it('uses nothing below a checkout, which may be of mode 700, when the hub is root', () => {
    const path = serverFolderPath(folder.path);
    const pid = Number.parseInt(readFileSync(`${path}/data/postmaster.pid`, 'latin1'), 10);
    const mapped = readFileSync(`/proc/${pid}/maps`, 'utf8').match(/ \/\S+/g) ?? [];
    const checkout = realpathSync(join(import.meta.dirname, '../../../..'));
    const inCheckout = mapped.filter((file) => file.trim().startsWith(`${checkout}/`));
    if (process.getuid!() === 0) expect(inCheckout).toEqual([]);
    else expect(inCheckout).not.toEqual([]);
    expect(readlinkSync(`/proc/${pid}/cwd`)).toBe(`${path}/data`);
  });

  it('runs with checksums, fsync and synchronous commit', async () => {
    const settings = await catalogue<{ name: string; setting: string }>(
      `SELECT name, setting FROM pg_settings WHERE name IN
       ('data_checksums', 'fsync', 'synchronous_commit', 'full_page_writes') ORDER BY name`,
    );
    expect(settings.map((row) => row.setting)).toEqual(['on', 'on', 'on', 'on']);
  });
});

describe('row-level security', () => {
  beforeAll(async () => {
    await insertJob(siteA, jobA);
  });

  it('shows a site its own rows and no other', async () => {
    const count = 'SELECT count(*)::int AS n FROM study_job';
    await expect(sut.withSite(siteA, (sql) => sql.row(count))).resolves.toEqual({ n: 1 });
    await expect(sut.withSite(siteB, (sql) => sql.row(count))).resolves.toEqual({ n: 0 });
  });

  it('returns nothing of another site from UPDATE RETURNING', async () => {
    const rows = await sut.withSite(siteB, (sql) =>
      sql.rows(`UPDATE study_job SET code = 'X' WHERE job_id = $1 RETURNING *`, jobA),
    );
    expect(rows).toEqual([]);
  });

  it('refuses a row for another site and a reference to its job', async () => {
    const sql = `INSERT INTO job_object (site_id, job_id, position, sha256, size_bytes)
                 VALUES ($1, $2, 0, 's', 1)`;
    for (const siteName of [siteA, siteB]) {
      const insert = sut.withSite(siteB, (tx) => tx.run(sql, siteName, jobA));
      await expect(insert).rejects.toMatchObject({ code: 'INTERNAL' });
    }
  });

  it('does not tell a site that an id exists at another', async () => {
    await expect(insertJob(siteB, jobA)).resolves.toBeUndefined();
    const count = await sut.withQueue((sql) => sql.rows('SELECT site_id FROM study_job'));
    expect(count).toHaveLength(2);
  });

  it('shows nothing when the site is not set', async () => {
    const rows = await sut.withConfiguredSite('', (sql) => sql.rows('SELECT * FROM study_job'));
    expect(rows).toEqual([]);
  });
});

describe('the queue', () => {
  it('gives each job to one claimant and takes old fencing tokens no more', async () => {
    const claims = await Promise.all([claimJob(sut, 'QUEUED'), claimJob(sut, 'QUEUED')]);
    expect(new Set(claims.map((claim) => claim!.siteId)).size).toBe(2);
    await expect(claimJob(sut, 'QUEUED')).resolves.toBeUndefined();

    await releaseAllClaims(sut);
    const again = (await claimJob(sut, 'QUEUED', -1)) as Claim;
    const old = claims.find((claim) => claim!.siteId === again.siteId)!;
    expect(again.leaseEpoch).toBe(old.leaseEpoch + 1);
    await expect(renewClaim(sut, old)).resolves.toBe(false);
    const write = (claim: Claim): Promise<void> =>
      sut.withSite(claim.siteId, (sql) => advanceClaim(sql, claim, 'QUEUED', 'INFERRED'));
    await expect(write(old)).rejects.toMatchObject({ code: 'STATE_CONFLICT' });
    await expect(write(again)).resolves.toBeUndefined();
  });

  it('gives a job whose lease has run out to the next, and counts failed tries', async () => {
    const first = (await claimJob(sut, 'QUEUED', -1)) as Claim;
    const second = (await claimJob(sut, 'QUEUED')) as Claim;
    expect(second.leaseEpoch).toBe(first.leaseEpoch + 1);
    await releaseClaim(sut, second, { failed: true, fault: 'MODEL_FAILED' });
    await expect(claimJob(sut, 'QUEUED')).resolves.toMatchObject({ attempts: 1 });
    const faults = await sut.withQueue((sql) =>
      sql.rows('SELECT last_fault FROM inference_job WHERE last_fault IS NOT NULL'),
    );
    expect(faults).toEqual([{ last_fault: 'MODEL_FAILED' }]);
  });
});

describe('the bounds of a connection', () => {
  it('reach the driver, and no statement of a migration has one', async () => {
    const source = await migrationSource(server.urls.ownerUrl).initialize();
    try {
      const { options } = (source.driver as unknown as { master: pg.Pool }).master;
      expect(options).toMatchObject({ connectionTimeoutMillis: 10_000, keepAlive: true });
      expect(options.query_timeout).toBeUndefined();
      expect(options.statement_timeout).toBeUndefined();
    } finally {
      await source.destroy();
    }
    const { app, jobs, access } = sut as unknown as Record<string, DataSource>;
    for (const one of [app, jobs, access]) {
      expect((one!.driver as unknown as { master: pg.Pool }).master.options).toMatchObject({
        ...{ connectionTimeoutMillis: 10_000, statement_timeout: 30_000, query_timeout: 35_000 },
        ...{ keepAlive: true, keepAliveInitialDelayMillis: 10_000 },
      });
    }
  });

  it('give up a server that falls silent, and its connection with it', async () => {
    const line = await SilentLine.to(server.port);
    const appUrl = server.urls.appUrl.replace(`:${server.port}`, `:${line.port}`);
    const bounds = { connectMs: 10_000, statementMs: 10_000, answerMs: 500 };
    const database = await HubDatabase.open({ ...server.urls, appUrl }, bounds);
    try {
      await database.withSite(siteA, (sql) => sql.row('SELECT 1 AS one'));
      expect(line.connections).toBe(1);
      const lost = database.withSite(siteA, (sql) => {
        line.fallSilent();
        return sql.row('SELECT 2 AS two');
      });
      await expect(lost).rejects.toMatchObject({ code: 'PEER_UNAVAILABLE' });
      // The next one gets a connection of its own.
      await expect(
        database.withSite(siteA, (sql) => sql.row('SELECT 3 AS three')),
      ).resolves.toEqual({ three: 3 });
      expect(line.connections).toBe(2);
    } finally {
      await database.close();
      line.close();
    }
  });
});

/** A line to the server on which everything that is under way can fall silent at once. */
class SilentLine {
  connections = 0;
  #pairs: Socket[] = [];
  private constructor(private readonly server: Server) {}

  static async to(port: number): Promise<SilentLine> {
    const listening = createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1');
    const line = new SilentLine(listening);
    listening.on('connection', (near) => {
      const far = connect(port, '127.0.0.1');
      for (const socket of [near, far]) socket.on('error', () => undefined);
      near.pipe(far).pipe(near);
      line.#pairs.push(near, far);
      line.connections += 1;
    });
    await once(listening, 'listening');
    return line;
  }
  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }
  fallSilent(): void {
    for (const socket of this.#pairs) socket.unpipe().pause();
    this.#pairs = [];
  }
  close(): void {
    this.server.close();
    for (const socket of this.#pairs) socket.destroy();
  }
}

describe('restart', () => {
  it('keeps the data', async () => {
    await sut.close();
    await server.stop();
    server = await startEmbeddedPostgres({ dataFolder: folder.path, clock: systemClock });
    sut = await HubDatabase.open(server.urls);
    await expect(
      sut.withQueue((sql) => sql.rows('SELECT job_id FROM study_job')),
    ).resolves.toHaveLength(2);
  }, 180_000);
});

describe('migrations', () => {
  it('fill the pseudonym of jobs that an older release left', async () => {
    const source = await migrationSource(server.urls.ownerUrl).initialize();
    try {
      const before = HUB_MIGRATIONS.findIndex((m) => m.name.startsWith('AddStudyPseudonym'));
      for (let i = HUB_MIGRATIONS.length; i > before; i -= 1) await source.undoLastMigration();
      await source.runMigrations();
      const forced = await source.query(
        `SELECT relforcerowsecurity AS forced FROM pg_class WHERE relname = 'study_job'`,
      );
      expect(forced).toEqual([{ forced: true }]);
    } finally {
      await source.destroy();
    }
    // Written as 2.25.1 above, and 2.25.7 in the manifest.
    const rows = await sut.withQueue((sql) => sql.rows('SELECT study_pseudonym FROM study_job'));
    expect(rows).toEqual([{ study_pseudonym: '2.25.7' }, { study_pseudonym: '2.25.7' }]);
  }, 60_000);

  it('go up, down and up again', async () => {
    const source = await migrationSource(server.urls.ownerUrl).initialize();
    const tables = `SELECT count(*)::int AS n FROM pg_tables WHERE schemaname = 'public'`;
    const functions = `SELECT count(*)::int AS n FROM pg_proc
      WHERE pronamespace = 'public'::regnamespace`;
    try {
      for (let i = 0; i < HUB_MIGRATIONS.length; i += 1) await source.undoLastMigration();
      expect(await source.query(tables)).toEqual([{ n: 1 }]);
      expect(await source.query(functions)).toEqual([{ n: 0 }]);
      await source.runMigrations();
      expect(await source.query(tables)).toEqual([{ n: 30 }]);
    } finally {
      await source.destroy();
    }
  }, 60_000);

  it('refuse a server whose administrator has not made every role', async () => {
    const client = new pg.Client({ connectionString: superuserUrl() });
    await client.connect();
    try {
      await client.query('ALTER ROLE aifi_access RENAME TO aifi_other');
      const open = HubDatabase.open(server.urls);
      await expect(open).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    } finally {
      await client.query('ALTER ROLE aifi_other RENAME TO aifi_access');
      await client.end();
    }
  });
});

function superuserUrl(): string {
  const path = join(folder.path, 'postgres-passwords.json');
  const { postgres } = JSON.parse(readFileSync(path, 'utf8')) as { postgres: string };
  return `postgres://postgres:${postgres}@127.0.0.1:${server.port}/postgres`;
}
