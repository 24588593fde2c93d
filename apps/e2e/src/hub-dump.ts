/**
 * Everything a hub holds, for the canary scan: every row of every table, objects, logs, metrics.
 * Decides that the database is read as its superuser, so that row-level security hides nothing.
 */
import { readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { hubRoutes, type HubStudy } from '@aifi/contracts-rest';
import type { Stack } from '@aifi/demo';
import { scanBytes, scanFolder, type Find, type ScanCanary } from './canary-scan.js';

export interface HubScan {
  readonly finds: readonly Find[];
  /** Rows by table: a scan of nothing would find nothing. */
  readonly rows: Readonly<Record<string, number>>;
}

/** Every job that the hub lists, with the pseudonym of its study. */
export function hubStudies({ parts }: Stack): Promise<HubStudy[]> {
  const { path, response } = hubRoutes.listStudies;
  return parts.hubServer.list(path, response);
}

/** Looks for the canaries in database, object store, files, logs and metrics of the hub. */
export async function scanHub(stack: Stack, canaries: readonly ScanCanary[]): Promise<HubScan> {
  const { hub, hubFolder, hubServer, worker } = stack.parts;
  const tables = await dumpTables(hubFolder);
  const metrics = await (await fetch(`${hubServer.url}/metrics`)).text();
  const studies = JSON.stringify(await hubStudies(stack));
  const logs = [hub, worker].map(({ logFile }) => ({ logFile, text: readFileSync(logFile) }));
  const finds = [
    ...tables.flatMap(({ table, text }) => scanBytes(text, `table ${table}`, canaries)),
    ...logs.flatMap(({ logFile, text }) => scanBytes(text, logFile, canaries)),
    ...scanBytes(Buffer.from(metrics), 'metrics', canaries),
    ...scanBytes(Buffer.from(studies), 'studies', canaries),
    ...scanFolder(hubFolder, canaries),
  ];
  return { finds, rows: Object.fromEntries(tables.map(({ table, count }) => [table, count])) };
}

/** Every row of every table as text. */
export async function dumpTables(
  hubFolder: string,
): Promise<{ table: string; text: Buffer; count: number }[]> {
  const client = new pg.Client({ connectionString: superuserUrl(hubFolder) });
  await client.connect();
  try {
    const { rows } = await client.query<{ name: string }>(
      `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
       WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`,
    );
    const tables: { table: string; text: Buffer; count: number }[] = [];
    for (const { name } of rows) {
      const found = await client.query<{ row: string }>(`SELECT t::text AS row FROM ${name} t`);
      const text = found.rows.map(({ row }) => withHexDecoded(row)).join('\n');
      tables.push({ table: name, text: Buffer.from(text), count: found.rows.length });
    }
    return tables;
  } finally {
    await client.end();
  }
}

/** bytea prints as \x hex: manifests are read as the text that they are. */
function withHexDecoded(row: string): string {
  const decoded = [...row.matchAll(/\\x([0-9a-f]+)/g)].map((match) =>
    Buffer.from(match[1]!, 'hex').toString('latin1'),
  );
  return [row, ...decoded].join(' ');
}

function superuserUrl(hubFolder: string): string {
  const passwords = JSON.parse(
    readFileSync(join(hubFolder, 'postgres-passwords.json'), 'utf8'),
  ) as { postgres: string };
  const folder = realpathSync(join(hubFolder, 'postgres'));
  // Line 4 of postmaster.pid is the port (PostgreSQL documentation, "Server File Layout").
  const port = readFileSync(join(folder, 'data', 'postmaster.pid'), 'utf8').split('\n')[3];
  return `postgres://postgres:${passwords.postgres}@127.0.0.1:${port}/aifi`;
}
