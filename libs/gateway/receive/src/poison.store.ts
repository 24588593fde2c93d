/**
 * PoisonStore: objects that were in hand when the listener died, and how often.
 * Decides which objects are not looked at any more: those that were there three times and never
 * came through, until a day after the last time: a release that can read them gets its chance.
 * Invariants: counted before the listener starts again; bounded, the oldest go first;
 * a success of an object clears it.
 * Source: reliability specification P0 (attempt counter before parsing, quarantined at 3), H13.
 */
import type { GatewayDatabase, Sql } from '@aifi/gateway-database';
import { LIMITS } from '@aifi/shared-kernel';

/** @unit ms */
const POISON_MS = 86_400_000;
/** Objects remembered: a month in which the listener dies every hour with one in hand. */
const ROWS_MAX = 1_000;

export class PoisonStore {
  /** What has a row, so that a success costs nothing while nothing was ever counted. */
  #suspects: ReadonlySet<string>;

  constructor(private readonly database: GatewayDatabase) {
    this.#suspects = new Set(this.#withAttempts(1));
  }

  /** The objects to refuse. */
  list(nowMs: number): string[] {
    return this.#withAttempts(LIMITS.receiveAttemptsMax, nowMs - POISON_MS);
  }

  #withAttempts(min: number, sinceMs = 0): string[] {
    const rows = this.database.read((sql) =>
      sql.all<{ uid: string }>(
        `SELECT sop_instance_uid AS uid FROM receive_attempt
          WHERE attempts >= ? AND last_ms > ?`,
        min,
        sinceMs,
      ),
    );
    return rows.map(({ uid }) => uid);
  }

  /** One more death with these in hand; how many of them are poison by now. */
  async count(sopInstanceUids: readonly string[], atMs: number): Promise<number> {
    const uids = new Set(sopInstanceUids);
    const poisoned = await this.database.write((sql) => {
      const counted = [...uids].map((uid) =>
        sql.get<{ attempts: number }>(
          `INSERT INTO receive_attempt (sop_instance_uid, attempts, last_ms) VALUES (?, 1, ?)
             ON CONFLICT (sop_instance_uid)
             DO UPDATE SET attempts = attempts + 1, last_ms = excluded.last_ms
             RETURNING attempts`,
          uid,
          atMs,
        ),
      );
      sql.run(
        `DELETE FROM receive_attempt WHERE sop_instance_uid NOT IN
           (SELECT sop_instance_uid FROM receive_attempt ORDER BY last_ms DESC LIMIT ?)`,
        ROWS_MAX,
      );
      return counted.filter((row) => row!.attempts >= LIMITS.receiveAttemptsMax).length;
    });
    this.#suspects = new Set(this.#withAttempts(1));
    return poisoned;
  }

  /** Clears an object within the transaction that records its success. */
  forget(sql: Sql, sopInstanceUid: string): void {
    if (!this.#suspects.has(sopInstanceUid)) return;
    sql.run('DELETE FROM receive_attempt WHERE sop_instance_uid = ?', sopInstanceUid);
  }
}
