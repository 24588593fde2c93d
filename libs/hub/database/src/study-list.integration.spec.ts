/**
 * Goal: the study list stays fast when it is long, and its pages leave nothing out.
 * Method: 1,000,000 generated jobs of four sites in a real PostgreSQL, written through the app role
 * with every index in place; the planner executes the very statements of the list; pages are read
 * to their end and compared with what was written.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { systemClock, type SiteId } from '@aifi/shared-kernel';
import { temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import { enrolSites } from './enrolment.js';
import { startEmbeddedPostgres, type EmbeddedPostgres } from './embedded-postgres.js';
import { HubDatabase } from './hub-database.js';
import { JOB_SITES_SQL, readHubJobs, readStudyHops } from './job-trace.js';
import { readCursor } from './page-cursor.js';
import { removeServerFolder } from './server-folder.js';
import { SITE_ACTIVITY_SQL, siteActivity } from './site-activity.js';
import {
  listStudies,
  STUDY_LIST_SQL,
  studyListForm,
  type StudyListForm,
  type StudyListQuery,
} from './study-list.js';

const ROWS = 1_000_000;
const SITES = ['site-a', 'site-b', 'site-c', 'site-d'];
/** Sent three studies, long ago. */
const QUIET_SITE = 'site-e';
const LIMIT = 50;
/** The last job is opened at this moment, each before it two seconds earlier: 23 days in all. */
const NEWEST_MS = Date.UTC(2026, 10, 20, 12, 0, 0);
const STEP_MS = 2_000;

// Four jobs of a study; one in 50 waits, one in 20 has failed; ids in no order, as in real life.
const GENERATE = `
INSERT INTO study_job (site_id, job_id, revision, product, version, model_digest, lane, manifest,
  manifest_sha256, envelope, state, code, opened_at, concluded_at, study_pseudonym)
SELECT $1, md5(i::text), 1, 'fracture', '1.0.0', 'digest', 'routine', '\\x7b7d', 'sha', '\\x00',
  CASE WHEN i % 50 = 0 THEN 'QUEUED' ELSE 'ACKNOWLEDGED' END,
  CASE WHEN i % 20 = 1 THEN 'MODEL_FAILED' END,
  to_timestamp($4 - i * $5 / 1000.0),
  CASE WHEN i % 50 <> 0 THEN to_timestamp($4 - i * $5 / 1000.0 + 90) END,
  '2.25.' || (abs(hashtextextended((i / 16)::text, i % 4)))
FROM generate_series($2::int, $3::int, 4) AS i`;

let folder: TemporaryFolder;
let server: EmbeddedPostgres;
let sut: HubDatabase;

beforeAll(async () => {
  folder = temporaryFolder('hub-study-list');
  server = await startEmbeddedPostgres({ dataFolder: folder.path, clock: systemClock });
  sut = await HubDatabase.open(server.urls);
  const site = { purpose: 'demonstration', deployments: [] } as const;
  const sites = [...SITES, QUIET_SITE].map((siteName) => ({ siteName, ...site }));
  await enrolSites(sut, sites, async () => undefined);
  // Two at a time, as hospitals do; a transaction for each part of the time.
  await Promise.all([generate([0, 1]), generate([2, 3])]);
  await generateFor(QUIET_SITE, [ROWS, ROWS + 8]);
  await asRole(server.urls.ownerUrl, (client) => client.query('ANALYZE study_job'));
}, 240_000);

afterAll(async () => {
  await sut?.close();
  await server?.stop();
  await removeServerFolder(folder.path);
  folder.remove();
}, 60_000);

async function generate(siteNumbers: readonly number[]): Promise<void> {
  const part = ROWS / 10;
  for (let first = 0; first < ROWS; first += part) {
    for (const number of siteNumbers) {
      await generateFor(SITES[number]!, [first + number, first + part - 1]);
    }
  }
}
/** Every fourth number of the range is a job of this site. */
async function generateFor(site: string, [first, last]: [number, number]): Promise<void> {
  await sut.withSite(site as SiteId, (sql) =>
    sql.run(GENERATE, site, first, last, NEWEST_MS / 1000, STEP_MS),
  );
}

async function asRole<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Index Name'?: string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly 'Shared Hit Blocks': number;
  readonly 'Shared Read Blocks': number;
  readonly Plans?: readonly PlanNode[];
}
/** Every node of the plan that really ran, as the role that runs it. */
async function nodesOf(statement: string, values: readonly unknown[]): Promise<PlanNode[]> {
  const explained = await asRole(server.urls.jobsUrl, (client) =>
    client.query<{ 'QUERY PLAN': [{ Plan: PlanNode }] }>(
      `EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ${statement}`,
      [...values],
    ),
  );
  const flat = (node: PlanNode): PlanNode[] => [node, ...(node.Plans ?? []).flatMap(flat)];
  return flat(explained.rows[0]!['QUERY PLAN'][0].Plan);
}

const blocksOf = ([root]: readonly PlanNode[]): number =>
  root!['Shared Hit Blocks'] + root!['Shared Read Blocks'];

async function pseudonymOf(siteId: string): Promise<string> {
  const { items } = await listStudies(sut, { siteIds: [siteId], limit: 1 });
  return items[0]!.studyPseudonym;
}

type Question = [StudyListForm, string, Omit<StudyListQuery, 'limit' | 'cursor'>];
const QUESTIONS: Question[] = [
  ['all', 'study_job_newest', { siteIds: undefined }],
  ['inState', 'study_job_newest_in_state', { siteIds: undefined, state: 'QUEUED' }],
  ['ofSites', 'study_job_newest_of_site', { siteIds: ['site-b'] }],
  ['ofSites', 'study_job_newest_of_site', { siteIds: ['site-a', 'site-c'] }],
  ['ofSitesInState', 'study_job_newest_of_site_in_state', { siteIds: ['site-c'], state: 'QUEUED' }],
  [
    'ofSitesInState',
    'study_job_newest_of_site_in_state',
    { siteIds: ['site-a', 'site-c'], state: 'QUEUED' },
  ],
];

describe('the study list over a million jobs', () => {
  it('has a million jobs to look through', async () => {
    const rows = await sut.withQueue((sql) =>
      sql.rows('SELECT count(*)::int AS n, count(DISTINCT site_id)::int AS sites FROM study_job'),
    );
    expect(rows).toEqual([{ n: ROWS + 3, sites: SITES.length + 1 }]);
  });

  describe.each(['first', 'second', 'thousandth'])('on the %s page', (which) => {
    it.each(QUESTIONS)('reads %s from %s alone, and no more than it shows', async (...question) => {
      const [form, index, asked] = question;
      const cursor = await cursorOf(which, asked);
      const [chosen, values] = studyListForm({ ...asked, limit: LIMIT });
      expect(chosen).toBe(form);
      const all = [...readCursor(cursor), LIMIT + 1, ...values];
      const nodes = await nodesOf(STUDY_LIST_SQL[form], all);
      expect(nodes.map((node) => node['Index Name']).filter(Boolean)).toEqual([index]);
      expect(nodes.map((node) => node['Node Type'])).not.toContain('Seq Scan');
      const sites = asked.siteIds?.length ?? 1;
      for (const node of nodes) {
        // A sort merges one page of each site; without sites there is none.
        const rows = node['Actual Rows'] * node['Actual Loops'];
        expect(rows).toBeLessThanOrEqual((LIMIT + 1) * sites);
        expect(node['Rows Removed by Filter'] ?? 0).toBeLessThanOrEqual(1);
        if (asked.siteIds === undefined) expect(node['Node Type']).not.toMatch(/Sort/);
      }
      // Each line may lie in a block of its own, beside the few blocks of the index.
      expect(blocksOf(nodes)).toBeLessThan((LIMIT + 1) * sites + 20);
    });
  });

  it.each([
    ['ofStudy', {}],
    ['ofStudyFiltered', { siteIds: ['site-a'] }],
    ['ofStudyFiltered', { siteIds: ['site-a'], state: 'QUEUED' }],
  ] as const)('reads %s from the index of the studies', async (form, filter) => {
    const studyPseudonym = await pseudonymOf('site-a');
    const query = { siteIds: undefined, ...filter, studyPseudonym, limit: LIMIT };
    const [chosen, values] = studyListForm(query);
    expect(chosen).toBe(form);
    const all = [...readCursor(undefined), LIMIT + 1, ...values];
    const nodes = await nodesOf(STUDY_LIST_SQL[form], all);
    expect(nodes.map((node) => node['Index Name']).filter(Boolean)).toEqual(['study_job_of_study']);
    expect(nodes.map((node) => node['Node Type']).join()).not.toMatch(/Seq Scan|Sort/);
    expect(blocksOf(nodes)).toBeLessThan(20);
  });

  it('finds the few jobs of a quiet site at once, below a million of others', async () => {
    const siteIds = [QUIET_SITE];
    const { items } = await listStudies(sut, { siteIds, limit: LIMIT });
    expect(items).toHaveLength(3);
    const all = [...readCursor(undefined), LIMIT + 1, siteIds];
    const nodes = await nodesOf(STUDY_LIST_SQL.ofSites, all);
    expect(blocksOf(nodes)).toBeLessThan(20);
  });

  it('counts the hours of a site without looking at its other days', async () => {
    const nowMs = NEWEST_MS + 60_000;
    const day = [new Date(nowMs - 86_400_000), new Date(nowMs)];
    const nodes = await nodesOf(SITE_ACTIVITY_SQL, ['site-a', ...day]);
    const indexes = nodes.map((node) => node['Index Name']).filter(Boolean);
    expect(indexes.sort()).toEqual(['study_job_concluded', 'study_job_newest_of_site']);
    expect(nodes.map((node) => node['Node Type'])).not.toContain('Seq Scan');
  });

  it('finds a job by its id without looking at every job', async () => {
    const { items } = await listStudies(sut, { siteIds: ['site-c'], limit: 1 });
    const { jobId } = items[0]!;
    await expect(readHubJobs(sut, jobId)).resolves.toMatchObject([{ siteId: 'site-c', jobId }]);
    const nodes = await nodesOf(JOB_SITES_SQL, [jobId]);
    expect(nodes.map((node) => node['Index Name'])).toContain('study_job_pkey');
    expect(blocksOf(nodes)).toBeLessThan(40);
  });
});

/** Cursor of a page; the thousandth begins somewhere in the middle of the time. */
async function cursorOf(
  which: string,
  asked: Omit<StudyListQuery, 'limit' | 'cursor'>,
): Promise<string | undefined> {
  if (which === 'first') return undefined;
  if (which === 'second') {
    const page = await listStudies(sut, { ...asked, limit: LIMIT });
    return page.nextCursor!;
  }
  const micros = (NEWEST_MS - 100_000 * STEP_MS) * 1000;
  return Buffer.from(JSON.stringify([micros, 'site-b', 'f'])).toString('base64url');
}

describe(listStudies.name, () => {
  it('shows every job of a study exactly once over its pages, newest first', async () => {
    const studyPseudonym = await pseudonymOf('site-a');
    const whole = await listStudies(sut, { siteIds: undefined, studyPseudonym, limit: 200 });
    expect(whole.items.length).toBeGreaterThan(2);
    expect(whole.nextCursor).toBeNull();
    const paged = await readAll({ siteIds: undefined, studyPseudonym, limit: 1 });
    expect(paged).toEqual(whole.items);
    const times = paged.map((item) => item.openedAtMs);
    expect(times).toEqual(times.toSorted((a, b) => b - a));
  });

  it('merges sites to what all together show', async () => {
    const all = await readAll({ siteIds: undefined, state: 'QUEUED', limit: 7 }, 10);
    const merged = await readAll({ siteIds: SITES, state: 'QUEUED', limit: 7 }, 10);
    expect(merged).toEqual(all);
    expect(all).toHaveLength(70);
    const own = await readAll({ siteIds: ['site-c'], limit: 7 }, 10);
    expect(new Set(own.map((item) => item.siteId))).toEqual(new Set(['site-c']));
  });

  it('keeps jobs apart that were opened at the same moment', async () => {
    const at = new Date(NEWEST_MS + 3_600_000);
    for (const siteId of ['site-a', 'site-b'] as SiteId[]) {
      await sut.withSite(siteId, (sql) =>
        sql.run(
          `INSERT INTO study_job (site_id, job_id, revision, product, version, model_digest, lane,
             manifest, manifest_sha256, envelope, state, opened_at, study_pseudonym)
           SELECT $1, md5('same' || i), 1, 'p', '1.0.0', 'd', 'routine', '\\x00', 's', '\\x00',
             'OPEN', $2, '2.25.42' FROM generate_series(1, 9) AS i`,
          siteId,
          at,
        ),
      );
    }
    for (const asked of [{ siteIds: undefined }, { siteIds: ['site-a', 'site-b'] }]) {
      const jobs = await readAll({ ...asked, state: 'OPEN', limit: 4 });
      const keys = jobs.map(({ siteId, jobId }) => `${siteId} ${jobId}`);
      expect(new Set(keys).size).toBe(18);
      expect(keys).toHaveLength(18);
    }
  });

  it('shows nothing of no site, and refuses what is no cursor', async () => {
    const none = await listStudies(sut, { siteIds: [], limit: 5 });
    expect(none).toEqual({ items: [], nextCursor: null });
    for (const text of ['x', 'W10', Buffer.from('[-1,"",""]').toString('base64url')]) {
      const read = listStudies(sut, { siteIds: undefined, cursor: text, limit: 5 });
      await expect(read).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    }
  });
});

async function readAll(
  query: StudyListQuery,
  pagesMax = 100,
): Promise<Awaited<ReturnType<typeof listStudies>>['items']> {
  const items = [];
  let cursor: string | null | undefined = undefined;
  for (let page = 0; page < pagesMax && cursor !== null; page += 1) {
    const read: Awaited<ReturnType<typeof listStudies>> = await listStudies(sut, {
      ...query,
      cursor,
    });
    items.push(...read.items);
    cursor = read.nextCursor;
  }
  return items;
}

describe(readStudyHops.name, () => {
  it('reads the jobs of a study at one site only', async () => {
    const hops = await readStudyHops(sut, 'site-a', '2.25.42');
    expect(hops.jobs).toHaveLength(9);
    expect(new Set(hops.jobs.map((job) => job.siteId))).toEqual(new Set(['site-a']));
    for (const [siteId, pseudonym] of [
      ['site-c', '2.25.42'],
      ['site-a', '2.25.43'],
    ] as const) {
      const read = readStudyHops(sut, siteId, pseudonym);
      await expect(read).rejects.toMatchObject({ code: 'NOT_FOUND' });
    }
  });
});

describe(siteActivity.name, () => {
  it('counts 24 whole hours, oldest first, the present one included', async () => {
    const { hours } = await siteActivity(sut, 'site-a', NEWEST_MS - 1);
    expect(hours).toHaveLength(24);
    expect(hours[0]!.startMs).toBe(NEWEST_MS - 24 * 3_600_000);
    expect(hours[23]!.startMs).toBe(NEWEST_MS - 3_600_000);
    // One job each 2 s over four sites; one in 50 of a site with an even number waits, none fails.
    for (const { opened } of hours) expect(Math.abs(opened - 450)).toBeLessThanOrEqual(1);
    expect(hours.every(({ concluded }) => concluded > 400)).toBe(true);
  });

  it('has zeros for a site where nothing happened', async () => {
    const { hours } = await siteActivity(sut, 'site-x', NEWEST_MS);
    expect(hours).toHaveLength(24);
    expect(hours.every(({ opened, concluded, failed }) => opened + concluded + failed === 0)).toBe(
      true,
    );
  });
});
