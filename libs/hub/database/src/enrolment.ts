/**
 * Enrolment: sites and deployments as configured, kept as rows.
 * Decides that the configuration is the whole truth: a deployment that is no longer in it retires,
 * a site that is no longer in it becomes inactive.
 * Invariant: a version never changes its model (hazard H9): another digest under the same version
 * refuses the start. Source: governance specification 4.2, 4.7 (Deployment).
 */
import { AifiError, type Purpose, type Sha256, type SiteId } from '@aifi/shared-kernel';
import type { HubDatabase } from './hub-database.js';
import type { Sql } from './sql.js';

export interface ConfiguredDeployment {
  readonly product: string;
  readonly version: string;
  readonly modelDigest: Sha256;
  readonly state: 'active' | 'suspended';
}
export interface ConfiguredSite {
  /** As in the certificates of its gateways. */
  readonly siteName: string;
  readonly purpose: Purpose;
  readonly deployments: readonly ConfiguredDeployment[];
}
/** A site as the database knows it. */
export interface Site {
  readonly siteId: SiteId;
  readonly purpose: Purpose;
  readonly state: 'active' | 'inactive';
}
export interface Deployment {
  readonly product: string;
  readonly version: string;
  readonly modelDigest: Sha256;
  readonly state: 'active' | 'suspended' | 'retired';
}

/** Makes or updates all sites and their deployments; `work` runs in the transaction of each. */
export async function enrolSites(
  database: HubDatabase,
  configured: readonly ConfiguredSite[],
  work: (sql: Sql, site: Site) => Promise<void>,
): Promise<void> {
  for (const site of configured) await enrolSite(database, { ...site, state: 'active' }, work);
  const known = await database.withQueue((sql) =>
    sql.rows<{ site_id: SiteId }>('SELECT site_id FROM site'),
  );
  const dropped = known.filter((row) => !configured.some((c) => c.siteName === row.site_id));
  for (const { site_id: siteId } of dropped) {
    const purpose = (await database.withSite(siteId, readSite))?.purpose ?? 'clinical';
    const inactive = { siteName: siteId, purpose, deployments: [], state: 'inactive' } as const;
    await enrolSite(database, inactive, work);
  }
}

async function enrolSite<T>(
  database: HubDatabase,
  configured: ConfiguredSite & Pick<Site, 'state'>,
  work: (sql: Sql, site: Site) => Promise<T>,
): Promise<T> {
  const { siteName, purpose, deployments, state } = configured;
  return database.withConfiguredSite(siteName, async (sql) => {
    await sql.run(
      `INSERT INTO site (site_id, purpose, state) VALUES ($1, $2, $3)
       ON CONFLICT (site_id) DO UPDATE SET purpose = excluded.purpose, state = excluded.state`,
      siteName,
      purpose,
      state,
    );
    await sql.run(`UPDATE deployment SET state = 'retired', updated_at = now()`);
    for (const deployment of deployments) await upsertDeployment(sql, siteName, deployment);
    const site = await readSite(sql);
    if (!site) throw new AifiError('INTERNAL', 'the enrolled site does not read');
    return work(sql, site);
  });
}

async function upsertDeployment(
  sql: Sql,
  siteName: string,
  { product, version, modelDigest, state }: ConfiguredDeployment,
): Promise<void> {
  const changed = await sql.run(
    `INSERT INTO deployment (site_id, product, version, model_digest, state)
     VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (site_id, product, version) DO UPDATE SET state = excluded.state
     WHERE deployment.model_digest = excluded.model_digest`,
    siteName,
    product,
    version,
    modelDigest,
    state,
  );
  if (changed !== 1) {
    throw new AifiError('CONFIG_INVALID', 'a deployed version has another model than before');
  }
}

/** The site of the transaction; undefined when it is not enrolled. */
export async function readSite(sql: Sql): Promise<Site | undefined> {
  const row = await sql.row<{ site_id: SiteId; purpose: Purpose; state: Site['state'] }>(
    'SELECT site_id, purpose, state FROM site',
  );
  return row && { siteId: row.site_id, purpose: row.purpose, state: row.state };
}

/** Deployments of the site of the transaction, retired ones included. */
export async function listDeployments(sql: Sql): Promise<Deployment[]> {
  const rows = await sql.rows<Omit<Deployment, 'modelDigest'> & { model_digest: Sha256 }>(
    'SELECT product, version, model_digest, state FROM deployment ORDER BY product, version',
  );
  return rows.map(({ model_digest: modelDigest, product, version, state }) => ({
    ...{ product, version, state },
    modelDigest,
  }));
}
