/**
 * GatewayDatabase: the embedded SQLite store of a gateway, with group commit.
 * Decides that a write is durable when its promise resolves: WAL with synchronous=FULL; writes that
 * arrive together share one transaction and one fsync, each inside its own savepoint.
 * Invariant: one writer; a work function is synchronous, so no other work can come in between.
 * Source: reliability specification 2 (DURABLE(row)), F13; docs/adr/0008-spool-engine.md.
 */
import {
  DatabaseSync,
  type SQLInputValue,
  type SQLOutputValue,
  type StatementSync,
} from 'node:sqlite';
import { chmodSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { AifiError, fileFault, reportNoSpace } from '@aifi/shared-kernel';

export type Row = Record<string, SQLOutputValue>;
export interface Migration {
  /** Rises by one; the database refuses to start when it has seen a newer one. */
  readonly version: number;
  readonly up: string;
}

/** Statements kept prepared: more than the stages have; one that is made up at run time goes. */
const STATEMENTS_MAX = 256;

/** Prepared-statement access inside a read or write. */
export class Sql {
  readonly #prepared = new Map<string, StatementSync>();

  constructor(private readonly connection: DatabaseSync) {}
  /** Rows changed. */
  run(statement: string, ...values: SQLInputValue[]): number {
    return Number(this.#prepare(statement).run(...values).changes);
  }
  /** Key of the inserted row. */
  insert(statement: string, ...values: SQLInputValue[]): number {
    return Number(this.#prepare(statement).run(...values).lastInsertRowid);
  }
  all<T extends object = Row>(statement: string, ...values: SQLInputValue[]): T[] {
    return this.#prepare(statement).all(...values) as T[];
  }
  get<T extends object = Row>(statement: string, ...values: SQLInputValue[]): T | undefined {
    return this.#prepare(statement).get(...values) as T | undefined;
  }

  #prepare(statement: string): StatementSync {
    const known = this.#prepared.get(statement);
    if (known) return known;
    const prepared = this.connection.prepare(statement);
    // The oldest goes; one that is in use again is prepared again.
    const [oldest] = this.#prepared.size < STATEMENTS_MAX ? [] : this.#prepared.keys();
    if (oldest !== undefined) this.#prepared.delete(oldest);
    this.#prepared.set(statement, prepared);
    return prepared;
  }
}

interface Pending {
  readonly work: (sql: Sql) => unknown;
  readonly resolve: (value: never) => void;
  readonly reject: (error: unknown) => void;
}

/** A connection with its prepared statements; a process starts on it, and another one after it. */
export interface OpenConnection {
  readonly connection: DatabaseSync;
  readonly sql: Sql;
}
/** Runs the commit of a group later: real time has passed by then, or that of a simulator. */
export type DeferCommit = (commit: () => void) => void;

export class GatewayDatabase {
  readonly #connection: DatabaseSync;
  readonly #sql: Sql;
  #queue: Pending[] = [];
  #closed = false;

  private constructor(
    { connection, sql }: OpenConnection,
    private readonly defer: DeferCommit = (commit) => void setImmediate(commit),
  ) {
    this.#connection = connection;
    this.#sql = sql;
  }

  /** Opens or creates the database and applies missing migrations. */
  static open(path: string, migrations: readonly Migration[]): GatewayDatabase {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const connection = new DatabaseSync(path, { timeout: 5_000 });
    chmodSync(path, 0o600);
    connection.exec('PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;');
    const database = new GatewayDatabase({ connection, sql: new Sql(connection) });
    database.#migrate(migrations);
    return database;
  }

  /** Over a connection that somebody else keeps and has migrated. */
  static over(connection: OpenConnection, defer?: DeferCommit): GatewayDatabase {
    return new GatewayDatabase(connection, defer);
  }

  #migrate(migrations: readonly Migration[]): void {
    const row = this.#sql.get<{ user_version: number }>('PRAGMA user_version');
    const current = Number(row?.user_version ?? 0);
    if (current > Math.max(0, ...migrations.map((m) => m.version))) {
      throw new AifiError('CONFIG_INVALID', 'the database is of a newer release');
    }
    for (const { version, up } of migrations) {
      if (version <= current) continue;
      this.#connection.exec(`BEGIN; ${up}; PRAGMA user_version=${version}; COMMIT;`);
    }
  }

  read<T>(work: (sql: Sql) => T): T {
    return work(this.#sql);
  }

  /**
   * Runs `work` in a transaction; durable when the promise resolves. A throwing work is rolled back
   * alone. Faults of the disk reject everything of the group with OUT_OF_RESOURCES or INTERNAL.
   */
  write<T>(work: (sql: Sql) => T): Promise<T> {
    if (this.#closed) return Promise.reject(new AifiError('PEER_UNAVAILABLE', 'database closed'));
    return new Promise<T>((resolve, reject) => {
      if (this.#queue.length === 0) this.defer(() => this.#commitGroup());
      this.#queue.push({ work, resolve: resolve as (value: never) => void, reject });
    });
  }

  #commitGroup(): void {
    const group = this.#queue;
    this.#queue = [];
    if (group.length === 0) return;
    const settled: (() => void)[] = [];
    try {
      this.#sql.run('BEGIN IMMEDIATE');
      for (const pending of group) settled.push(this.#runInSavepoint(pending));
      this.#sql.run('COMMIT');
    } catch (error) {
      try {
        this.#connection.exec('ROLLBACK');
      } catch {
        // SQLite has rolled back by itself already.
      }
      const isFull = (error as { errcode?: number }).errcode === 13; // SQLITE_FULL
      if (isFull) reportNoSpace();
      const fault = isFull ? new AifiError('OUT_OF_RESOURCES', 'database full') : fileFault(error);
      for (const { reject } of group) reject(fault);
      return;
    }
    for (const settle of settled) settle();
  }

  #runInSavepoint({ work, resolve, reject }: Pending): () => void {
    this.#sql.run('SAVEPOINT work');
    try {
      const value = work(this.#sql) as never;
      this.#sql.run('RELEASE work');
      return () => resolve(value);
    } catch (error) {
      this.#connection.exec('ROLLBACK TO work; RELEASE work');
      return () => reject(error);
    }
  }

  /**
   * What a process that dies leaves behind: all that was committed. What is queued is neither
   * committed nor answered, and the connection stays for whoever comes after.
   */
  abandon(): void {
    this.#queue = [];
    this.#closed = true;
  }

  /** Commits what is queued and closes. */
  close(): void {
    if (this.#closed) return;
    this.#commitGroup();
    this.#closed = true;
    this.#connection.close();
  }
}
