/**
 * Goal: the hub's database keeps sites apart and loses nothing, on the real embedded server.
 * Method: one embedded PostgreSQL for the file; the catalogue is asked about every table; two sites
 * with equal ids try to see, change and reference each other's rows; claims race and run out.
 */
import { existsSync, readFileSync, readlinkSync, realpathSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
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
/** Tables that belong to no tenant. */
const NOT_TENANT = ['schema_migration'];
/** Columns that the cross-site role may read (guard C3: exceptions by name). */
const JOBS_MAY_READ: Readonly<Record<string, readonly string[]>> = {
  site: ['site_id'],
  study_job: [
    ...['site_id', 'job_id', 'revision', 'product', 'version', 'lane', 'state', 'code'],
    ...['opened_at', 'stored_at', 'queued_at', 'inferred_at', 'concluded_at', 'acknowledged_at'],
  ],
  inference_job: [
    ...['site_id', 'job_id', 'lane', 'state', 'queued_at', 'lease_until', 'lease_epoch'],
    ...['attempts', 'next_attempt_at', 'last_fault'],
  ],
};

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
         manifest, manifest_sha256, envelope, state)
       VALUES ($1, $2, 1, 'p', '1.0.0', 'd', 'routine', '\\x00', 's', '\\x00', 'QUEUED')`,
      siteId,
      jobId,
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

describe('the catalogue', () => {
  it('has row-level security enabled, forced and with a policy on every tenant table', async () => {
    const tables = await catalogue<{ name: string }>(
      `SELECT c.relname AS name FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace
       AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
       AND NOT (c.relrowsecurity AND c.relforcerowsecurity AND EXISTS (
         SELECT 1 FROM pg_policies p WHERE p.tablename = c.relname
           AND p.policyname = 'own_site'))`,
    );
    expect(tables.map((row) => row.name)).toEqual(NOT_TENANT);
  });

  it('starts every primary and unique key of a tenant table with the site', async () => {
    const keys = await catalogue<{ name: string }>(
      `SELECT i.indexrelid::regclass::text AS name FROM pg_index i
       JOIN pg_class c ON c.oid = i.indrelid
       JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
       WHERE c.relnamespace = 'public'::regnamespace AND i.indisunique AND a.attname <> 'site_id'`,
    );
    expect(
      keys.every((row) => row.name.includes('schema_migration') || /^"?PK_/.test(row.name)),
    ).toBe(true);
    expect(keys).toHaveLength(1);
  });

  it('carries the site in every foreign key, on both sides', async () => {
    const foreign = await catalogue<{ name: string }>(
      `SELECT conname AS name FROM pg_constraint WHERE contype = 'f' AND NOT EXISTS (
         SELECT 1 FROM unnest(conkey, confkey) AS pair(here, there)
         JOIN pg_attribute a ON a.attrelid = conrelid AND a.attnum = here
         JOIN pg_attribute b ON b.attrelid = confrelid AND b.attnum = there
         WHERE a.attname = 'site_id' AND b.attname = 'site_id')`,
    );
    expect(foreign).toEqual([]);
  });

  it('lets the cross-site role read the named queue columns and nothing else', async () => {
    const columns = await catalogue<{ name: string; column: string }>(
      `SELECT c.relname AS name, a.attname AS column FROM pg_class c
       JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
       WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'
         AND has_column_privilege('aifi_jobs', c.oid, a.attnum, 'SELECT') ORDER BY 1, a.attnum`,
    );
    const readable: Record<string, string[]> = {};
    for (const { name, column } of columns) (readable[name] ??= []).push(column);
    expect(Object.keys(readable).sort()).toEqual(Object.keys(JOBS_MAY_READ).sort());
    for (const [table, names] of Object.entries(JOBS_MAY_READ)) {
      expect(readable[table]!.sort()).toEqual([...names].sort());
    }
  });

  it('gives the working roles neither ownership nor BYPASSRLS', async () => {
    const roles = await catalogue<{ rolname: string }>(
      `SELECT rolname FROM pg_roles r WHERE rolname IN ('aifi_app', 'aifi_jobs') AND
       (rolbypassrls OR rolsuper OR EXISTS (SELECT 1 FROM pg_class WHERE relowner = r.oid))`,
    );
    expect(roles).toEqual([]);
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
  it('go up, down and up again', async () => {
    const source = await migrationSource(server.urls.ownerUrl).initialize();
    const tables = `SELECT count(*)::int AS n FROM pg_tables WHERE schemaname = 'public'`;
    try {
      for (let i = 0; i < HUB_MIGRATIONS.length; i += 1) await source.undoLastMigration();
      expect(await source.query(tables)).toEqual([{ n: 1 }]);
      await source.runMigrations();
      expect(await source.query(tables)).toEqual([{ n: 12 }]);
    } finally {
      await source.destroy();
    }
  }, 60_000);
});
