/**
 * Acts at the gateway: effect, audit record and kept answer in one transaction.
 * Decides what a repeat is: the same key of the same user gets the first answer and leaves no
 * second record; with another request it is refused. Invariant: exactly one record for an act, also
 * when the process is killed between commit and answer and the caller asks again.
 * Source: port ActStore of libs/access/web; security specification 5 (T-AUD).
 */
import type { ActStore, ActWork, Caller } from '@aifi/access-web';
import { AifiError, canonicalJson, sha256Hex, type Clock } from '@aifi/shared-kernel';
import type { AccessDatabase, AccessTx } from './access-database.js';
import type { AuditTrail } from './audit-trail.js';

/** How long a repeat is known: a caller that retries does so within a day. [policy] @unit ms */
export const IDEMPOTENCY_MS_MAX = 24 * 3_600_000;

interface KeptAnswer {
  readonly request_sha256: string;
  readonly answer: string;
}

export class GatewayActStore implements ActStore<AccessTx> {
  constructor(
    private readonly database: AccessDatabase,
    private readonly trail: AuditTrail,
    private readonly clock: Clock,
  ) {}

  async perform<T>(caller: Caller, request: unknown, work: ActWork<AccessTx, T>): Promise<T> {
    const { userId, act, idempotencyKey: key } = caller;
    if (key === null) throw new AifiError('INVALID_ARGUMENT', 'an act needs an Idempotency-Key');
    const digest = sha256Hex(canonicalJson({ act, request: plain(request) }));
    return this.database.transaction(async (tx) => {
      const kept = tx.sql.get<KeptAnswer>(
        'SELECT request_sha256, answer FROM idempotency WHERE user_id = ? AND key = ?',
        ...[userId, key],
      );
      if (kept) return repeatOf(kept, digest, caller) as T;
      const { answer, subject } = await work(tx);
      this.trail.append(tx, caller.draft(subject));
      tx.sql.run(
        'INSERT INTO idempotency VALUES (?, ?, ?, ?, ?)',
        ...[userId, key, digest, JSON.stringify(answer ?? null), this.clock.nowMs()],
      );
      return answer;
    });
  }

  /** Forgets the keys that nobody repeats any more, and the answers with them. */
  purge(): Promise<number> {
    const beforeMs = this.clock.nowMs() - IDEMPOTENCY_MS_MAX;
    return this.database.transaction((tx) =>
      tx.sql.run('DELETE FROM idempotency WHERE at_ms < ?', beforeMs),
    );
  }
}

function repeatOf(kept: KeptAnswer, digest: string, caller: Caller): unknown {
  if (kept.request_sha256 !== digest) {
    throw new AifiError('STATE_CONFLICT', 'the Idempotency-Key belongs to another request');
  }
  caller.repeated();
  return JSON.parse(kept.answer);
}

/** As JSON would carry it: `undefined` members do not count. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value ?? null));
