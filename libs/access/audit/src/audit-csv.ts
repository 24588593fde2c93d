/**
 * CSV of records, for people with a spreadsheet.
 * Decides the columns and that no cell is ever a formula: whatever a program could take for one
 * gets an apostrophe in front. Invariant: each record is one line; every cell is quoted.
 * Source: RFC 4180; security specification 7 (V1, CSV escape; OWASP CSV injection).
 */
import type { AuditRecord } from '@aifi/contracts-rest';
import { canonicalJson } from '@aifi/shared-kernel';
import { plainText } from './rendering.js';

const COLUMNS = [
  ...(['chain', 'sequence', 'atMs', 'act', 'action', 'outcome', 'code'] as const),
  ...(['userId', 'userName', 'userKind', 'role', 'responsibleUserId', 'siteId'] as const),
  ...(['objectType', 'objectId', 'patientId', 'reason', 'sourceAddress'] as const),
  ...(['correlationId', 'detail', 'previousHash', 'hash'] as const),
] satisfies readonly (keyof AuditRecord)[];

/** What spreadsheets read as a formula, also in full width, behind white space or a former tab. */
const FORMULA = /^[\s\ufffd]*[=+\-@|%\uff1d\uff0b\uff0d\uff20]/;

export const CSV_HEADER = `${['at', ...COLUMNS].map(csvCell).join(',')}\r\n`;

/** One line with its end. */
export function toCsv(record: AuditRecord): string {
  const values = COLUMNS.map((column) => {
    const value = record[column];
    return typeof value === 'object' && value !== null ? canonicalJson(value) : String(value ?? '');
  });
  return `${[new Date(record.atMs).toISOString(), ...values].map(csvCell).join(',')}\r\n`;
}

/** One cell: quoted, never a formula. */
export function csvCell(text: string): string {
  const plain = plainText(text);
  return `"${FORMULA.test(plain) ? "'" : ''}${plain.replaceAll('"', '""')}"`;
}
