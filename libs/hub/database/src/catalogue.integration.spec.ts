/**
 * Goal: what each role may see and do is what is written here, and nothing else (guard C3).
 * Method: PostgreSQL's own catalogue, asked about every table, key, policy, right, view and
 * function; every exception is named in this file, so that a new one is a change of this file.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { systemClock } from '@aifi/shared-kernel';
import { temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import { startEmbeddedPostgres, type EmbeddedPostgres } from './embedded-postgres.js';
import { HubDatabase, migrationSource } from './hub-database.js';
import { removeServerFolder } from './server-folder.js';

/** Tables of a tenant: one site's rows each. */
const TENANT = [
  ...['site', 'deployment', 'routing_rules', 'study_job', 'study_object', 'job_object'],
  ...['inference_job', 'inference_record', 'outcome', 'outcome_object', 'outbox'],
  ...['approval', 'audit_head', 'audit_record', 'audit_anchor', 'audit_shipping'],
  ...['object_removal', 'evaluation_study', 'digest_pass'],
  ...['join_token', 'gateway_certificate', 'certificate_binding'],
  ...['outcome_cursor', 'kill_state', 'gateway_take_over', 'product_stop'],
];
/** Of the hub itself: its authorities. */
const OF_HUB = ['authority'];
/** One identity of a foreign certificate stands for one gateway of all sites (guard C1). */
const KEYS_OVER_SITES = ['certificate_binding'];
/** Rows of persons, who belong to several sites or to none: aifi_access only. */
const OF_PERSONS = ['session', 'idempotency_key'];
/** Written by the migrations, readable by their owner only. */
const OF_OWNER = ['schema_migration'];

/** Every row that belongs to a job, or to what was made of it. */
const PARENTS = [
  ...['inference_job > study_job', 'inference_record > inference_job', 'job_object > study_job'],
  ...['outcome > study_job', 'outcome_object > outcome'],
];

const OWN = `(site_id = NULLIF(current_setting('app.site_id'::text, true), ''::text))`;
const own = `aifi_app ALL ${OWN} ${OWN}`;
const allOf = (role: string): string => `${role} ALL true true`;
const POLICIES: Readonly<Record<string, string>> = {
  'site own_site': own,
  'deployment own_site': own,
  'routing_rules own_site': own,
  'study_job own_site': own,
  'study_object own_site': own,
  'job_object own_site': own,
  'inference_job own_site': own,
  'inference_record own_site': own,
  'outcome own_site': own,
  'outcome_object own_site': own,
  'outbox own_site': own,
  'object_removal own_site': own,
  'evaluation_study own_site': own,
  'digest_pass own_site': own,
  // Named exceptions of cross-site work: rows of all sites; the columns are limited below.
  'site all_sites_queue': 'aifi_jobs SELECT true -',
  'study_job all_sites_queue': 'aifi_jobs SELECT true -',
  'inference_job all_sites_queue': allOf('aifi_jobs'),
  // Access and audit.
  'session all_access': allOf('aifi_access'),
  'idempotency_key all_access': allOf('aifi_access'),
  'approval all_access': allOf('aifi_access'),
  'audit_head all_access': allOf('aifi_access'),
  'audit_record all_access': allOf('aifi_access'),
  'audit_anchor all_access': allOf('aifi_access'),
  'audit_shipping all_access': allOf('aifi_access'),
  'site access_site_names': 'aifi_access SELECT true -',
  // Enrolment: in the transaction of the act and its record.
  'authority all_access': allOf('aifi_access'),
  'join_token all_access': allOf('aifi_access'),
  'gateway_certificate all_access': allOf('aifi_access'),
  'certificate_binding all_access': allOf('aifi_access'),
  // A site's own acts are recorded in its own chain; it reads its own anchors.
  'audit_head own_chain': own,
  'audit_record own_chain': `aifi_app INSERT - ${OWN}`,
  'audit_anchor own_anchors': `aifi_app SELECT ${OWN} -`,
  // What comes down. Take-overs and stops are made by persons and read by the work of a site; a
  // stop of every site is everybody's to read, and cross-site work finds the jobs that it ends.
  'outcome_cursor own_site': own,
  'kill_state own_site': own,
  'gateway_take_over own_site': `aifi_app SELECT ${OWN} -`,
  'gateway_take_over all_access': allOf('aifi_access'),
  'product_stop own_or_every_site': `aifi_app SELECT ((site_id = '*'::text) OR ${OWN}) -`,
  'product_stop all_access': allOf('aifi_access'),
  'product_stop all_sites_queue': 'aifi_jobs SELECT true -',
  // Retention: the function audit_cut, as the owner.
  'audit_record retention_sees': 'aifi_owner SELECT true -',
  'audit_record retention_cuts': 'aifi_owner DELETE true -',
  'audit_anchor retention_sees': 'aifi_owner SELECT true -',
};

const SITE_WORK = 'INSERT SELECT UPDATE';
const QUEUE_TIMES = 'opened_at stored_at queued_at inferred_at concluded_at acknowledged_at';
const QUEUE_JOB = 'site_id job_id revision product version lane state code study_pseudonym';
/** Rights of the working roles: on whole tables, then on columns. */
const RIGHTS: Readonly<Record<string, string>> = {
  ...Object.fromEntries(TENANT.slice(0, 11).map((table) => [`aifi_app ${table}`, SITE_WORK])),
  'aifi_app outcome_cursor': SITE_WORK,
  'aifi_app kill_state': SITE_WORK,
  'aifi_app gateway_take_over': 'SELECT',
  'aifi_access gateway_take_over': 'INSERT SELECT',
  'aifi_access product_stop': SITE_WORK,
  // Retention: rows of pixels and of removals go under the site's own role.
  'aifi_app study_object': `DELETE ${SITE_WORK}`,
  'aifi_app object_removal': `DELETE ${SITE_WORK}`,
  'aifi_app evaluation_study': 'INSERT SELECT',
  'aifi_app digest_pass': SITE_WORK,
  'aifi_app audit_head': 'INSERT SELECT',
  'aifi_app audit_record': 'INSERT',
  'aifi_app audit_anchor': 'SELECT',
  'aifi_jobs inference_job': 'SELECT',
  'aifi_access session': 'DELETE INSERT SELECT',
  'aifi_access idempotency_key': 'DELETE INSERT SELECT UPDATE',
  'aifi_access approval': 'INSERT SELECT',
  'aifi_access audit_head': 'INSERT SELECT',
  'aifi_access audit_record': 'INSERT SELECT',
  'aifi_access audit_anchor': 'INSERT SELECT',
  'aifi_access audit_shipping': 'INSERT SELECT',
  'aifi_access authority': 'INSERT SELECT',
  'aifi_access join_token': 'INSERT SELECT',
  'aifi_access gateway_certificate': 'INSERT SELECT',
  'aifi_access certificate_binding': 'INSERT SELECT',
};
const COLUMN_RIGHTS: Readonly<Record<string, string>> = {
  'aifi_app audit_head UPDATE': 'sequence hash',
  'aifi_app product_stop SELECT': 'site_id product version code stopped_at resumed_at',
  'aifi_jobs product_stop SELECT': 'site_id product version resumed_at',
  'aifi_jobs site SELECT': 'site_id',
  'aifi_jobs study_job SELECT': `${QUEUE_JOB} ${QUEUE_TIMES}`,
  'aifi_jobs inference_job UPDATE': 'lease_until lease_epoch attempts next_attempt_at last_fault',
  'aifi_access site SELECT': 'site_id state',
  'aifi_access authority UPDATE': 'state retired_at',
  'aifi_access join_token UPDATE': 'used_at',
  'aifi_access gateway_certificate UPDATE': 'valid_until revoked_at revoked_by revocation_reason',
  'aifi_access certificate_binding UPDATE': 'ended_at ended_by',
  'aifi_access session UPDATE':
    'roles site_ids last_seen_at checked_at stepped_up_at sealed_tokens',
  'aifi_access approval UPDATE':
    'state decided_by decided_by_name decided_at decision_reason granted_until ended_at',
  'aifi_access audit_head UPDATE': 'sequence hash',
  'aifi_access audit_shipping UPDATE': 'sequence',
};

/** Functions, with who besides their owner may run them and whether with the owner's rights. */
const FUNCTIONS: Readonly<Record<string, string>> = {
  audit_continue: 'invoker PUBLIC',
  audit_keep: 'invoker PUBLIC',
  audit_keep_young: 'invoker PUBLIC',
  audit_cut: 'definer aifi_access',
};

let folder: TemporaryFolder;
let server: EmbeddedPostgres;
let owner: DataSource;

beforeAll(async () => {
  folder = temporaryFolder('hub-catalogue');
  server = await startEmbeddedPostgres({ dataFolder: folder.path, clock: systemClock });
  await (await HubDatabase.open(server.urls)).close();
  owner = await migrationSource(server.urls.ownerUrl).initialize();
}, 180_000);

afterAll(async () => {
  await owner?.destroy();
  await server?.stop();
  await removeServerFolder(folder.path);
  folder.remove();
}, 60_000);

const ask = <T extends object>(statement: string): Promise<T[]> =>
  owner.query(statement) as Promise<T[]>;
const PUBLIC = `'public'::regnamespace`;
/** One list of words in no order. */
const words = (text: string): string[] => text.split(' ').sort();
const sorted = (record: Readonly<Record<string, string>>): Record<string, string[]> =>
  Object.fromEntries(Object.entries(record).map(([key, text]) => [key, words(text)]));

const OPEN_VIEWS = `SELECT relname AS name FROM pg_class WHERE relnamespace = ${PUBLIC}
  AND (relkind = 'm' OR (relkind = 'v'
    AND NOT COALESCE(reloptions && ARRAY['security_invoker=true', 'security_invoker=on'], false)))`;

describe('the catalogue', () => {
  it('has the tables that are written here', async () => {
    const tables = await ask<{ name: string }>(
      `SELECT relname AS name FROM pg_class WHERE relnamespace = ${PUBLIC}
         AND relkind IN ('r', 'p', 'f')`,
    );
    const names = tables.map((row) => row.name).sort();
    expect(names).toEqual([...TENANT, ...OF_HUB, ...OF_PERSONS, ...OF_OWNER].sort());
  });

  it('has row-level security enabled and forced on every table', async () => {
    const open = await ask<{ name: string }>(
      `SELECT relname AS name FROM pg_class WHERE relnamespace = ${PUBLIC}
         AND relkind IN ('r', 'p', 'f') AND NOT (relrowsecurity AND relforcerowsecurity)`,
    );
    expect(open.map((row) => row.name)).toEqual(OF_OWNER);
  });

  it('has the policies that are written here', async () => {
    const policies = await ask<{ name: string; rule: string }>(
      `SELECT tablename || ' ' || policyname AS name, concat_ws(' ', array_to_string(roles, ','),
         cmd, COALESCE(qual, '-'), COALESCE(with_check, '-')) AS rule
       FROM pg_policies WHERE permissive = 'PERMISSIVE'`,
    );
    const all = await ask<{ n: number }>('SELECT count(*)::int AS n FROM pg_policies');
    expect(all).toEqual([{ n: policies.length }]);
    const found = Object.fromEntries(policies.map(({ name, rule }) => [name, rule]));
    expect(found).toEqual(POLICIES);
  });

  it('starts every key of a tenant table with the site', async () => {
    const keys = await ask<{ name: string }>(
      `SELECT i.indrelid::regclass::text AS name FROM pg_index i
       JOIN pg_class c ON c.oid = i.indrelid
       LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
       WHERE c.relnamespace = ${PUBLIC} AND (i.indisunique OR i.indisexclusion)
         AND a.attname IS DISTINCT FROM 'site_id'`,
    );
    const others = [...OF_HUB, ...KEYS_OVER_SITES, ...OF_PERSONS, ...OF_OWNER];
    expect(keys.map((row) => row.name).sort()).toEqual(others.sort());
  });

  it('requires the site of every row of a tenant table', async () => {
    const tables = await ask<{ name: string }>(
      `SELECT c.relname AS name FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
       WHERE c.relnamespace = ${PUBLIC} AND relkind = 'r' AND attname = 'site_id' AND attnotnull`,
    );
    expect(tables.map((row) => row.name).sort()).toEqual([...TENANT].sort());
  });

  it('carries the site in every foreign key, on both sides', async () => {
    const foreign = await ask<{ name: string; carries: boolean }>(
      `SELECT conrelid::regclass || ' > ' || confrelid::regclass AS name, EXISTS (
         SELECT 1 FROM unnest(conkey, confkey) AS pair(here, there)
         JOIN pg_attribute a ON a.attrelid = conrelid AND a.attnum = here
         JOIN pg_attribute b ON b.attrelid = confrelid AND b.attnum = there
         WHERE a.attname = 'site_id' AND b.attname = 'site_id') AS carries
       FROM pg_constraint WHERE contype = 'f'`,
    );
    expect(foreign.filter((row) => !row.carries)).toEqual([]);
    const toParents = foreign.map((row) => row.name).filter((name) => !name.endsWith(' > site'));
    // Without one of them a row could point at the job of another site.
    expect(toParents.sort()).toEqual(PARENTS);
  });

  it('gives the rights that are written here, on tables', async () => {
    const rights = await ask<{ name: string; rights: string }>(
      `SELECT grantee::regrole::text || ' ' || relname AS name,
         string_agg(privilege_type, ' ') AS rights
       FROM pg_class, aclexplode(COALESCE(relacl, acldefault('r', relowner)))
       WHERE relnamespace = ${PUBLIC} AND grantee <> relowner GROUP BY 1`,
    );
    const found = Object.fromEntries(rights.map(({ name, rights: text }) => [name, words(text)]));
    expect(found).toEqual(sorted(RIGHTS));
  });

  it('gives the rights that are written here, on columns', async () => {
    const rights = await ask<{ name: string; columns: string }>(
      `SELECT concat_ws(' ', grantee::regrole::text, relname, privilege_type) AS name,
         string_agg(attname, ' ') AS columns
       FROM pg_attribute JOIN pg_class c ON c.oid = attrelid, aclexplode(attacl)
       WHERE relnamespace = ${PUBLIC} AND grantee <> relowner GROUP BY 1`,
    );
    const found = Object.fromEntries(rights.map(({ name, columns }) => [name, words(columns)]));
    expect(found).toEqual(sorted(COLUMN_RIGHTS));
  });

  it('has no view that runs with the rights of its owner', async () => {
    expect(await ask(OPEN_VIEWS)).toEqual([]);
    await owner.query('BEGIN');
    try {
      // The question finds what it looks for.
      await owner.query('CREATE VIEW planted AS SELECT site_id FROM study_job');
      expect(await ask(OPEN_VIEWS)).toEqual([{ name: 'planted' }]);
      await owner.query('ALTER VIEW planted SET (security_invoker = true)');
      expect(await ask(OPEN_VIEWS)).toEqual([]);
    } finally {
      await owner.query('ROLLBACK');
    }
  });

  it('has the functions that are written here, each with a pinned search path', async () => {
    const functions = await ask<{ name: string; rule: string; path: string }>(
      `SELECT proname AS name, concat_ws(' ',
         CASE WHEN prosecdef THEN 'definer' ELSE 'invoker' END,
         (SELECT string_agg(CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END, ',')
          FROM aclexplode(COALESCE(proacl, acldefault('f', proowner))) WHERE grantee <> proowner)
         ) AS rule, array_to_string(proconfig, ';') AS path
       FROM pg_proc WHERE pronamespace = ${PUBLIC}`,
    );
    expect(Object.fromEntries(functions.map((row) => [row.name, row.rule]))).toEqual(FUNCTIONS);
    for (const { path } of functions) expect(path).toBe('search_path=pg_catalog, pg_temp');
  });

  it('gives the working roles neither ownership nor power over others', async () => {
    const roles = await ask<{ rolname: string; powers: number; owned: number }>(
      `SELECT rolname, (rolbypassrls OR rolsuper OR rolcreaterole OR rolcreatedb
         OR rolreplication)::int + (SELECT count(*) FROM pg_auth_members
           WHERE member = r.oid OR roleid = r.oid)::int AS powers,
         (SELECT count(*)::int FROM pg_shdepend WHERE refobjid = r.oid AND deptype = 'o') AS owned
       FROM pg_roles r WHERE rolname LIKE 'aifi\\_%' ORDER BY rolname`,
    );
    const [app, jobs, access] = ['aifi_app', 'aifi_jobs', 'aifi_access'].map((rolname) =>
      roles.find((row) => row.rolname === rolname),
    );
    for (const role of [app, jobs, access]) expect(role).toMatchObject({ powers: 0, owned: 0 });
    expect(roles.find((row) => row.rolname === 'aifi_owner')).toMatchObject({ powers: 0 });
    expect(roles).toHaveLength(4);
  });

  it('lets the working roles make nothing: no table, no temporary table, no schema', async () => {
    const made = await ask<{ role: string }>(
      `SELECT role FROM unnest(ARRAY['aifi_app', 'aifi_jobs', 'aifi_access']) AS role
       WHERE has_schema_privilege(role, 'public', 'CREATE')
         OR has_database_privilege(role, current_database(), 'CREATE')
         OR has_database_privilege(role, current_database(), 'TEMP')`,
    );
    expect(made).toEqual([]);
  });
});
