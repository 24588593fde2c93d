/**
 * ProviderStore: sessions, grants and tokens of the embedded provider.
 * Decides that they outlive a restart (one SQLite file) and that their number is bounded: what ends
 * first goes first. Invariants: mode 0600; what is expired is never found; the end of an account or
 * a grant takes all that hangs on it.
 * Source: the adapter contract of oidc-provider 9; SQLite "Write-Ahead Logging".
 */
import { closeSync, openSync } from 'node:fs';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import type { Adapter, AdapterPayload } from 'oidc-provider';
import { systemClock } from '@aifi/shared-kernel';

/** Some hundred people with a handful of tokens each; then a flood of started sign-ins. */
const ITEMS_MAX = 20_000;
/** Writes between two looks for what is expired or too much. */
const SWEEP_WRITES = 200;
/** Leeway of the library when it judges the end of an item itself. @unit ms */
const LEEWAY_MS = 15_000;

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS item (
    model TEXT NOT NULL, id TEXT NOT NULL, payload TEXT NOT NULL, expires_at_ms INTEGER NOT NULL,
    grant_id TEXT, account_id TEXT, uid TEXT, user_code TEXT,
    PRIMARY KEY (model, id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS item_grant ON item (grant_id);
  CREATE INDEX IF NOT EXISTS item_account ON item (account_id);
  CREATE INDEX IF NOT EXISTS item_uid ON item (uid);
  CREATE INDEX IF NOT EXISTS item_user_code ON item (user_code);
  CREATE INDEX IF NOT EXISTS item_expiry ON item (expires_at_ms);`;

export class ProviderStore {
  readonly #database: DatabaseSync;
  #writes = 0;

  constructor(path: string) {
    // Made with its mode: there is no moment in which others may read it.
    closeSync(openSync(path, 'a', 0o600));
    this.#database = new DatabaseSync(path);
    this.#database.exec('PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;');
    this.#database.exec(SCHEMA);
    this.#sweep();
  }

  /** What oidc-provider asks for, one for each of its models. */
  readonly adapter = (model: string): Adapter => ({
    upsert: async (id, payload, seconds) => this.put({ model, id, payload, seconds }),
    find: async (id) => this.find(model, id),
    findByUid: async (uid) => this.#one('model = ? AND uid = ?', [model, uid]),
    findByUserCode: async (code) => this.#one('model = ? AND user_code = ?', [model, code]),
    consume: async (id) => this.#consume(model, id),
    destroy: async (id) => this.#run('DELETE FROM item WHERE model = ? AND id = ?', [model, id]),
    revokeByGrantId: async (grantId) => this.endGrant(grantId),
  });

  put(item: {
    readonly model: string;
    readonly id: string;
    readonly payload: AdapterPayload;
    readonly seconds: number | undefined;
  }): void {
    const { model, id, payload, seconds = 0 } = item;
    const { grantId = null, accountId = null, uid = null, userCode = null } = payload;
    const expiresAtMs = systemClock.nowMs() + Math.max(0, Math.ceil(seconds)) * 1_000 + LEEWAY_MS;
    this.#run('INSERT OR REPLACE INTO item VALUES (?, ?, ?, ?, ?, ?, ?, ?)', [
      ...[model, id, JSON.stringify(payload), expiresAtMs],
      ...[grantId, accountId, uid, userCode].map((value) => (value === null ? null : `${value}`)),
    ]);
    this.#writes += 1;
    if (this.#writes % SWEEP_WRITES === 0) this.#sweep();
  }

  find(model: string, id: string): AdapterPayload | undefined {
    return this.#one('model = ? AND id = ?', [model, id]);
  }

  endGrant(grantId: string): void {
    this.#run("DELETE FROM item WHERE grant_id = ? OR (model = 'Grant' AND id = ?)", [
      grantId,
      grantId,
    ]);
  }

  endAccount(accountId: string): void {
    this.#run('DELETE FROM item WHERE account_id = ?', [accountId]);
  }

  /** Sessions of people who are no longer on the list would have nobody behind them. */
  keepAccounts(accountIds: readonly string[]): void {
    const places = accountIds.map(() => '?').join(', ');
    this.#run(`DELETE FROM item WHERE account_id NOT IN (${places})`, [...accountIds]);
  }

  close(): void {
    if (this.#database.isOpen) this.#database.close();
  }

  #one(where: string, values: SQLInputValue[]): AdapterPayload | undefined {
    const row = this.#database
      .prepare(`SELECT payload FROM item WHERE ${where} AND expires_at_ms > ?`)
      .get(...values, systemClock.nowMs());
    return row && (JSON.parse(String(row['payload'])) as AdapterPayload);
  }

  #consume(model: string, id: string): void {
    const consumed = Math.floor(systemClock.nowMs() / 1_000);
    const set = "payload = json_set(payload, '$.consumed', ?)";
    this.#run(`UPDATE item SET ${set} WHERE model = ? AND id = ?`, [consumed, model, id]);
  }

  #run(sql: string, values: SQLInputValue[]): void {
    this.#database.prepare(sql).run(...values);
  }

  #sweep(): void {
    this.#run('DELETE FROM item WHERE expires_at_ms <= ?', [systemClock.nowMs()]);
    const { count } = this.#database.prepare('SELECT count(*) AS count FROM item').get() ?? {};
    const tooMany = Number(count) - ITEMS_MAX;
    if (tooMany <= 0) return;
    const first = 'SELECT model, id FROM item ORDER BY expires_at_ms LIMIT ?';
    this.#run(`DELETE FROM item WHERE (model, id) IN (${first})`, [tooMany]);
  }
}
