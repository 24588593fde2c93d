/**
 * Enrolment: sites and deployments as configured, kept as rows.
 * Decides that the configuration is the whole truth about deployments: one that is no longer in it
 * retires. A site that is no longer in it becomes inactive, unless a person enrolled it.
 * Invariant: a version never changes its model (hazard H9): another digest under the same version
 * refuses the start; each change leaves one audit record, a start without changes none.
 * Source: governance specification 4.2, 4.7 (Deployment); security specification 5.
 */
import { AifiError, type Purpose, type Sha256, type SiteId } from '@aifi/shared-kernel';
import { recordChanges, type EnrolmentChange } from './enrolment-records.js';
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
    const { purpose, origin, state } = (await database.withSite(siteId, readEnrolled))!;
    const then = origin === 'enrolment' ? state : 'inactive';
    await enrolSite(database, { siteName: siteId, purpose, deployments: [], state: then }, work);
  }
}

/**
 * Makes a site that a person enrols, or takes over one of the configuration: from then on it stays
 * when the configuration does not name it. Deployments stay as they are. STATE_CONFLICT for a site
 * that was switched off: that is not undone by the way.
 */
export async function enrolNamedSite(
  database: HubDatabase,
  { siteName, purpose }: Pick<ConfiguredSite, 'siteName' | 'purpose'>,
  work: (sql: Sql, site: Site) => Promise<void>,
): Promise<void> {
  await database.withConfiguredSite(siteName, async (sql) => {
    const known = await readEnrolled(sql);
    if (known && known.state !== 'active') {
      throw new AifiError('STATE_CONFLICT', 'the site is switched off');
    }
    const wanted = { siteName, purpose, state: 'active', origin: 'enrolment' } as const;
    const changes = await upsertSite(sql, wanted);
    if (changes.length > 0) changes.push(...(await workOnSite(sql, work)));
    await recordChanges(sql, siteName, changes);
  });
}

async function enrolSite(
  database: HubDatabase,
  configured: ConfiguredSite & Pick<Site, 'state'>,
  work: (sql: Sql, site: Site) => Promise<void>,
): Promise<void> {
  const { siteName, deployments } = configured;
  await database.withConfiguredSite(siteName, async (sql) => {
    const changes = await upsertSite(sql, configured);
    changes.push(...(await changeDeployments(sql, siteName, deployments)));
    changes.push(...(await workOnSite(sql, work)));
    await recordChanges(sql, siteName, changes);
  });
}

/** Runs the work, which may publish rules. */
async function workOnSite(
  sql: Sql,
  work: (sql: Sql, site: Site) => Promise<void>,
): Promise<EnrolmentChange[]> {
  const site = await readSite(sql);
  if (!site) throw new AifiError('INTERNAL', 'the enrolled site does not read');
  const before = await lastRules(sql);
  await work(sql, site);
  const after = await lastRules(sql);
  return after === before ? [] : [rulesChange(after)];
}

type Enrolled = Pick<Site, 'purpose' | 'state'> & { origin: 'configuration' | 'enrolment' };
const readEnrolled = (sql: Sql): Promise<Enrolled | undefined> =>
  sql.row<Enrolled>('SELECT purpose, state, origin FROM site FOR UPDATE');

/** Makes the site, or changes it; its row stays locked until the transaction ends. */
async function upsertSite(
  sql: Sql,
  wanted: Pick<ConfiguredSite, 'siteName'> & Pick<Site, 'purpose' | 'state'> & Partial<Enrolled>,
): Promise<EnrolmentChange[]> {
  const { siteName, purpose, state } = wanted;
  const site = { objectType: 'site', objectId: siteName } as const;
  const made = await sql.run(
    `INSERT INTO site (site_id, purpose, state, origin) VALUES ($1, $2, $3, $4)
     ON CONFLICT (site_id) DO NOTHING`,
    siteName,
    purpose,
    state,
    wanted.origin ?? 'configuration',
  );
  if (made === 1) return [{ ...site, act: 'site.enrol', detail: { purpose, state } }];
  const before = (await readEnrolled(sql))!;
  // A configuration that names the site does not take it back from who enrolled it.
  const origin = wanted.origin ?? before.origin;
  const isSame = before.purpose === purpose && before.state === state;
  if (isSame && before.origin === origin) return [];
  await sql.run('UPDATE site SET purpose = $1, state = $2, origin = $3', purpose, state, origin);
  const detail = { purpose, state, stateBefore: before.state };
  return [{ ...site, act: 'site.change', detail }];
}

/** Adds, changes and retires until the rows say what the configuration says. */
async function changeDeployments(
  sql: Sql,
  siteName: string,
  configured: readonly ConfiguredDeployment[],
): Promise<EnrolmentChange[]> {
  const known = new Map((await listDeployments(sql)).map((d) => [keyOf(d), d]));
  const wanted = new Map<string, Deployment>(configured.map((d) => [keyOf(d), d]));
  for (const [key, deployment] of known) {
    if (!wanted.has(key)) wanted.set(key, { ...deployment, state: 'retired' });
  }
  const changes: EnrolmentChange[] = [];
  for (const [key, deployment] of wanted) {
    const before = known.get(key);
    if (before && before.modelDigest !== deployment.modelDigest) {
      throw new AifiError('CONFIG_INVALID', 'a deployed version has another model than before');
    }
    if (before?.state === deployment.state) continue;
    await upsertDeployment(sql, siteName, deployment);
    const { state, modelDigest } = deployment;
    const detail = { state, stateBefore: before?.state ?? '', modelDigest };
    changes.push({ act: 'deployment.change', objectType: 'deployment', objectId: key, detail });
  }
  return changes;
}
const keyOf = ({ product, version }: Pick<Deployment, 'product' | 'version'>): string =>
  `${product} ${version}`;

async function upsertDeployment(
  sql: Sql,
  siteName: string,
  { product, version, modelDigest, state }: Deployment,
): Promise<void> {
  await sql.run(
    `INSERT INTO deployment (site_id, product, version, model_digest, state)
     VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (site_id, product, version)
       DO UPDATE SET state = excluded.state, updated_at = now()`,
    siteName,
    product,
    version,
    modelDigest,
    state,
  );
}

/** Number of the latest routing rules of the site; '0': there are none. */
async function lastRules(sql: Sql): Promise<string> {
  const row = await sql.row<{ last: string }>(
    'SELECT COALESCE(max(sequence), 0)::text AS last FROM routing_rules',
  );
  return row!.last;
}
const rulesChange = (sequence: string): EnrolmentChange => ({
  ...{ act: 'rules.publish', objectType: 'rules', objectId: sequence },
  detail: { sequence: Number(sequence) },
});

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
