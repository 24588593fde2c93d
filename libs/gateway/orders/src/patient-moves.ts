/**
 * Patient moves: an order goes with its patient when numbers are merged, changed or given back.
 * Decides whose an order is by a fold over the moves that were said after the order named its
 * patient, in the hospital's order; so a merge that comes before its order, or twice, ends the
 * same.
 * Invariant: an unmerge gives back only what a merge took.
 * Source: HL7 v2 chapter 3 (A37, A40, A43, A45, A47); reliability specification C5.
 */
import type { Sql } from '@aifi/gateway-database';
import type { Stamp } from './order-stamp.js';

export interface PatientMove {
  readonly fromKey: string;
  readonly intoKey: string;
  /** MERGE can be given back by UNMERGE; MOVE cannot. */
  readonly kind: 'MERGE' | 'UNMERGE' | 'MOVE';
  /** Only the orders of this visit; absent: all. */
  readonly visitKey?: string | undefined;
  readonly stamp: Stamp;
}
interface MoveRow {
  readonly into_key: string;
  readonly moved_at: string;
  readonly kind: PatientMove['kind'];
  readonly visit_key: string;
}
interface Named {
  readonly patientKey: string;
  /** Stamp of the statement that named the patient. */
  readonly at: string;
  readonly visitKey: string | undefined;
}

/** Moves of one order that are followed: a number is merged a few times in a life. */
const MOVES_MAX = 100;

/** Takes a move into the transaction. Safe to repeat. */
export function recordMove(sql: Sql, move: PatientMove, atMs: number): void {
  const { fromKey, intoKey, stamp, kind, visitKey = '' } = move;
  if (fromKey === intoKey) return;
  sql.run(
    'INSERT OR IGNORE INTO patient_move VALUES (?, ?, ?, ?, ?, ?)',
    ...[fromKey, intoKey, stamp, kind, visitKey, atMs],
  );
}

export function patientAfterMoves(sql: Sql, { patientKey, at, visitKey }: Named): string {
  let [current, since] = [patientKey, at];
  /** Patients that a merge took the order from. */
  const merged: string[] = [];
  for (let moves = 0; moves < MOVES_MAX; moves += 1) {
    const next = nextMove(sql, { from: current, since, visitKey, merged });
    if (!next) break;
    since = next.moved_at;
    if (next.kind === 'MERGE') merged.push(current);
    if (next.kind === 'UNMERGE') merged.length = merged.lastIndexOf(next.into_key);
    current = next.into_key;
  }
  return current;
}

/** The first move after that moment which concerns the order. */
function nextMove(
  sql: Sql,
  by: { from: string; since: string; visitKey: string | undefined; merged: readonly string[] },
): MoveRow | undefined {
  return sql
    .all<MoveRow & object>(
      `SELECT into_key, moved_at, kind, visit_key FROM patient_move
       WHERE from_key = ? AND moved_at > ? AND visit_key IN ('', ?)
       ORDER BY moved_at, into_key LIMIT ?`,
      ...[by.from, by.since, by.visitKey ?? '', MOVES_MAX],
    )
    .find(({ kind, into_key: into }) => kind !== 'UNMERGE' || by.merged.includes(into));
}
