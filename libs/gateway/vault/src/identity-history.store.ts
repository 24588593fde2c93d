/**
 * Identity history: who the patient of each study was, and is now.
 * Decides that the newest row is current, that a received identity which the history has already
 * does not come back by itself, and which studies are of one patient.
 * Invariant: the history only grows; erasure takes whole rows, their data keys first.
 * Source: reliability specification C5, C7.
 */
import type { Sql } from '@aifi/gateway-database';
import { canonicalJson, type OriginalUid } from '@aifi/shared-kernel';
import type { PatientKey } from './blind-index.js';
import type { Identity } from './identity.js';
import { RowKey, type RowPlace } from './row-seal.js';
import type { VaultKeys } from './vault-keys.js';

/** Who told the gateway about an identity. */
export type IdentitySource = 'received' | 'adt' | 'pacs';

export interface NewIdentity {
  readonly studyUid: OriginalUid;
  readonly identity: Identity;
  readonly source: IdentitySource;
  readonly atMs: number;
}
export interface IdentityEntry {
  readonly sequence: number;
  readonly identity: Identity;
  readonly source: IdentitySource;
  readonly atMs: number;
}

interface HistoryRow {
  readonly study_index: Uint8Array;
  readonly sequence: number;
  readonly key_epoch: number;
  readonly data_key: Uint8Array;
  readonly content: Uint8Array;
  readonly source: IdentitySource;
  readonly at_ms: number;
}
interface HistoryContent {
  readonly studyUid: OriginalUid;
  readonly identity: Identity;
}

const CONTENT = 'identity';
const COLUMNS = 'study_index, sequence, key_epoch, data_key, content, source, at_ms';

function placeOf(studyIndex: Uint8Array, sequence: number): RowPlace {
  const study = Buffer.from(studyIndex).toString('hex');
  return { table: 'identity_history', rowId: `${study}/${sequence}` };
}

function opened({ ring }: VaultKeys, row: HistoryRow): HistoryContent {
  const wrapped = { keyEpoch: row.key_epoch, dataKey: row.data_key };
  const key = RowKey.open(ring, placeOf(row.study_index, row.sequence), wrapped);
  return key.openJson<HistoryContent>(CONTENT, row.content);
}

function rowsOf(sql: Sql, studyIndex: Uint8Array): HistoryRow[] {
  return sql.all<HistoryRow>(
    `SELECT ${COLUMNS} FROM identity_history WHERE study_index = ? ORDER BY sequence`,
    studyIndex,
  );
}

function newestRow(sql: Sql, studyIndex: Uint8Array): HistoryRow | undefined {
  return sql.get<HistoryRow>(
    `SELECT ${COLUMNS} FROM identity_history WHERE study_index = ?
     ORDER BY sequence DESC LIMIT 1`,
    studyIndex,
  );
}

/** Oldest first. */
export function historyOf(sql: Sql, keys: VaultKeys, studyUid: OriginalUid): IdentityEntry[] {
  return rowsOf(sql, keys.index.study(studyUid)).map((row) => ({
    ...{ sequence: row.sequence, source: row.source, atMs: row.at_ms },
    identity: opened(keys, row).identity,
  }));
}

/** The sequence of the newest entry; 0 when there is none. */
export function versionOf(sql: Sql, keys: VaultKeys, studyUid: OriginalUid): number {
  return newestRow(sql, keys.index.study(studyUid))?.sequence ?? 0;
}

export function currentOf(sql: Sql, keys: VaultKeys, studyUid: OriginalUid): Identity | undefined {
  const row = newestRow(sql, keys.index.study(studyUid));
  return row && opened(keys, row).identity;
}

/** The study behind a blind index, while the vault has an identity of it. */
export function studyUidOf(
  sql: Sql,
  keys: VaultKeys,
  studyIndex: Uint8Array,
): OriginalUid | undefined {
  const row = newestRow(sql, studyIndex);
  return row && opened(keys, row).studyUid;
}

/** Appends, whatever the history says already. */
export function appendEntry(sql: Sql, keys: VaultKeys, entry: NewIdentity): void {
  const { studyUid, identity, source, atMs } = entry;
  const studyIndex = keys.index.study(studyUid);
  const sequence = (newestRow(sql, studyIndex)?.sequence ?? 0) + 1;
  const patientIndex = keys.index.patient(patientOf(identity));
  const key = RowKey.make(keys.ring.current, placeOf(studyIndex, sequence));
  sql.run(
    `INSERT INTO identity_history
       (study_index, sequence, patient_index, key_epoch, data_key, content, source, at_ms)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    ...[studyIndex, sequence, patientIndex, key.wrapped.keyEpoch, key.wrapped.dataKey],
    ...[key.sealJson(CONTENT, { studyUid, identity }), source, atMs],
  );
  // The register outlives the history: it keeps the patient as last known.
  sql.run(
    `UPDATE result_register SET patient_index = ?
     WHERE study_index = ? AND data_key IS NOT NULL AND patient_index IS NOT ?`,
    ...[patientIndex, studyIndex, patientIndex],
  );
}

/**
 * Appends a received identity unless the history has it: a second job over the same images must not
 * bring back an identity that was corrected in between.
 */
export function appendReceived(sql: Sql, keys: VaultKeys, entry: NewIdentity): boolean {
  const text = canonicalJson(entry.identity);
  const isKnown = rowsOf(sql, keys.index.study(entry.studyUid)).some(
    (row) => canonicalJson(opened(keys, row).identity) === text,
  );
  if (!isKnown) appendEntry(sql, keys, entry);
  return !isKnown;
}

export function patientOf({ fields }: Identity): PatientKey {
  return { patientId: fields.PatientID, issuer: fields.IssuerOfPatientID };
}

/** Studies whose current identity is this patient. */
export function studiesOfPatient(sql: Sql, keys: VaultKeys, patient: PatientKey): OriginalUid[] {
  const patientIndex = keys.index.patient(patient);
  if (!patientIndex) return [];
  return currentStudies(sql, patientIndex).map((row) => opened(keys, row).studyUid);
}

/** Newest rows of the studies whose newest row names the patient. */
function currentStudies(sql: Sql, patientIndex: Uint8Array): HistoryRow[] {
  return sql.all<HistoryRow>(
    `SELECT ${COLUMNS} FROM identity_history AS h WHERE patient_index = ?
       AND sequence = (SELECT MAX(sequence) FROM identity_history
                       WHERE study_index = h.study_index)
     ORDER BY study_index`,
    patientIndex,
  );
}

/** Blind indexes of the studies that are the patient's now. */
export function studyIndexesOfPatient(sql: Sql, patientIndex: Uint8Array): Uint8Array[] {
  return currentStudies(sql, patientIndex).map((row) => row.study_index);
}

/** Studies without a living linkage whose newest row is not younger than `beforeMs`. */
export function orphanedStudies(sql: Sql, beforeMs: number): Uint8Array[] {
  return sql
    .all<{ study_index: Uint8Array }>(
      `SELECT DISTINCT study_index FROM identity_history AS h
       WHERE at_ms <= ? AND NOT EXISTS (
           SELECT 1 FROM linkage WHERE study_index = h.study_index AND data_key IS NOT NULL)
         AND NOT EXISTS (
           SELECT 1 FROM identity_history WHERE study_index = h.study_index AND at_ms > ?)`,
      ...[beforeMs, beforeMs],
    )
    .map((row) => row.study_index);
}

/** When the oldest row that is kept was written. */
export function oldestIdentityMs(sql: Sql): number | undefined {
  const row = sql.get<{ oldest: number | null }>(
    'SELECT MIN(at_ms) AS oldest FROM identity_history',
  );
  return row?.oldest ?? undefined;
}

const ERASE = "UPDATE identity_history SET patient_index = NULL, data_key = NULL, content = x''";

/** Erases what was known of a study until `untilMs`. */
export function eraseHistory(sql: Sql, studyIndex: Uint8Array, untilMs: number): void {
  sql.run(`${ERASE} WHERE study_index = ? AND at_ms <= ?`, studyIndex, untilMs);
  removeErased(sql, studyIndex);
}

/** Erases a patient from the past of studies that are another's now. */
export function eraseFromOthers(sql: Sql, patientIndex: Uint8Array, untilMs: number): void {
  const studies = sql.all<{ study_index: Uint8Array }>(
    'SELECT DISTINCT study_index FROM identity_history WHERE patient_index = ? AND at_ms <= ?',
    ...[patientIndex, untilMs],
  );
  for (const { study_index: studyIndex } of studies) {
    sql.run(
      `${ERASE} WHERE study_index = ? AND patient_index = ? AND at_ms <= ?`,
      ...[studyIndex, patientIndex, untilMs],
    );
    removeErased(sql, studyIndex);
  }
}

function removeErased(sql: Sql, studyIndex: Uint8Array): void {
  sql.run('DELETE FROM identity_history WHERE study_index = ? AND data_key IS NULL', studyIndex);
}
