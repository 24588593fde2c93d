/**
 * Goal: the rows of PostgreSQL keep the rules of ObjectRecords. Method: the shared contract, on an
 * embedded server, each test with sites of its own.
 */
import { afterAll, beforeAll } from '@jest/globals';
import { systemClock, type SiteId } from '@aifi/shared-kernel';
import {
  enrolSites,
  HubDatabase,
  startEmbeddedPostgres,
  type EmbeddedPostgres,
} from '@aifi/hub-database';
import { temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import { objectRecordsContract } from './object-records.contract.js';
import { PostgresObjectRecords } from './postgres-object-records.js';

let folder: TemporaryFolder;
let server: EmbeddedPostgres;
let database: HubDatabase;
let made = 0;

beforeAll(async () => {
  folder = temporaryFolder('object-records');
  server = await startEmbeddedPostgres({ dataFolder: folder.path, clock: systemClock });
  database = await HubDatabase.open(server.urls);
}, 180_000);
afterAll(async () => {
  await database?.close();
  await server?.stop();
  folder.remove();
}, 60_000);

objectRecordsContract(PostgresObjectRecords.name, async () => {
  made += 1;
  const names = [`site-${made}-a`, `site-${made}-b`];
  const enrolled = names.map((siteName) => {
    return { siteName, purpose: 'demonstration', deployments: [] } as const;
  });
  await enrolSites(database, enrolled, () => Promise.resolve());
  const [siteA, siteB] = names as unknown as [SiteId, SiteId];
  return {
    sut: new PostgresObjectRecords(database),
    sites: [siteA, siteB],
    openJob: async (jobId, lane, digests) => {
      await database.withSite(siteA, async (sql) => {
        await sql.run(
          `INSERT INTO study_job (site_id, job_id, revision, product, version, model_digest, lane,
             manifest, manifest_sha256, envelope, state, opened_at, study_pseudonym, gateway)
           VALUES ($1, $2, 1, 'p', '1.0.0', 'none', $3, $4, $2, $4, 'OPEN', now(), '2.25.1', 1)`,
          ...[siteA, jobId, lane, Buffer.from(jobId)],
        );
        await sql.run(
          `INSERT INTO job_object (site_id, job_id, position, sha256, size_bytes)
           SELECT $1, $2, o.position - 1, o.sha256, 10
           FROM unnest($3::text[]) WITH ORDINALITY AS o(sha256, position)`,
          ...[siteA, jobId, [...digests]],
        );
      });
    },
    rows: async () => {
      const rows = await database.withSite(siteA, (sql) =>
        sql.rows<{ sha256: string }>('SELECT sha256 FROM study_object'),
      );
      return rows.map(({ sha256 }) => sha256);
    },
  };
});
