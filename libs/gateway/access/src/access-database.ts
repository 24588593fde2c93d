/**
 * AccessDatabase: the gateway's store of sessions, approvals, flags, alerts and the audit trail.
 * Decides that an act is one transaction and that transactions come one after the other, because
 * services await inside. Invariants: a reader never sees an act that is not committed (own
 * connection); a handle that outlives its transaction is refused; durable when the promise
 * resolves.
 * Source: reliability specification 2 (DURABLE(row)), H18; SQLite "Write-Ahead Logging".
 */
import { chmodSync, closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { AifiError, crashPoint, fileFault } from '@aifi/shared-kernel';
import { Sql } from '@aifi/gateway-database';
import { ACCESS_MIGRATIONS } from './access-migrations.js';

/** Acts that wait for the ones before them: more is a defect or an attack. */
const QUEUE_LENGTH_MAX = 1_000;
/** Statements of another process that holds the file, such as a backup. @unit ms */
const BUSY_MS_MAX = 5_000;
const SQLITE_FULL = 13;

/** One open transaction. */
export class AccessTx {
  #sql: Sql | undefined;

  constructor(sql: Sql) {
    this.#sql = sql;
  }
  get sql(): Sql {
    if (!this.#sql) throw new AifiError('INTERNAL', 'the transaction is over');
    return this.#sql;
  }
  end(): void {
    this.#sql = undefined;
  }
}

export class AccessDatabase {
  readonly #writer: DatabaseSync;
  readonly #reader: DatabaseSync;
  readonly #writes: Sql;
  readonly #reads: Sql;
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #closed = false;

  private constructor(path: string) {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    // Made with its mode: there is no moment in which others may read it.
    closeSync(openSync(path, 'a', 0o600));
    chmodSync(path, 0o600);
    this.#writer = new DatabaseSync(path, { timeout: BUSY_MS_MAX });
    this.#writer.exec('PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;');
    this.#writes = new Sql(this.#writer);
    migrate(this.#writer, this.#writes);
    this.#reader = new DatabaseSync(path, { readOnly: true, timeout: BUSY_MS_MAX });
    this.#reads = new Sql(this.#reader);
  }

  /** Opens or creates the database (mode 0600) and applies missing migrations. */
  static open(path: string): AccessDatabase {
    return new AccessDatabase(path);
  }

  /** Committed rows only. */
  read<T>(work: (sql: Sql) => T): T {
    return work(this.#reads);
  }

  /**
   * Runs `work` between BEGIN IMMEDIATE and COMMIT; what it throws rolls back and comes out as it
   * is. OUT_OF_RESOURCES when the disk is full or too many acts wait.
   */
  transaction<T>(work: (tx: AccessTx) => Promise<T> | T): Promise<T> {
    if (this.#closed) return Promise.reject(new AifiError('PEER_UNAVAILABLE', 'database closed'));
    if (this.#waiting >= QUEUE_LENGTH_MAX) {
      return Promise.reject(new AifiError('OUT_OF_RESOURCES', 'too many acts at once'));
    }
    this.#waiting += 1;
    const turn = this.#last.then(() => this.#run(work));
    this.#last = turn.catch(() => undefined).finally(() => (this.#waiting -= 1));
    return turn;
  }

  async #run<T>(work: (tx: AccessTx) => Promise<T> | T): Promise<T> {
    const tx = new AccessTx(this.#writes);
    this.#exec('BEGIN IMMEDIATE');
    try {
      const value = await work(tx);
      tx.end();
      crashPoint('gateway.access.before-commit');
      this.#exec('COMMIT');
      crashPoint('gateway.access.after-commit');
      return value;
    } catch (error) {
      tx.end();
      this.#rollBack();
      throw storeFault(error);
    }
  }

  #exec(statement: string): void {
    try {
      this.#writer.exec(statement);
    } catch (error) {
      throw storeFault(error);
    }
  }
  #rollBack(): void {
    try {
      this.#writer.exec('ROLLBACK');
    } catch {
      // SQLite has rolled back by itself already.
    }
  }

  /** Lets the acts that wait end, then closes. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#last;
    this.#reader.close();
    this.#writer.close();
  }
}

function storeFault(error: unknown): unknown {
  const { errcode } = error as { errcode?: number };
  if (errcode === undefined) return error;
  return errcode === SQLITE_FULL
    ? new AifiError('OUT_OF_RESOURCES', 'database full', { cause: error })
    : fileFault(error);
}

function migrate(connection: DatabaseSync, sql: Sql): void {
  const current = Number(sql.get<{ user_version: number }>('PRAGMA user_version')?.user_version);
  if (current > Math.max(...ACCESS_MIGRATIONS.map(({ version }) => version))) {
    throw new AifiError('CONFIG_INVALID', 'the database is of a newer release');
  }
  for (const { version, up } of ACCESS_MIGRATIONS) {
    if (version > current) connection.exec(`BEGIN; ${up}; PRAGMA user_version=${version}; COMMIT;`);
  }
}
