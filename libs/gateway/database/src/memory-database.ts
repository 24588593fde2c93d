/**
 * MemoryDatabase: the schema of a gateway without a file, for code that starts a gateway thousands
 * of times. Decides that one connection serves them all: migrations run and statements are prepared
 * once, rows go in between.
 * Invariants: what a process committed is there for the next one, what it had queued is not; after
 * clear() it is as new, numbers of rows included. Rows that are never deleted can be here.
 * Source: reliability specification 3 (deterministic simulation: Db behind a port).
 */
import { DatabaseSync } from 'node:sqlite';
import {
  GatewayDatabase,
  Sql,
  type DeferCommit,
  type Migration,
  type OpenConnection,
} from './gateway-database.js';

export class MemoryDatabase {
  readonly #open: OpenConnection;

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
    // Whoever opens it may have made and dropped tables.
    this.#open.connection.exec(clearing(this.#open.sql));
  }
}

/**
 * Triggers that keep rows from being deleted go for good: taking them away each time would prepare
 * every statement anew.
 */
function clearing(sql: Sql): string {
  const named = (type: string): { name: string; sql: string }[] =>
    sql.all<{ name: string; sql: string }>(
      "SELECT name, sql FROM sqlite_schema WHERE type = ? AND name NOT LIKE 'sqlite_%'",
      type,
    );
  for (const trigger of named('trigger')) {
    if (/\bBEFORE DELETE\b/.test(trigger.sql)) sql.run(`DROP TRIGGER ${trigger.name}`);
  }
  const hasNumbers = sql.get("SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_sequence'");
  return [
    'PRAGMA foreign_keys=OFF',
    'BEGIN',
    ...named('table').map(({ name }) => `DELETE FROM ${name}`),
    ...(hasNumbers ? ['DELETE FROM sqlite_sequence'] : []),
    'COMMIT',
    'PRAGMA foreign_keys=ON',
  ].join(';\n');
}
