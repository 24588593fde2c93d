/**
 * HubDatabase: PostgreSQL in transactions of one site, of the queue, or of access.
 * Decides that tenant data is only reachable inside withSite, which sets app.site_id for exactly
 * one transaction; that cross-site work uses a role that sees queue columns only; and that sessions
 * and the audit trail belong to a role that sees no study.
 * Invariants: the pools of the running hub never own a table; safety rests on keys and row counts
 * at READ COMMITTED. Source: reliability specification C3, F15, F19.
 */
import 'reflect-metadata';
import { DataSource, QueryFailedError, type QueryRunner } from 'typeorm';
import type { Client } from 'pg';
import { AifiError, crashPoint, type SiteId } from '@aifi/shared-kernel';
import type { DatabaseUrls } from './embedded-postgres.js';
import { HUB_MIGRATIONS } from './migrations/index.js';
import { Sql } from './sql.js';

/** Connections of one hub process: together below max_connections of the embedded server. */
const APP_POOL_MAX = 16;
const JOBS_POOL_MAX = 6;
const ACCESS_POOL_MAX = 8;
/** How long the database may take, each of them told to the driver. */
export interface DatabaseBounds {
  /** For a connection, the wait for a free one included. @unit ms */
  readonly connectMs: number;
  /** The server gives up a statement, or its wait for a lock. @unit ms */
  readonly statementMs: number;
  /** We give up a server that does not even do that: it, or the line, is dead. @unit ms */
  readonly answerMs: number;
}
export const DATABASE_BOUNDS: DatabaseBounds = {
  ...{ connectMs: 10_000, statementMs: 30_000, answerMs: 35_000 },
};
/** An idle line is asked for a sign of life. @unit ms */
const KEEP_ALIVE_MS = 10_000;

const KEEP_ALIVE = { keepAlive: true, keepAliveInitialDelayMillis: KEEP_ALIVE_MS };

/** The data source of the table owner: migrations, and nothing else. */
export function migrationSource(ownerUrl: string): DataSource {
  return new DataSource({
    type: 'postgres',
    url: ownerUrl,
    migrations: HUB_MIGRATIONS,
    migrationsTableName: 'schema_migration',
    migrationsTransactionMode: 'each',
    poolSize: 1,
    // No bound for statements: a migration takes what it takes, and may wait for another process.
    connectTimeoutMS: DATABASE_BOUNDS.connectMs,
    extra: KEEP_ALIVE,
  });
}

/** Applies missing migrations; refuses a schema of a newer release. */
async function migrate(ownerUrl: string): Promise<void> {
  const source = await migrationSource(ownerUrl).initialize();
  try {
    // Two hub processes may start together: the second waits here and finds nothing to do.
    await source.query('SELECT pg_advisory_lock(4711)');
    await assertRoles(source);
    const known = HUB_MIGRATIONS.map((migration) => migration.name);
    const table = await source.query(`SELECT to_regclass('schema_migration') IS NOT NULL AS made`);
    if ((table as { made: boolean }[])[0]?.made) {
      const rows = (await source.query('SELECT name FROM schema_migration')) as { name: string }[];
      if (rows.some((row) => !known.includes(row.name))) {
        throw new AifiError('CONFIG_INVALID', 'the database is of a newer release');
      }
    }
    await source.runMigrations();
  } finally {
    await source.destroy();
  }
}

/** Migrations grant to these roles; an external server gets them from its administrator. */
async function assertRoles(source: DataSource): Promise<void> {
  const roles = ['aifi_app', 'aifi_jobs', 'aifi_access'];
  const found = await source.query('SELECT rolname FROM pg_roles WHERE rolname = ANY($1)', [roles]);
  if ((found as object[]).length < roles.length) {
    throw new AifiError('CONFIG_INVALID', `the database lacks one of ${roles.join(', ')}`);
  }
}

function pool(url: string, poolSize: number, bounds: DatabaseBounds): DataSource {
  return new DataSource({
    type: 'postgres',
    url,
    poolSize,
    // An idle connection that the server closes must not end the process.
    poolErrorHandler: () => undefined,
    extra: {
      ...KEEP_ALIVE,
      connectionTimeoutMillis: bounds.connectMs,
      statement_timeout: bounds.statementMs,
      query_timeout: bounds.answerMs,
      idle_in_transaction_session_timeout: 60_000,
    },
  });
}

export class HubDatabase {
  private constructor(
    private readonly app: DataSource,
    private readonly jobs: DataSource,
    private readonly access: DataSource,
  ) {}

  /** Migrates and opens the pools. */
  static async open(urls: DatabaseUrls, bounds = DATABASE_BOUNDS): Promise<HubDatabase> {
    try {
      await migrate(urls.ownerUrl);
      const app = await pool(urls.appUrl, APP_POOL_MAX, bounds).initialize();
      const jobs = await pool(urls.jobsUrl, JOBS_POOL_MAX, bounds).initialize();
      const access = await pool(urls.accessUrl, ACCESS_POOL_MAX, bounds).initialize();
      return new HubDatabase(app, jobs, access);
    } catch (error) {
      if (error instanceof AifiError) throw error;
      throw new AifiError('PEER_UNAVAILABLE', 'the database does not open', { cause: error });
    }
  }

  /** Runs `work` in one transaction that sees this site only; committed when it resolves. */
  withSite<T>(siteId: SiteId, work: (sql: Sql) => Promise<T>): Promise<T> {
    return this.withConfiguredSite(siteId, work);
  }

  /** As withSite, for enrolment: there the name comes from configuration, not from a peer. */
  withConfiguredSite<T>(siteName: string, work: (sql: Sql) => Promise<T>): Promise<T> {
    return transaction(this.app, async (sql) => {
      // The third argument makes it SET LOCAL: it ends with the transaction.
      await sql.rows(`SELECT set_config('app.site_id', $1, true)`, siteName);
      return work(sql);
    });
  }

  /** Runs `work` in one transaction over the queue columns of all sites. */
  withQueue<T>(work: (sql: Sql) => Promise<T>): Promise<T> {
    return transaction(this.jobs, work);
  }

  /** Runs `work` in one transaction over sessions, approvals and the audit trail of all sites. */
  withAccess<T>(work: (sql: Sql) => Promise<T>): Promise<T> {
    return transaction(this.access, work);
  }

  async close(): Promise<void> {
    await this.app.destroy();
    await this.jobs.destroy();
    await this.access.destroy();
  }
}

async function transaction<T>(source: DataSource, work: (sql: Sql) => Promise<T>): Promise<T> {
  const runner = source.createQueryRunner();
  try {
    await runner.startTransaction();
    const answer = await work(new Sql(runner));
    crashPoint('hub.database.before-commit');
    await runner.commitTransaction();
    crashPoint('hub.database.after-commit');
    return answer;
  } catch (error) {
    await rollBack(runner, error);
    if (error instanceof AifiError) throw error;
    throw databaseFault(error);
  } finally {
    await runner.release();
  }
}

async function rollBack(runner: QueryRunner, error: unknown): Promise<void> {
  if (isUnanswered(error)) return cut(runner);
  try {
    await runner.rollbackTransaction();
  } catch (fault) {
    // The first fault is the one that is told.
    if (isUnanswered(fault)) await cut(runner);
  }
}

/** A statement that failed, and not because the server refused it: that has an SQLSTATE. */
function isUnanswered(error: unknown): boolean {
  return error instanceof QueryFailedError && !('code' in error.driverError);
}

/** The pool forgets the connection: whoever got it next would wait behind the lost statement. */
async function cut(runner: QueryRunner): Promise<void> {
  if (runner.isReleased) return;
  const client = (await runner.connect()) as Client;
  // With a statement under way it waits for nobody.
  client.end().catch(() => undefined);
}

/**
 * SQLSTATE classes 08 (connection), 53 (resources) and 57 (operator) and a lost socket, which has
 * no SQLSTATE, are the server's state and pass; the rest is a defect of ours.
 */
function databaseFault(cause: unknown): AifiError {
  const state = (cause as { code?: string }).code ?? '';
  const isBug = /^[0-9A-Z]{5}$/.test(state) && !/^(08|53|57|40)/.test(state);
  return isBug
    ? new AifiError('INTERNAL', `the database refused a statement (${state})`, { cause })
    : new AifiError('PEER_UNAVAILABLE', 'the database does not answer', { cause });
}
