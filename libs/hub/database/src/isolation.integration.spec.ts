/**
 * Goal: whatever SQL runs as site A through the app role, nothing of site B comes out (guard C3).
 * Method: rows of B in every table, every column a canary, and keys that A also uses; then random
 * statements over all tables, system views and functions, on a shared pool beside the work of B.
 * No canary may be in a row, an error or its details. What a statement may not do here is set
 * app.site_id itself: that is why values never become part of a statement (Sql).
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import pg from 'pg';
import { systemClock, type SiteId } from '@aifi/shared-kernel';
import { temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import { startEmbeddedPostgres, type EmbeddedPostgres } from './embedded-postgres.js';
import { HubDatabase } from './hub-database.js';
import { removeServerFolder } from './server-folder.js';

const [siteA, siteB] = ['site-a', 'site-b'] as unknown as [SiteId, SiteId];
/** What only B's rows hold: in text, bytes and JSON, in numbers, in times, in identifiers. */
const CANARIES = /CANARY|77777777|1977-07-07|c0ffee/i;
/** Programs of up to six statements each. */
const RUNS = 1_500;

interface Column {
  readonly table: string;
  readonly name: string;
  readonly type: string;
  readonly inKey: boolean;
}
let folder: TemporaryFolder;
let server: EmbeddedPostgres;
let sut: HubDatabase;
let superuser: pg.Client;
let columns: readonly Column[];
/** Tables, and views when there are any. */
let tables: readonly string[];
/** Functions of our own that need no argument but may give something away. */
let functions: readonly string[];

beforeAll(async () => {
  folder = temporaryFolder('hub-isolation');
  server = await startEmbeddedPostgres({ dataFolder: folder.path, clock: systemClock });
  sut = await HubDatabase.open(server.urls);
  const passwords = readFileSync(join(folder.path, 'postgres-passwords.json'), 'utf8');
  const { postgres } = JSON.parse(passwords) as { postgres: string };
  const connectionString = `postgres://postgres:${postgres}@127.0.0.1:${server.port}/aifi`;
  superuser = new pg.Client({ connectionString });
  await superuser.connect();
  await readCatalogue();
  await plant();
  // Statistics hold values of rows: they are a way out, too.
  await superuser.query('ANALYZE');
}, 180_000);

afterAll(async () => {
  await superuser?.end();
  await sut?.close();
  await server?.stop();
  await removeServerFolder(folder.path);
  folder.remove();
}, 60_000);

async function readCatalogue(): Promise<void> {
  const { rows } = await superuser.query<Column>(
    `SELECT c.relname AS table, a.attname AS name, format_type(a.atttypid, NULL) AS type,
       COALESCE(a.attnum = ANY(i.indkey), false) AS "inKey"
     FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
     LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
     WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'v', 'm')
       AND c.relname <> 'schema_migration' ORDER BY c.relname, a.attnum`,
  );
  columns = rows;
  tables = [...new Set(columns.map((column) => column.table))];
  const made = await superuser.query<{ call: string }>(
    `SELECT proname || CASE pronargs WHEN 0 THEN '()' ELSE '(''site-b'', 1)' END AS call
     FROM pg_proc WHERE pronamespace = 'public'::regnamespace ORDER BY 1`,
  );
  functions = made.rows.map((row) => row.call);
}

type Kind = 'own' | 'known' | 'secret';
const UUIDS: Record<Kind, string> = {
  own: '00000000-0000-4000-8000-00000000000a',
  known: '00000000-0000-4000-8000-00000000000a',
  secret: 'c0ffeec0-ffee-4000-8000-c0ffeec0ffee',
};

/** own: A's row. known: B's row under the same key. secret: B's row with a key of canaries. */
function valueOf({ table, name, type, inKey }: Column, kind: Kind): unknown {
  if (name === 'site_id') return kind === 'own' ? siteA : siteB;
  const isOpen = kind === 'own' || (kind === 'known' && inKey);
  const text = isOpen ? (inKey ? 'known-1' : `own ${name}`) : `CANARY ${table} ${name} ${kind}`;
  if (type === 'text') return text;
  if (type === 'text[]') return [text];
  if (type === 'bytea') return Buffer.from(text);
  if (type === 'jsonb') return JSON.stringify({ text });
  if (type === 'uuid') return inKey ? UUIDS[kind] : UUIDS[isOpen ? 'own' : 'secret'];
  if (type === 'integer' || type === 'bigint')
    return isOpen ? 1 : kind === 'known' ? 777_777_771 : 777_777_772;
  if (type.startsWith('timestamp')) return isOpen ? '2026-01-01T00:00:00Z' : '1977-07-07T00:00:00Z';
  if (type === 'date') return isOpen ? '2026-01-01' : '1977-07-07';
  throw new Error(`no canary for a column of type ${type}`);
}

const isOnePerSite = (table: string): boolean =>
  columns.filter((column) => column.table === table && column.inKey).length === 1;

async function plant(): Promise<void> {
  // Without triggers, foreign keys and checks: any row can be put anywhere.
  await superuser.query('SET session_replication_role = replica');
  const checks = await superuser.query<{ drop: string }>(
    `SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname) AS drop
     FROM pg_constraint WHERE contype = 'c' AND connamespace = 'public'::regnamespace
       AND conrelid <> 0`,
  );
  for (const { drop } of checks.rows) await superuser.query(drop);
  for (const table of tables) {
    const own = columns.filter((column) => column.table === table);
    const hasSite = own.some((column) => column.name === 'site_id');
    // Keyed by the site alone: one row each.
    const isSingle = isOnePerSite(table);
    for (const kind of ['own', 'known', 'secret'] as const) {
      // Rows of persons have no site: they are all canaries for the app role.
      if ((!hasSite && kind !== 'secret') || (isSingle && kind === 'known')) continue;
      const marks = own.map((_, index) => `$${index + 1}`).join(', ');
      const names = own.map((column) => column.name).join(', ');
      const values = own.map((column) => valueOf(column, kind));
      await superuser.query(`INSERT INTO ${table} (${names}) VALUES (${marks})`, values);
    }
  }
  await superuser.query('SET session_replication_role = origin');
}

/** Everything in a value as one text. */
function textOf(value: unknown): string {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('latin1');
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? '' : value.toISOString();
  if (Array.isArray(value)) return value.map(textOf).join(' ');
  if (value instanceof Error) {
    const own = Object.getOwnPropertyNames(value).filter((name) => name !== 'stack');
    return own.map((name) => textOf(value[name as keyof Error])).join(' ');
  }
  if (typeof value === 'object' && value !== null)
    return Object.values(value).map(textOf).join(' ');
  return String(value);
}

interface Step {
  readonly statement: string;
  /** The work of B beside it on the same pool. */
  readonly byB: boolean;
}
interface Outcome {
  /** Rows or error, with every detail. */
  readonly text: string;
  readonly isError: boolean;
  readonly isOfB: boolean;
}
async function outcomeOf({ statement, byB }: Step): Promise<Outcome> {
  try {
    const rows = await sut.withSite(byB ? siteB : siteA, (sql) => sql.rows(statement));
    const isOfB = rows.some((row) => (row as { site_id?: string }).site_id === 'site-b');
    return { text: textOf(rows), isError: false, isOfB };
  } catch (error) {
    return { text: textOf(error), isError: true, isOfB: false };
  }
}

interface Talk {
  answered: number;
  failed: number;
  seenByB: number;
}
/** The statement through which site A saw something of site B; undefined: none did. */
async function leakOf(steps: readonly Step[], talk: Talk): Promise<string | undefined> {
  const outcomes = await Promise.all(steps.map(outcomeOf));
  for (const [index, { statement, byB }] of steps.entries()) {
    const { text, isError, isOfB } = outcomes[index]!;
    if (byB) {
      if (CANARIES.test(text)) talk.seenByB += 1;
      continue;
    }
    if (CANARIES.test(text) || isOfB) return statement;
    if (isError) talk.failed += 1;
    else talk.answered += 1;
  }
  return undefined;
}

// Statements. `t` is a table, `c` a column of it; both come from the catalogue.
const pick = <T>(values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values);
const tableAndColumn = (): fc.Arbitrary<{ t: string; c: string; d: string; u: string }> =>
  pick(tables).chain((t) => {
    const names = columns.filter((column) => column.table === t).map((column) => column.name);
    return fc.record({ t: fc.constant(t), c: pick(names), d: pick(names), u: pick(tables) });
  });
const literal = pick([
  ...[`'site-b'`, `'site-a'`, `'known-1'`, `'%'`, '1', 'NULL', `'\\x00'`, 'now()', `'{}'`],
  `'${UUIDS.known}'`,
]);
const condition = (c: string, d: string): fc.Arbitrary<string> =>
  fc.oneof(
    pick(['true', `site_id = 'site-b'`, `site_id <> 'site-a'`, `site_id IS NOT NULL OR true`]),
    literal.map((value) => `${c} = ${value}`),
    // Conversions fail with the value in their message.
    pick([`${c}::text::int > 0`, `1 / length(${c}::text) >= 0`, `${c}::text ~ 'C|7|0'`]),
    pick([`${c} IS DISTINCT FROM ${d}`, `${c} IS NOT NULL`, `${c}::text LIKE '%' || ${d}::text`]),
  );

const reading = (): fc.Arbitrary<string> =>
  tableAndColumn().chain(({ t, c, d, u }) =>
    condition(c, d).chain((where) =>
      pick([
        `SELECT * FROM ${t} WHERE ${where}`,
        `SELECT ${c}, ${d} FROM ${t} WHERE ${where} ORDER BY ${c} LIMIT 5`,
        `SELECT max(${c}::text), count(*), string_agg(${c}::text, ',') FROM ${t}`,
        `SELECT row_to_json(x), x::text FROM ${t} x`,
        `SELECT * FROM ${t} x FULL JOIN ${u} y ON true WHERE ${where.replaceAll(c, `x.${c}`)}`,
        `SELECT (SELECT string_agg(y::text, ' ') FROM ${u} y), x.${c} FROM ${t} x`,
        `SELECT * FROM ${t} TABLESAMPLE SYSTEM (100)`,
        `SELECT ${c} FROM ${t} WHERE ${where} FOR UPDATE SKIP LOCKED`,
        `SELECT query_to_xml('SELECT * FROM ${t}', true, false, '')::text`,
        `SELECT table_to_xml('${t}', true, false, '')::text`,
        `EXPLAIN (ANALYZE, VERBOSE) SELECT ${c} FROM ${t}`,
        `WITH x AS MATERIALIZED (SELECT * FROM ${t}) SELECT * FROM x UNION ALL SELECT * FROM x`,
        `DO $$ DECLARE r record; BEGIN FOR r IN SELECT * FROM ${t} WHERE ${where} LOOP
           RAISE EXCEPTION '%', r; END LOOP; END $$`,
      ]),
    ),
  );

const writing = (): fc.Arbitrary<string> =>
  tableAndColumn().chain(({ t, c, d, u }) =>
    fc
      .record({ where: condition(c, d), value: literal, other: literal })
      .chain(({ where, value, other }) => {
        const key = columns.filter((column) => column.table === t && column.inKey);
        const keys = key.map((column) => column.name).join(', ');
        const all = columns.filter((column) => column.table === t);
        const names = all.map((column) => column.name).join(', ');
        const known = all.map((column) => literalOf(column)).join(', ');
        const foreign = known.replace(`'site-a'`, `'site-b'`);
        return pick([
          `UPDATE ${t} SET ${c} = ${value} WHERE ${where} RETURNING *`,
          `UPDATE ${t} SET site_id = 'site-b' WHERE ${where} RETURNING *`,
          `UPDATE ${t} x SET ${c} = y.${c} FROM ${t} y WHERE y.site_id = 'site-b' RETURNING *`,
          `WITH x AS (UPDATE ${t} SET ${d} = ${d} RETURNING *) SELECT * FROM x`,
          `DELETE FROM ${t} WHERE ${where} RETURNING *`,
          `INSERT INTO ${t} (${names}) VALUES (${known}) RETURNING *`,
          `INSERT INTO ${t} (${names}) VALUES (${foreign}) RETURNING *`,
          `INSERT INTO ${t} (${names}) VALUES (${foreign})
             ON CONFLICT (${keys}) DO UPDATE SET ${c} = excluded.${c} RETURNING *`,
          `INSERT INTO ${t} (${names}) VALUES (${known})
             ON CONFLICT (${keys}) DO UPDATE SET ${c} = ${t}.${c} RETURNING *`,
          `INSERT INTO ${t} (${names}) VALUES (${foreign}) ON CONFLICT DO NOTHING RETURNING *`,
          `INSERT INTO ${t} SELECT * FROM ${t} WHERE ${where} RETURNING *`,
          `INSERT INTO ${t} (${c}, ${d}) VALUES (${value}, ${other}) RETURNING *`,
          `MERGE INTO ${t} x USING ${u} y ON x.${c}::text = y::text
             WHEN MATCHED THEN DO NOTHING WHEN NOT MATCHED THEN DO NOTHING`,
          `TRUNCATE ${t} CASCADE`,
        ]);
      }),
  );
function literalOf(column: Column): string {
  const value = valueOf(column, 'own');
  if (Buffer.isBuffer(value)) return `'\\x${value.toString('hex')}'`;
  return `'${Array.isArray(value) ? '{}' : String(value)}'`;
}

const asking = (): fc.Arbitrary<string> =>
  tableAndColumn().chain(({ t, c }) =>
    pick([
      `SELECT * FROM pg_stats WHERE tablename = '${t}'`,
      `SELECT * FROM pg_stats_ext_exprs`,
      `SELECT query FROM pg_stat_activity`,
      `SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef`,
      ...functions.map((call) => `SELECT ${call}`),
      `SELECT pg_read_file('postgresql.conf')`,
      `SELECT * FROM pg_ls_dir('.')`,
      `SELECT lo_get(oid) FROM pg_largeobject_metadata`,
      `COPY ${t} TO PROGRAM 'cat'`,
      `COPY ${t} TO '/tmp/out'`,
      `SET ROLE aifi_owner`,
      `SET SESSION AUTHORIZATION postgres`,
      `ALTER TABLE ${t} DISABLE ROW LEVEL SECURITY`,
      `ALTER TABLE ${t} NO FORCE ROW LEVEL SECURITY`,
      `DROP POLICY own_site ON ${t}`,
      `CREATE POLICY mine ON ${t} USING (true)`,
      `CREATE VIEW mine AS SELECT * FROM ${t}`,
      `CREATE TEMP TABLE mine AS SELECT * FROM ${t}`,
      `GRANT ALL ON ${t} TO aifi_app`,
      `DECLARE mine CURSOR WITH HOLD FOR SELECT ${c} FROM ${t}`,
    ]),
  );

const program = (): fc.Arbitrary<Step[]> =>
  fc.array(
    fc.oneof(
      { weight: 5, arbitrary: reading().map((statement) => ({ statement, byB: false })) },
      { weight: 5, arbitrary: writing().map((statement) => ({ statement, byB: false })) },
      { weight: 2, arbitrary: asking().map((statement) => ({ statement, byB: false })) },
      // B fails in the middle, too: a connection goes back to the pool after an error.
      { weight: 2, arbitrary: reading().map((statement) => ({ statement, byB: true })) },
    ),
    { minLength: 1, maxLength: 6 },
  );

describe('random SQL as site A', () => {
  it('would see canaries in every table if it could: the question is not empty', async () => {
    for (const table of tables) {
      const { rows } = await superuser.query(`SELECT * FROM ${table}`);
      expect([table, CANARIES.test(textOf(rows))]).toEqual([table, true]);
    }
    expect(tables.length).toBeGreaterThanOrEqual(18);
    const seen = await outcomeOf({ statement: 'SELECT * FROM study_job', byB: true });
    expect(seen.text).toMatch(CANARIES);
  });

  it('sees nothing of site B in rows, errors, details or a reused connection', async () => {
    const talk: Talk = { answered: 0, failed: 0, seenByB: 0 };
    await fc.assert(
      fc.asyncProperty(program(), async (steps) => {
        expect(await leakOf(steps, talk)).toBeUndefined();
      }),
      { numRuns: RUNS },
    );
    // It was a conversation: statements that worked, statements that did not, and B seeing its own.
    expect(talk.answered).toBeGreaterThan(RUNS / 4);
    expect(talk.failed).toBeGreaterThan(RUNS / 4);
    expect(talk.seenByB).toBeGreaterThan(RUNS / 20);
  }, 120_000);

  it.each([
    ['a table without row-level security', 'ALTER TABLE outcome DISABLE ROW LEVEL SECURITY'],
    ['a policy for everybody', 'CREATE POLICY planted ON study_job TO PUBLIC USING (true)'],
    [
      'a view with the rights of its owner',
      'CREATE VIEW planted AS SELECT * FROM job_object; GRANT SELECT ON planted TO aifi_app',
    ],
    [
      'a function with the rights of its owner',
      `CREATE FUNCTION planted() RETURNS text LANGUAGE sql SECURITY DEFINER
         AS 'SELECT string_agg(o::text, '','') FROM outbox o'`,
    ],
  ])(
    'would find %s',
    async (_, mistake) => {
      await superuser.query(mistake);
      try {
        await readCatalogue();
        let leak: string | undefined;
        for (let tries = 0; tries < RUNS && leak === undefined; tries += 1) {
          leak = await leakOf(fc.sample(program(), 1)[0]!, { answered: 0, failed: 0, seenByB: 0 });
        }
        expect(leak).toBeDefined();
      } finally {
        await superuser.query(`ALTER TABLE outcome ENABLE ROW LEVEL SECURITY;
        DROP POLICY IF EXISTS planted ON study_job; DROP VIEW IF EXISTS planted;
        DROP FUNCTION IF EXISTS planted`);
        await readCatalogue();
      }
    },
    120_000,
  );

  it('leaves every row of site B as it was', async () => {
    for (const table of tables) {
      const own = columns.filter((column) => column.table === table);
      if (!own.some((column) => column.name === 'site_id')) continue;
      const { rows } = await superuser.query<Record<string, unknown>>(
        `SELECT * FROM ${table} WHERE site_id = 'site-b' ORDER BY 1, 2`,
      );
      expect({ table, n: rows.length }).toEqual({ table, n: isOnePerSite(table) ? 1 : 2 });
      const open = rows.flatMap((row) => own.filter(({ name }) => /^own /.test(textOf(row[name]))));
      expect(open).toEqual([]);
    }
  });

  it('finds no site set on any connection of the pool', async () => {
    const look = (): Promise<object[]> =>
      sut.withQueue((sql) => sql.rows(`SELECT current_setting('app.site_id', true) AS site`));
    const settings = await Promise.all(Array.from({ length: 6 }, look));
    for (const [row] of settings) expect(['', null]).toContain((row as { site: string }).site);
    const empty = await Promise.all(
      Array.from({ length: 16 }, () =>
        sut.withConfiguredSite('', (sql) => sql.rows('SELECT job_id FROM study_job')),
      ),
    );
    expect(empty.flat()).toEqual([]);
  });
});
