/**
 * Orders: what the hospital asked for, by accession number or study.
 * Decides that each attribute is that of the newest statement which says it: orders, changes and
 * cancellations may come in any order and any number of times. An order that is cancelled or
 * discontinued asks for nothing.
 * Invariants: digests, codes and UIDs only; two procedures of one accession number are both there.
 * Source: HL7 v2 chapter 4 (ORC-1, OBR-4); IHE RAD TF-2 4.4.
 */
import type { Sql } from '@aifi/gateway-database';
import { AifiError } from '@aifi/shared-kernel';
import { patientAfterMoves } from './patient-moves.js';
import type { Stamp } from './order-stamp.js';

export type OrderPriority = 'acute' | 'routine';
export type OrderState = 'OPEN' | 'CANCELLED' | 'DISCONTINUED';

/** What one message says of one procedure; undefined: it does not say. */
export interface OrderStatement {
  /** Digest of the order number: what several messages have in common. */
  readonly orderKey: string;
  readonly stamp: Stamp;
  readonly accessionKey?: string | undefined;
  readonly studyUid?: string | undefined;
  /** `scheme:code` */
  readonly codes?: readonly string[] | undefined;
  readonly priority?: OrderPriority | undefined;
  readonly state?: OrderState | undefined;
  readonly patientKey?: string | undefined;
  readonly visitKey?: string | undefined;
}
/** What is ordered for a study. */
export interface ImagingOrder {
  readonly codes: string[];
  readonly priority: OrderPriority | undefined;
  /** Whose it is by now; undefined: not said, or not the same for all procedures. */
  readonly patientKey: string | undefined;
}

/** Columns and their stamps. */
const ATTRIBUTES = [
  ['accession_key', 'accession_at'],
  ['study_uid', 'study_at'],
  ['codes', 'codes_at'],
  ['priority', 'priority_at'],
  ['state', 'state_at'],
  ['patient_key', 'patient_at'],
  ['visit_key', 'visit_at'],
] as const;
const COLUMNS = ATTRIBUTES.flat();
const NEWER = ATTRIBUTES.map(
  ([value, at]) =>
    `${value} = CASE WHEN excluded.${at} > ${at} THEN excluded.${value} ELSE ${value} END,
     ${at} = MAX(${at}, excluded.${at})`,
).join(', ');
const RECORD = `INSERT INTO imaging_order (order_key, last_ms, ${COLUMNS.join(', ')})
  VALUES (?, ?, ${COLUMNS.map(() => '?').join(', ')})
  ON CONFLICT (order_key) DO UPDATE SET ${NEWER}, last_ms = MAX(last_ms, excluded.last_ms)`;

/** More than any accession number has; what is beyond is not looked at. */
const PROCEDURES_MAX = 100;
/** Of one procedure. */
const CODES_MAX = 20;

interface OrderRow {
  readonly study_uid: string | null;
  readonly codes: string | null;
  readonly priority: OrderPriority | null;
  readonly state: OrderState | null;
  readonly patient_key: string | null;
  readonly patient_at: string;
  readonly visit_key: string | null;
}

/** Takes a statement into the transaction. Safe to repeat. */
export function recordOrder(sql: Sql, statement: OrderStatement, atMs: number): void {
  const { orderKey, stamp, codes } = statement;
  if ((codes?.length ?? 0) > CODES_MAX) {
    throw new AifiError('LIMIT_EXCEEDED', 'a procedure has too many codes');
  }
  const values = [
    statement.accessionKey,
    statement.studyUid,
    codes && JSON.stringify(codes),
    statement.priority,
    statement.state,
    statement.patientKey,
    statement.visitKey,
  ];
  const stamped = values.flatMap((value) => [value ?? null, value === undefined ? '' : stamp]);
  sql.run(RECORD, orderKey, atMs, ...stamped);
}

/** The order of a study: by its own UID, else by its accession number. */
export function orderOf(
  sql: Sql,
  by: { readonly accessionKey?: string | undefined; readonly studyUid?: string | undefined },
): ImagingOrder | undefined {
  const rows = rowsOf(sql, by).filter(({ state }) => (state ?? 'OPEN') === 'OPEN');
  if (rows.length === 0) return undefined;
  const codes = rows.flatMap((row) => (row.codes ? (JSON.parse(row.codes) as string[]) : []));
  const priorities = rows.flatMap(({ priority }) => priority ?? []);
  const patients = new Set(rows.map((row) => patientOf(sql, row)));
  return {
    codes: [...new Set(codes)],
    priority: priorities.includes('acute') ? 'acute' : priorities[0],
    patientKey: patients.size === 1 ? [...patients][0] : undefined,
  };
}

/** Studies and accession numbers of a visit's orders: what goes with it to another patient. */
export function studiesOfVisit(
  sql: Sql,
  visitKey: string,
): readonly { readonly studyUid: string | undefined; readonly accessionKey: string | undefined }[] {
  return sql
    .all<{ study_uid: string | null; accession_key: string | null }>(
      `SELECT DISTINCT study_uid, accession_key FROM imaging_order WHERE visit_key = ?
       ORDER BY order_key LIMIT ?`,
      visitKey,
      PROCEDURES_MAX,
    )
    .map((row) => ({
      studyUid: row.study_uid ?? undefined,
      accessionKey: row.accession_key ?? undefined,
    }));
}

/** Removes what nobody spoke of since; says how many orders that was. */
export function expireOrders(sql: Sql, beforeMs: number): number {
  sql.run('DELETE FROM patient_move WHERE recorded_ms < ?', beforeMs);
  return sql.run('DELETE FROM imaging_order WHERE last_ms < ?', beforeMs);
}

function rowsOf(
  sql: Sql,
  { accessionKey, studyUid }: { accessionKey?: string | undefined; studyUid?: string | undefined },
): OrderRow[] {
  const select = 'SELECT * FROM imaging_order WHERE';
  const end = 'ORDER BY order_key LIMIT ?';
  const byStudy = studyUid
    ? sql.all<OrderRow & object>(`${select} study_uid = ? ${end}`, studyUid, PROCEDURES_MAX)
    : [];
  if (byStudy.length > 0 || !accessionKey) return byStudy;
  const rows = sql.all<OrderRow & object>(
    `${select} accession_key = ? ${end}`,
    ...[accessionKey, PROCEDURES_MAX],
  );
  // An order that names another study is not about this one.
  return studyUid ? rows.filter((row) => row.study_uid === null) : rows;
}

function patientOf(sql: Sql, row: OrderRow): string | undefined {
  if (row.patient_key === null) return undefined;
  return patientAfterMoves(sql, {
    patientKey: row.patient_key,
    at: row.patient_at,
    visitKey: row.visit_key ?? undefined,
  });
}
