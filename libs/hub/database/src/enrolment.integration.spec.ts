/**
 * Goal: what enrolment changes at a site leaves exactly one record each, and nothing else does.
 * Method: configurations follow each other on a real database; the records of the site's chain are
 * read after each; a start that fails in the middle leaves neither change nor record.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AifiError, systemClock, type Sha256, type SiteId } from '@aifi/shared-kernel';
import { temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import { enrolSites, listDeployments, type ConfiguredSite, type Site } from './enrolment.js';
import { startEmbeddedPostgres, type EmbeddedPostgres } from './embedded-postgres.js';
import { HubDatabase } from './hub-database.js';
import { removeServerFolder } from './server-folder.js';
import type { Sql } from './sql.js';

const digest = (letter: string): Sha256 => letter.repeat(64) as Sha256;
const fracture = { product: 'fracture', version: '1.0.0', modelDigest: digest('a') };
const nodule = { product: 'nodule', version: '2.0.0', modelDigest: digest('b') };
const siteOf = (...deployments: ConfiguredSite['deployments']): ConfiguredSite => ({
  ...{ siteName: 'site-a', purpose: 'demonstration', deployments },
});

let folder: TemporaryFolder;
let server: EmbeddedPostgres;
let database: HubDatabase;

beforeAll(async () => {
  folder = temporaryFolder('hub-enrolment');
  server = await startEmbeddedPostgres({ dataFolder: folder.path, clock: systemClock });
  database = await HubDatabase.open(server.urls);
}, 180_000);

afterAll(async () => {
  await database?.close();
  await server?.stop();
  await removeServerFolder(folder.path);
  folder.remove();
}, 60_000);

const noWork = async (): Promise<void> => undefined;
/** Publishes rules as the route stage does. */
async function publish(sql: Sql, { siteId }: Site): Promise<void> {
  await sql.run(
    `INSERT INTO routing_rules (site_id, sequence, content_sha256, rules, rules_sha256, signature)
     SELECT $1, COALESCE(max(sequence), 0) + 1, 'c', '\\x00', 'r', '\\x00' FROM routing_rules`,
    siteId,
  );
}

let seen = 0;
/** Records since the last look, as `act object state`. */
async function newRecords(): Promise<string[]> {
  const rows = await database.withAccess((sql) =>
    sql.rows<{ sequence: string; text: string; kind: string; user: string }>(
      `SELECT sequence, concat_ws(' ', act, object_id, detail ->> 'state') AS text,
         user_kind AS kind, user_id AS user
       FROM audit_record WHERE site_id = 'site-a' AND sequence > $1 ORDER BY sequence`,
      seen,
    ),
  );
  seen = Number(rows.at(-1)?.sequence ?? seen);
  for (const row of rows) expect(row).toMatchObject({ kind: 'system', user: 'hub' });
  return rows.map((row) => row.text);
}

describe(enrolSites.name, () => {
  it('records a new site, its deployments and its rules, once each', async () => {
    await enrolSites(database, [siteOf({ ...fracture, state: 'active' })], publish);
    await expect(newRecords()).resolves.toEqual([
      'site.enrol site-a active',
      'deployment.change fracture 1.0.0 active',
      'rules.publish 1',
    ]);
  });

  it('records nothing when it starts again with the same configuration', async () => {
    await enrolSites(database, [siteOf({ ...fracture, state: 'active' })], noWork);
    await expect(newRecords()).resolves.toEqual([]);
  });

  it('records each deployment that is added, suspended or retired, and only those', async () => {
    const configured = siteOf({ ...fracture, state: 'suspended' }, { ...nodule, state: 'active' });
    await enrolSites(database, [configured], noWork);
    await expect(newRecords()).resolves.toEqual([
      'deployment.change fracture 1.0.0 suspended',
      'deployment.change nodule 2.0.0 active',
    ]);
    await enrolSites(database, [siteOf({ ...fracture, state: 'suspended' })], noWork);
    await expect(newRecords()).resolves.toEqual(['deployment.change nodule 2.0.0 retired']);
    const states = await database.withSite('site-a' as unknown as SiteId, listDeployments);
    expect(states.map(({ product, state }) => `${product} ${state}`)).toEqual([
      ...['fracture suspended', 'nodule retired'],
    ]);
  });

  it('records a site that leaves the configuration, and its return', async () => {
    await enrolSites(database, [], noWork);
    await expect(newRecords()).resolves.toEqual([
      'site.change site-a inactive',
      'deployment.change fracture 1.0.0 retired',
    ]);
    await enrolSites(database, [siteOf()], noWork);
    await expect(newRecords()).resolves.toEqual(['site.change site-a active']);
  });

  it('leaves neither change nor record when it fails in the middle', async () => {
    const fail = async (): Promise<void> => {
      throw new AifiError('CONFIG_INVALID', 'no package');
    };
    const failing = enrolSites(database, [siteOf({ ...nodule, state: 'active' })], fail);
    await expect(failing).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    const other = { ...fracture, modelDigest: digest('c'), state: 'active' } as const;
    const changed = enrolSites(database, [siteOf(other)], noWork);
    await expect(changed).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    await expect(newRecords()).resolves.toEqual([]);
    const states = await database.withSite('site-a' as unknown as SiteId, listDeployments);
    expect(new Set(states.map(({ state }) => state))).toEqual(new Set(['retired']));
  });
});
