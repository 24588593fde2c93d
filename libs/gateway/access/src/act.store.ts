/**
 * Acts at the gateway: effect, audit record and kept answer in one transaction; or, for an effect
 * in another database, record and order first and the effect after them.
 * Decides what a repeat is: the same key of the same user gets the first answer and leaves no
 * second record; with another request it is refused. Invariant: exactly one record for an act, also
 * when the process is killed between commit and answer and the caller asks again; no effect without
 * its record.
 * Source: port ActStore of libs/access/web; security specification 5 (T-AUD).
 */
import type { ActStore, ActWork, AuditSubject, Caller } from '@aifi/access-web';
import { AifiError, canonicalJson, sha256Hex, type Clock } from '@aifi/shared-kernel';
import type { AccessDatabase, AccessTx } from './access-database.js';
import type { AuditTrail } from './audit-trail.js';

/** How long a repeat is known: a caller that retries does so within a day. [policy] @unit ms */
export const IDEMPOTENCY_MS_MAX = 24 * 3_600_000;

interface KeptAnswer {
  readonly request_sha256: string;
  /** JSON; of an order that is not carried out yet: the order itself. */
  readonly answer: string;
  readonly is_order: 0 | 1;
}

/** An act whose effect is not in this database. */
export interface OrderedAct<O, T> {
  /** What is ordered, as it is kept (JSON), and what its record says. */
  readonly order: O;
  readonly subject: AuditSubject;
  /**
   * Called after record and order are durable; again with the first order when the caller asks
   * again because no answer came. So it may have its effect only once for an order.
   */
  readonly carryOut: (order: O) => Promise<T>;
}

export class GatewayActStore implements ActStore<AccessTx> {
  constructor(
    private readonly database: AccessDatabase,
    private readonly trail: AuditTrail,
    private readonly clock: Clock,
  ) {}

  async perform<T>(caller: Caller, request: unknown, work: ActWork<AccessTx, T>): Promise<T> {
    const digest = digestOf(caller, request);
    return this.database.transaction(async (tx) => {
      const kept = repeatOf(tx, caller, digest);
      if (kept) return JSON.parse(kept.answer) as T;
      const { answer, subject } = await work(tx);
      this.trail.append(tx, caller.draft(subject));
      this.#keep(tx, caller, { digest, answer, isOrder: false });
      return answer;
    });
  }

  /**
   * Record and order in one transaction, then the effect, then its answer. Killed in between, the
   * record stands and says what was ordered; whoever asks again has it carried out.
   */
  async order<O, T>(caller: Caller, request: unknown, act: OrderedAct<O, T>): Promise<T> {
    const digest = digestOf(caller, request);
    const kept = await this.database.transaction((tx) => {
      const found = repeatOf(tx, caller, digest);
      if (found) return found;
      this.trail.append(tx, caller.draft(act.subject));
      this.#keep(tx, caller, { digest, answer: act.order, isOrder: true });
      return undefined;
    });
    if (kept && !kept.is_order) return JSON.parse(kept.answer) as T;
    const answer = await act.carryOut(kept ? (JSON.parse(kept.answer) as O) : act.order);
    return this.database.transaction((tx) => {
      tx.sql.run(
        `UPDATE idempotency SET answer = ?, is_order = 0
         WHERE user_id = ? AND key = ? AND is_order`,
        ...[JSON.stringify(answer ?? null), caller.userId, caller.idempotencyKey],
      );
      // Asked twice at the same time: both get the answer of who was first.
      const settled = keptAnswer(tx, caller);
      return settled ? (JSON.parse(settled.answer) as T) : answer;
    });
  }

  #keep(
    tx: AccessTx,
    { userId, idempotencyKey }: Caller,
    { digest, answer, isOrder }: { digest: string; answer: unknown; isOrder: boolean },
  ): void {
    tx.sql.run(
      `INSERT INTO idempotency (user_id, key, request_sha256, answer, at_ms, is_order)
       VALUES (?, ?, ?, ?, ?, ?)`,
      ...[userId, idempotencyKey, digest, JSON.stringify(answer ?? null), this.clock.nowMs()],
      isOrder ? 1 : 0,
    );
  }

  /** Forgets the keys that nobody repeats any more, and the answers with them. */
  purge(): Promise<number> {
    const beforeMs = this.clock.nowMs() - IDEMPOTENCY_MS_MAX;
    return this.database.transaction((tx) =>
      tx.sql.run('DELETE FROM idempotency WHERE at_ms < ?', beforeMs),
    );
  }
}

/** Of act and request; an act without a key is refused. */
function digestOf({ act, idempotencyKey }: Caller, request: unknown): string {
  if (idempotencyKey === null) {
    throw new AifiError('INVALID_ARGUMENT', 'an act needs an Idempotency-Key');
  }
  return sha256Hex(canonicalJson({ act, request: plain(request) }));
}

function keptAnswer(tx: AccessTx, { userId, idempotencyKey }: Caller): KeptAnswer | undefined {
  return tx.sql.get<KeptAnswer>(
    'SELECT request_sha256, answer, is_order FROM idempotency WHERE user_id = ? AND key = ?',
    ...[userId, idempotencyKey],
  );
}

/** What the first of these requests left; the caller is told that this is a repeat. */
function repeatOf(tx: AccessTx, caller: Caller, digest: string): KeptAnswer | undefined {
  const kept = keptAnswer(tx, caller);
  if (!kept) return undefined;
  if (kept.request_sha256 !== digest) {
    throw new AifiError('STATE_CONFLICT', 'the Idempotency-Key belongs to another request');
  }
  caller.repeated();
  return kept;
}

/** As JSON would carry it: `undefined` members do not count. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value ?? null));
