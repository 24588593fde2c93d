/**
 * Goal: PostgreSQL keeps the rules of every IngestStore, and remembers which gateway sent a job.
 * Method: the shared suite on the embedded server; what ingest does not answer is read from rows.
 */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { HubDatabase, removeServerFolder, startEmbeddedPostgres } from '@aifi/hub-database';
import { systemClock, type SiteId } from '@aifi/shared-kernel';
import { temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import {
  CONTRACT_OPEN_JOBS_MAX,
  CONTRACT_RULES,
  CONTRACT_SITES,
  ingestStoreContract,
} from './ingest-store.contract.js';
import { PostgresObjectRecords } from './objects/postgres-object-records.js';
import { PostgresIngestStore } from './postgres-ingest.store.js';

let folder: TemporaryFolder;
let server: Awaited<ReturnType<typeof startEmbeddedPostgres>>;
let database: HubDatabase;

beforeAll(async () => {
  folder = temporaryFolder('ingest-store');
  server = await startEmbeddedPostgres({ dataFolder: folder.path, clock: systemClock });
  database = await HubDatabase.open(server.urls);
  for (const site of CONTRACT_SITES) {
    await database.withConfiguredSite(site, async (sql) => {
      await sql.run(
        `INSERT INTO site (site_id, purpose, state) VALUES ($1, 'clinical', 'active')`,
        site,
      );
      for (const [index, sha256] of CONTRACT_RULES.entries()) {
        await sql.run(
          `INSERT INTO routing_rules (site_id, sequence, content_sha256, rules, rules_sha256,
             signature, issued_at) VALUES ($1, $2, $3, '', $3, '', now())`,
          ...[site, index + 1, sha256],
        );
      }
    });
  }
}, 180_000);

afterAll(async () => {
  await database?.close();
  await server?.stop();
  await removeServerFolder(folder.path);
  folder.remove();
}, 60_000);

const eventsOf = async (siteId: SiteId): Promise<string[]> => {
  const rows = await database.withSite(siteId, (sql) =>
    sql.rows<{ job: string }>(`SELECT payload->>'jobId' AS job FROM outbox ORDER BY event_id`),
  );
  return rows.map((row) => row.job);
};

ingestStoreContract(PostgresIngestStore.name, () => ({
  store: new PostgresIngestStore(database, CONTRACT_OPEN_JOBS_MAX),
  records: new PostgresObjectRecords(database),
  events: eventsOf,
}));

it('has an index for the count of open jobs of a site', async () => {
  const rows = await database.withConfiguredSite('site-c', (sql) =>
    sql.rows<{ indexdef: string }>(
      `SELECT indexdef FROM pg_indexes WHERE indexname = 'study_job_newest_of_site_in_state'`,
    ),
  );
  expect(rows[0]?.indexdef).toContain('(site_id, state, opened_at,');
});

it('remembers which gateway of the site sent a job', async () => {
  const rows = await database.withConfiguredSite('site-a', (sql) =>
    sql.rows<{ gateway: number }>('SELECT DISTINCT gateway FROM study_job'),
  );
  expect(rows).toEqual([{ gateway: 2 }]);
});
