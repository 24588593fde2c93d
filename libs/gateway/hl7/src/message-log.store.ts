/**
 * What is on record of messages: which were taken, and how many were answered how.
 * Decides that a message counts once, and that a message id never stands for two contents.
 * Invariants: digests, and words of our own; rows are bounded by age and by the fixed words of a
 * tally. Counts of what was refused wait for a moment in memory: a crash loses those, no message.
 * Source: HL7 v2 chapter 2 (MSH-10); security specification 4 (duplicate MSH-10).
 */
import type { GatewayDatabase, Sql } from '@aifi/gateway-database';
import type { ObjectionKind } from '@aifi/policy-routing-rules';
import { refuse } from './hl7-refusal.js';

export interface MessageKeys {
  readonly messageKey: string;
  readonly contentKey: string;
}
export interface Outcome {
  /** As the configuration names it; empty: nobody of it. */
  readonly sender: string;
  /** A type of ours; empty: another, or not known. */
  readonly type: string;
  readonly answer: 'AA' | 'AE' | 'AR' | 'none' | 'closed';
  /** Code of table 0357, or a word of ours. */
  readonly detail: string;
}
export interface Tally extends Outcome {
  readonly count: number;
  /** @unit ms */
  readonly lastMs: number;
}

const ADD = `INSERT INTO hl7_tally VALUES (?, ?, ?, ?, ?, ?)
  ON CONFLICT (sender, type, answer, detail)
  DO UPDATE SET count = count + excluded.count, last_ms = MAX(last_ms, excluded.last_ms)`;

/** True when this very message was taken before; refuses its id with other content. */
export function isTaken(sql: Sql, { messageKey, contentKey }: MessageKeys): boolean {
  const known = sql.get<{ content_key: string }>(
    'SELECT content_key FROM hl7_message WHERE message_key = ?',
    messageKey,
  );
  if (known && known.content_key !== contentKey) refuse(205, { segment: 'MSH', field: 10 });
  return known !== undefined;
}

export function recordTaken(sql: Sql, { messageKey, contentKey }: MessageKeys, atMs: number): void {
  sql.run('INSERT INTO hl7_message VALUES (?, ?, ?)', messageKey, contentKey, atMs);
}
export function expireMessages(sql: Sql, beforeMs: number): number {
  return sql.run('DELETE FROM hl7_message WHERE taken_ms < ?', beforeMs);
}

/** Kinds of which nothing later was said; whoever says them again or earlier changes nothing. */
export function newlySaid(
  sql: Sql,
  {
    patientKey,
    kinds,
    stamp,
  }: { patientKey: string; kinds: readonly ObjectionKind[]; stamp: string },
): ObjectionKind[] {
  return kinds.filter(
    (kind) =>
      sql.run(
        `INSERT INTO hl7_consent VALUES (?, ?, ?) ON CONFLICT (patient_key, kind)
         DO UPDATE SET said_at = excluded.said_at WHERE excluded.said_at > said_at`,
        ...[patientKey, kind, stamp],
      ) > 0,
  );
}

export function addToTally(sql: Sql, outcome: Outcome, count: number, atMs: number): void {
  const { sender, type, answer, detail } = outcome;
  sql.run(ADD, sender, type, answer, detail, count, atMs);
}

/** Everything that was answered, by sender. */
export function readTallies(sql: Sql): Tally[] {
  return sql.all<Tally & object>(
    `SELECT sender, type, answer, detail, count, last_ms AS lastMs FROM hl7_tally
     ORDER BY sender, type, answer, detail`,
  );
}

/** Outcomes that have no transaction of their own. */
export class PendingTallies {
  #pending = new Map<string, Tally>();

  constructor(private readonly database: GatewayDatabase) {}

  add(outcome: Outcome, atMs: number): void {
    this.#put({ ...outcome, count: 1, lastMs: atMs });
  }
  /** What was written. */
  async flush(): Promise<readonly Tally[]> {
    const tallies = [...this.#pending.values()];
    if (tallies.length === 0) return [];
    this.#pending = new Map();
    try {
      await this.database.write((sql) => {
        for (const tally of tallies) addToTally(sql, tally, tally.count, tally.lastMs);
      });
    } catch (error) {
      for (const tally of tallies) this.#put(tally);
      throw error;
    }
    return tallies;
  }
  /** As many as there are words for: a sender chooses none of them. */
  #put(added: Tally): void {
    const { sender, type, answer, detail } = added;
    const key = [sender, type, answer, detail].join('\n');
    const count = added.count + (this.#pending.get(key)?.count ?? 0);
    const lastMs = Math.max(added.lastMs, this.#pending.get(key)?.lastMs ?? 0);
    this.#pending.set(key, { ...added, count, lastMs });
  }
}
