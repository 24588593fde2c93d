/**
 * Queries over the audit records of access.db.
 * Decides which index answers which question: each filter has its own, newest first.
 * Invariant: bounded answers; a stream reads in batches and lets other work through in between.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { auditPage, readCursor, type AuditPage, type AuditSearch } from '@aifi/access-audit';
import type { AuditStreamFilter } from '@aifi/access-audit';
import type { AuditRecord } from '@aifi/contracts-rest';
import type { Sql } from '@aifi/gateway-database';
import type { AccessDatabase } from './access-database.js';

const BATCH_ROWS = 500;
/** Records of one patient in one extract; beyond it the newest. */
const PATIENT_RECORDS_MAX = 5_000;

interface Row {
  readonly record: string;
}
type Value = string | number;
/** Conditions with their values, in the order of the question marks. */
interface Where {
  readonly text: string;
  readonly values: Value[];
}

/** The statement of a search and its values; a test asks the planner about it. */
export function auditSearchSql(query: AuditSearch): [statement: string, values: Value[]] {
  const where = filterOf(query);
  const { text, values } = query.cursor === undefined ? where : after(where, query.cursor);
  const statement = `SELECT record FROM audit_record WHERE ${text}
    ORDER BY at_ms DESC, chain DESC, sequence DESC LIMIT ?`;
  return [statement, [...values, query.limit + 1]];
}

export function searchRecords(sql: Sql, query: AuditSearch): AuditPage {
  const [statement, values] = auditSearchSql(query);
  const rows = sql.all<Row>(statement, ...values);
  return auditPage(rows.map(recordOf), query.limit);
}

export async function* streamRecords(
  database: AccessDatabase,
  filter: AuditStreamFilter & { readonly chain: string },
): AsyncIterable<AuditRecord> {
  const { text, values } = filterOf(filter);
  let after = filter.afterSequence ?? 0;
  for (;;) {
    const rows = database.read((sql) =>
      sql.all<Row>(
        `SELECT record FROM audit_record
         WHERE chain = ? AND sequence > ? AND ${text} ORDER BY sequence LIMIT ?`,
        ...[filter.chain, after, ...values, BATCH_ROWS],
      ),
    );
    for (const row of rows) {
      const record = recordOf(row);
      after = record.sequence;
      yield record;
    }
    if (rows.length < BATCH_ROWS) return;
    await nextTurn();
  }
}

export function recordsAbout(sql: Sql, patientId: string): AuditRecord[] {
  const rows = sql.all<Row>(
    `SELECT record FROM audit_patient p JOIN audit_record r USING (chain, sequence)
     WHERE p.patient_id = ? ORDER BY p.chain DESC, p.sequence DESC LIMIT ?`,
    patientId,
    PATIENT_RECORDS_MAX,
  );
  return rows.map(recordOf);
}

const recordOf = ({ record }: Row): AuditRecord => JSON.parse(record) as AuditRecord;

type Filter = Omit<AuditStreamFilter, 'chain' | 'afterSequence'>;
function filterOf(filter: Filter): Where {
  const pairs: [string, Value | undefined][] = [
    ['at_ms >= ?', filter.fromMs],
    ['at_ms < ?', filter.toMs],
    ['act = ?', filter.act],
    ['user_id = ?', filter.userId],
    ['user_id = ?', filter.onlyUserId],
    ['outcome = ?', filter.outcome],
    ['object_id = ?', filter.objectId],
    ['site_id = ?', filter.siteId],
  ];
  const used = pairs.filter((pair): pair is [string, Value] => pair[1] !== undefined);
  return {
    text: ['TRUE', ...used.map(([condition]) => condition)].join(' AND '),
    values: used.map(([, value]) => value),
  };
}

function after(where: Where, cursor: string): Where {
  const { atMs, chain, sequence } = readCursor(cursor);
  return {
    text: `${where.text} AND (at_ms, chain, sequence) < (?, ?, ?)`,
    values: [...where.values, atMs, chain, sequence],
  };
}
