/**
 * MemoryDatabase: the schema of a gateway without a file, for code that starts a gateway thousands
 * of times. Decides that one connection serves them all: migrations run and statements are prepared
 * once, rows go in between.
 * Invariants: what a process committed is there for the next one, what it had queued is not; after
 * clear() it is as new, numbers of rows included. Rows that are never deleted can be here.
 * Source: reliability specification 3 (deterministic simulation: Db behind a port).
 */
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import {
  GatewayDatabase,
  Sql,
  type DeferCommit,
  type Migration,
  type OpenConnection,
} from './gateway-database.js';

export class MemoryDatabase {
  readonly #open: OpenConnection;
  #cleared: { readonly version: number; readonly statements: readonly StatementSync[] } = {
    ...{ version: -1, statements: [] },
  };

  constructor(migrations: readonly Migration[]) {
    const connection = new DatabaseSync(':memory:');
    connection.exec('PRAGMA foreign_keys=ON');
    for (const { version, up } of migrations) {
      connection.exec(`BEGIN; ${up}; PRAGMA user_version=${version}; COMMIT;`);
    }
    this.#open = { connection, sql: new Sql(connection) };
  }

  /** A process starts; `defer` says when its commits happen. */
  start(defer?: DeferCommit): GatewayDatabase {
    return GatewayDatabase.over(this.#open, defer);
  }

  /** Removes every row. */
  clear(): void {
    const { connection } = this.#open;
    connection.exec('BEGIN');
    for (const each of this.#clearing()) each.run();
    connection.exec('COMMIT');
  }

  /** Prepared once: whoever opens it may have made and dropped tables since. */
  #clearing(): readonly StatementSync[] {
    const { connection, sql } = this.#open;
    const version = Number(sql.get('PRAGMA schema_version')?.['schema_version']);
    if (version === this.#cleared.version) return this.#cleared.statements;
    dropKeepers(sql);
    const statements = tablesOf(sql).map((name) => connection.prepare(`DELETE FROM ${name}`));
    const after = Number(sql.get('PRAGMA schema_version')?.['schema_version']);
    this.#cleared = { version: after, statements };
    return statements;
  }
}

const named = (sql: Sql, type: string): { name: string; sql: string }[] =>
  sql.all<{ name: string; sql: string }>(
    "SELECT name, sql FROM sqlite_schema WHERE type = ? AND name NOT LIKE 'sqlite_%'",
    type,
  );

/** Triggers that keep rows from being deleted go for good. */
function dropKeepers(sql: Sql): void {
  for (const trigger of named(sql, 'trigger')) {
    if (/\bBEFORE DELETE\b/.test(trigger.sql)) sql.run(`DROP TRIGGER ${trigger.name}`);
  }
}

/**
 * All tables, those that point at others first. Foreign keys stay on: a change of that setting
 * makes SQLite compile every statement anew.
 */
function tablesOf(sql: Sql): readonly string[] {
  const tables = named(sql, 'table').map(({ name }) => name);
  const ordered: string[] = [];
  const visit = (table: string): void => {
    if (ordered.includes(table)) return;
    const children = tables.filter((other) => other !== table && pointsAt(sql, other, table));
    for (const child of children) visit(child);
    ordered.push(table);
  };
  for (const table of tables) visit(table);
  const hasNumbers = sql.get("SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_sequence'");
  return hasNumbers ? [...ordered, 'sqlite_sequence'] : ordered;
}

function pointsAt(sql: Sql, from: string, to: string): boolean {
  const parents = sql.all<{ table: string }>(
    'SELECT "table" FROM pragma_foreign_key_list(?)',
    from,
  );
  return parents.some(({ table }) => table === to);
}
