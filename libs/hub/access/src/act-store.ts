/**
 * Acts at the hub: effect, audit record and kept answer as one transaction.
 * Decides what a repeat gets: the first answer while the key is kept, without a second record; the
 * same key with another request is refused. Invariant: a process that dies leaves all three or none
 * of them. Source: security specification 5 (exactly one record); rest contract (Idempotency-Key).
 */
import type { ActStore, ActWork, AuditSink, Caller } from '@aifi/access-web';
import type { AuditDraft } from '@aifi/contracts-rest';
import { AifiError, canonicalJson, sha256Hex, type Clock } from '@aifi/shared-kernel';
import { appendAudit, type HubDatabase, type Sql } from '@aifi/hub-database';

/** How long an answer is kept for a repeat; pages repeat within minutes. [policy] @unit ms */
export const IDEMPOTENCY_MS_MAX = 24 * 3_600_000;

export class HubActStore implements ActStore<Sql>, AuditSink {
  constructor(
    private readonly database: HubDatabase,
    private readonly clock: Clock,
  ) {}

  async append(draft: AuditDraft): Promise<void> {
    await this.database.withAccess((sql) => appendAudit(sql, draft, this.clock.nowMs()));
  }

  perform<T>(caller: Caller, request: unknown, work: ActWork<Sql, T>): Promise<T> {
    return this.database.withAccess(async (sql) => {
      const kept = await this.#claimKey(sql, caller, request);
      if (kept) {
        caller.repeated();
        return JSON.parse(kept.answer) as T;
      }
      const { answer, subject } = await work(sql);
      await appendAudit(sql, caller.draft(subject), this.clock.nowMs());
      await this.#keepAnswer(sql, caller, answer);
      return answer;
    });
  }

  /** Removes keys that no repeat may use any more; how many. */
  purgeKeys(): Promise<number> {
    const before = new Date(this.clock.nowMs() - IDEMPOTENCY_MS_MAX);
    return this.database.withAccess((sql) =>
      sql.run('DELETE FROM idempotency_key WHERE created_at <= $1', before),
    );
  }

  /**
   * Takes the key for this transaction; the kept answer when it was used before. A second request
   * with the key waits here until the first has committed or failed.
   */
  async #claimKey(
    sql: Sql,
    { userId, act, idempotencyKey }: Caller,
    request: unknown,
  ): Promise<{ answer: string } | undefined> {
    if (idempotencyKey === null) return undefined;
    const requestSha256 = sha256Hex(canonicalJson(request ?? null));
    const nowMs = this.clock.nowMs();
    const claimed = await sql.run(
      `INSERT INTO idempotency_key (user_id, act, idempotency_key, request_sha256, created_at)
       VALUES ($1, $2, $3, $4, $5)
       ON CONFLICT (user_id, act, idempotency_key) DO UPDATE
         SET request_sha256 = excluded.request_sha256, answer = NULL,
           created_at = excluded.created_at
         WHERE idempotency_key.created_at <= $6`,
      userId,
      act,
      idempotencyKey,
      requestSha256,
      new Date(nowMs),
      new Date(nowMs - IDEMPOTENCY_MS_MAX),
    );
    if (claimed === 1) return undefined;
    const row = await sql.row<{ request_sha256: string; answer: string }>(
      `SELECT request_sha256, answer FROM idempotency_key
       WHERE user_id = $1 AND act = $2 AND idempotency_key = $3`,
      userId,
      act,
      idempotencyKey,
    );
    if (row?.request_sha256 !== requestSha256) {
      throw new AifiError('STATE_CONFLICT', 'the idempotency key was used for another request');
    }
    return { answer: row.answer };
  }

  async #keepAnswer(
    sql: Sql,
    { userId, act, idempotencyKey }: Caller,
    answer: unknown,
  ): Promise<void> {
    if (idempotencyKey === null) return;
    await sql.run(
      `UPDATE idempotency_key SET answer = $4
       WHERE user_id = $1 AND act = $2 AND idempotency_key = $3`,
      userId,
      act,
      idempotencyKey,
      JSON.stringify(answer ?? null),
    );
  }
}
