/**
 * Objections: what a patient objects to, as rows that are only added.
 * Decides what is in force at a time: set, not withdrawn since, and the time within its period.
 * Invariants: setting the same again changes nothing; of two sources the one that objects wins
 * until a withdrawal comes after it; nobody's number is here, only keyed digests.
 * Source: governance specification 4.3 (objection first); GDPR Art. 21.
 */
import type { Sql } from '@aifi/gateway-database';
import type { ObjectionKind } from '@aifi/policy-routing-rules';

/** Who said so: a list of the hospital, its ADT messages, a FHIR Consent, a person on the page. */
export type ObjectionSource = 'list' | 'adt' | 'fhir' | 'person';

export interface ObjectionTime {
  readonly patientKey: string;
  readonly atMs: number;
}
export interface Objection {
  readonly kind: ObjectionKind;
  /** From then on. */
  readonly sinceMs: number;
  /** Not at it and after it; undefined: without an end. */
  readonly untilMs?: number | undefined;
  readonly source: ObjectionSource;
}
export interface ObjectionEntry {
  readonly kind: ObjectionKind;
  readonly event: 'set' | 'withdrawn';
  readonly source: ObjectionSource;
  readonly sinceMs: number | null;
  readonly untilMs: number | null;
  readonly recordedMs: number;
}

/** Kinds in force at that time; empty for a patient who does not object. */
export function objectionsOf(sql: Sql, { patientKey, atMs }: ObjectionTime): ObjectionKind[] {
  const rows = sql.all<{ kind: ObjectionKind }>(
    `SELECT DISTINCT kind FROM objection_standing
     WHERE patient_key = ?1 AND since_ms <= ?2 AND (until_ms IS NULL OR until_ms > ?2)
     ORDER BY kind`,
    ...[patientKey, atMs],
  );
  return rows.map(({ kind }) => kind);
}

/** Whether one stands that begins as early and ends as late. */
export function isStanding(
  sql: Sql,
  patientKey: string,
  { kind, sinceMs, untilMs }: Omit<Objection, 'source'>,
): boolean {
  const standing = sql.get(
    `SELECT 1 FROM objection_standing
     WHERE patient_key = ?1 AND kind = ?2 AND since_ms <= ?3
       AND (until_ms IS NULL OR until_ms >= ?4) LIMIT 1`,
    ...[patientKey, kind, sinceMs, untilMs ?? Number.MAX_SAFE_INTEGER],
  );
  return standing !== undefined;
}

/** Adds it in the transaction of the caller; false when it stands already. */
export function setObjection(
  sql: Sql,
  { patientKey, atMs }: ObjectionTime,
  objection: Objection,
): boolean {
  if (isStanding(sql, patientKey, objection)) return false;
  const { kind, sinceMs, untilMs, source } = objection;
  sql.run(
    `INSERT INTO objection (patient_key, kind, event, source, since_ms, until_ms, recorded_ms)
     VALUES (?, ?, 'set', ?, ?, ?, ?)`,
    ...[patientKey, kind, source, sinceMs, untilMs ?? null, atMs],
  );
  return true;
}

/** Ends everything of that kind that stands; false when nothing does. */
export function withdrawObjection(
  sql: Sql,
  { patientKey, atMs }: ObjectionTime,
  { kind, source }: Pick<Objection, 'kind' | 'source'>,
): boolean {
  const standing = sql.get(
    'SELECT 1 FROM objection_standing WHERE patient_key = ? AND kind = ? LIMIT 1',
    ...[patientKey, kind],
  );
  if (!standing) return false;
  sql.run(
    `INSERT INTO objection (patient_key, kind, event, source, recorded_ms)
     VALUES (?, ?, 'withdrawn', ?, ?)`,
    ...[patientKey, kind, source, atMs],
  );
  return true;
}

/** Everything that was ever said, newest first. */
export function historyOf(sql: Sql, patientKey: string): ObjectionEntry[] {
  return sql.all<ObjectionEntry>(
    `SELECT kind, event, source, since_ms AS sinceMs, until_ms AS untilMs,
       recorded_ms AS recordedMs
     FROM objection WHERE patient_key = ? ORDER BY objection_id DESC`,
    patientKey,
  );
}

/**
 * Two numbers are found to be one patient: what stands under the one stands under the other from
 * now on. It stays under the old number too, for images that still come with it; so both keep it
 * when the numbers are taken apart again, and a person withdraws what is not that patient's. To
 * miss an objection is worse than to keep one too many. Returns how many were added.
 */
export function movePatient(
  sql: Sql,
  fromKey: string,
  toKey: string,
  { atMs }: { readonly atMs: number },
): number {
  if (fromKey === toKey) return 0;
  const standing = sql.all<Omit<Objection, 'untilMs'> & { readonly untilMs: number | null }>(
    `SELECT kind, since_ms AS sinceMs, until_ms AS untilMs, source FROM objection_standing
     WHERE patient_key = ? AND (until_ms IS NULL OR until_ms > ?) ORDER BY objection_id`,
    ...[fromKey, atMs],
  );
  const added = standing.filter(({ untilMs, ...rest }) =>
    setObjection(
      sql,
      { patientKey: toKey, atMs },
      { ...rest, ...(untilMs !== null && { untilMs }) },
    ),
  );
  return added.length;
}
