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

export class GatewayDatabase {
  readonly #connection: DatabaseSync;
  readonly #sql: Sql;
  #queue: Pending[] = [];
  #closed = false;

  private constructor(path: string) {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    this.#connection = new DatabaseSync(path, { timeout: 5_000 });
    chmodSync(path, 0o600);
    this.#connection.exec(
      'PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;',
    );
    this.#sql = new Sql(this.#connection);
  }

  /** Opens or creates the database and applies missing migrations. */
  static open(path: string, migrations: readonly Migration[]): GatewayDatabase {
    const database = new GatewayDatabase(path);
    database.#migrate(migrations);
    return database;
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
      if (this.#queue.length === 0) setImmediate(() => this.#commitGroup());
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

  /** Commits what is queued and closes. */
  close(): void {
    if (this.#closed) return;
    this.#commitGroup();
    this.#closed = true;
    this.#connection.close();
  }
}
