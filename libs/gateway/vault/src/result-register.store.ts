/**
 * Results register: which product made which result of which study, for as long as a study is kept.
 * Decides that recall and reconstruction need nothing of the linkage, which is gone long before,
 * and that a row ends a set number of years after the study date.
 * Invariants: registering twice changes nothing; study and result UIDs are never in plain.
 * Source: reliability specification P6; Regulation (EU) 2017/745, Article 89 (field safety
 * corrective actions).
 */
import type { Sql } from '@aifi/gateway-database';
import { canonicalJson, invariant, type JobId, type OriginalUid } from '@aifi/shared-kernel';
import { RowKey, type RowPlace } from './row-seal.js';
import type { VaultKeys } from './vault-keys.js';

export interface RegisteredResult {
  readonly jobId: JobId;
  readonly studyUid: OriginalUid;
  readonly resultSopInstanceUid: string;
  readonly resultSeriesUid: string;
  readonly sopClassUid: string;
  readonly product: string;
  readonly productVersion: string;
  readonly modelDigest: string;
  readonly issue: number;
  readonly revision: number;
  /** As DICOM has it, `YYYYMMDD`; another text counts as the day of registration. */
  readonly studyDate: string;
  readonly registeredMs: number;
}
/** `registeredMs` is the time of the call, whatever is given here. */
export type NewResult = Omit<RegisteredResult, 'registeredMs'> & { readonly registeredMs?: number };

interface RegisterRow {
  readonly result_index: Uint8Array;
  readonly key_epoch: number;
  readonly data_key: Uint8Array;
  readonly content: Uint8Array;
}

const CONTENT = 'result';
const COLUMNS = 'result_index, key_epoch, data_key, content';

function placeOf(resultIndex: Uint8Array): RowPlace {
  return { table: 'result_register', rowId: Buffer.from(resultIndex).toString('hex') };
}

function opened({ ring }: VaultKeys, row: RegisterRow): RegisteredResult {
  const wrapped = { keyEpoch: row.key_epoch, dataKey: row.data_key };
  const key = RowKey.open(ring, placeOf(row.result_index), wrapped);
  return key.openJson<RegisteredResult>(CONTENT, row.content);
}

function rowOf(sql: Sql, resultIndex: Uint8Array): RegisterRow | undefined {
  return sql.get<RegisterRow>(
    `SELECT ${COLUMNS} FROM result_register WHERE result_index = ?`,
    resultIndex,
  );
}

/** Last day on which a result is kept. Unit: ms since the epoch. */
export function keepUntilMs(studyDate: string, registeredMs: number, years: number): number {
  const [, year, month, day] = /^(\d{4})(\d{2})(\d{2})$/.exec(studyDate) ?? [];
  const studyMs = Date.UTC(Number(year), Number(month) - 1, Number(day));
  const isDate =
    day !== undefined && new Date(studyMs).toISOString().slice(0, 10) === `${year}-${month}-${day}`;
  // A study date after the result is a wrong one.
  const from = new Date(isDate && studyMs <= registeredMs ? studyMs : registeredMs);
  return Date.UTC(from.getUTCFullYear() + years, from.getUTCMonth(), from.getUTCDate() + 1);
}

export interface RegisterOptions {
  readonly atMs: number;
  readonly years: number;
  readonly patientIndex: Uint8Array | null;
}

/** Writes one result; true when it was not there. INTERNAL when the UID stands for another one. */
export function putResult(
  sql: Sql,
  keys: VaultKeys,
  entry: NewResult,
  { atMs, years, patientIndex }: RegisterOptions,
): boolean {
  const resultIndex = keys.index.result(entry.resultSopInstanceUid);
  const row = rowOf(sql, resultIndex);
  if (row) {
    const stored = opened(keys, row);
    const same = canonicalJson({ ...entry, registeredMs: stored.registeredMs });
    invariant(canonicalJson(stored) === same, 'a result UID is registered otherwise');
    return false;
  }
  const key = RowKey.make(keys.ring.current, placeOf(resultIndex));
  const { keyEpoch, dataKey } = key.wrapped;
  sql.run(
    `INSERT INTO result_register
       (result_index, study_index, patient_index, product, product_version, key_epoch, data_key,
        content, registered_ms, keep_until_ms)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ...[resultIndex, keys.index.study(entry.studyUid), patientIndex],
    ...[entry.product, entry.productVersion, keyEpoch, dataKey],
    ...[key.sealJson(CONTENT, { ...entry, registeredMs: atMs }), atMs],
    keepUntilMs(entry.studyDate, atMs, years),
  );
  return true;
}

/** Undefined: never registered here, or erased. */
export function resultOf(
  sql: Sql,
  keys: VaultKeys,
  sopInstanceUid: string,
): RegisteredResult | undefined {
  const row = rowOf(sql, keys.index.result(sopInstanceUid));
  return row && opened(keys, row);
}

export interface RecallQuery {
  readonly product: string;
  /** Left out: all versions. */
  readonly version?: string;
}

/** All results of a product, the oldest first. */
export function recalled(
  sql: Sql,
  keys: VaultKeys,
  { product, version }: RecallQuery,
): RegisteredResult[] {
  const ofVersion = version === undefined ? '' : ' AND product_version = ?';
  const rows = sql.all<RegisterRow>(
    `SELECT ${COLUMNS} FROM result_register
     WHERE product = ?${ofVersion} AND data_key IS NOT NULL ORDER BY rowid`,
    ...(version === undefined ? [product] : [product, version]),
  );
  return rows.map((row) => opened(keys, row));
}

const ERASE = "UPDATE result_register SET patient_index = NULL, data_key = NULL, content = x''";

/** Ends the rows whose time is over; how many. */
export function expireResults(sql: Sql, nowMs: number, limit: number): number {
  const erased = sql.run(
    `${ERASE} WHERE result_index IN
       (SELECT result_index FROM result_register WHERE keep_until_ms <= ? LIMIT ?)`,
    ...[nowMs, limit],
  );
  removeErased(sql);
  return erased;
}

/** Erases the results of a study, or those last known to be of a patient; how many. */
export function eraseResults(
  sql: Sql,
  {
    column,
    index,
  }: { readonly column: 'study_index' | 'patient_index'; readonly index: Uint8Array },
  untilMs: number,
): number {
  const erased = sql.run(`${ERASE} WHERE ${column} = ? AND registered_ms <= ?`, index, untilMs);
  removeErased(sql);
  return erased;
}

function removeErased(sql: Sql): void {
  sql.run('DELETE FROM result_register WHERE data_key IS NULL');
}
