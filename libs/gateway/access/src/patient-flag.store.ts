/**
 * Patients whose identity is masked until somebody opens it with a reason.
 * Decides when a flag is about a patient: the same number, and no two different issuers. A flag or
 * a patient without an issuer counts for any: masking one too many is the safe side.
 * Invariant: a removed flag is kept. Source: security specification 5 (VIP and own staff).
 */
import { randomUUID } from 'node:crypto';
import type { PatientFlag } from '@aifi/contracts-rest';
import type { Sql } from '@aifi/gateway-database';
import { AifiError } from '@aifi/shared-kernel';
import type { AccessDatabase, AccessTx } from './access-database.js';
import { pageFrom, placeOf, type Page } from './page-cursor.js';

export type Mask = PatientFlag['kind'];
export interface NewFlag extends Pick<PatientFlag, 'patientId' | 'issuer' | 'kind'> {
  readonly setBy: string;
  readonly atMs: number;
}
const COLUMNS = `id, patient_id AS patientId, issuer, kind, since_ms AS sinceMs, set_by AS setBy`;

export class PatientFlagStore {
  constructor(private readonly database: AccessDatabase) {}

  /** STATE_CONFLICT when the patient has a flag already. */
  set({ sql }: AccessTx, flag: NewFlag): PatientFlag {
    const patientId = normalised(flag.patientId);
    const issuer = flag.issuer === null ? null : normalised(flag.issuer) || null;
    const known = sql.get(
      `SELECT 1 FROM patient_flag
       WHERE patient_id = ? AND COALESCE(issuer, '') = ? AND removed_ms IS NULL`,
      ...[patientId, issuer ?? ''],
    );
    if (known) throw new AifiError('STATE_CONFLICT', 'the patient is masked already');
    const { kind, atMs: sinceMs, setBy } = flag;
    const row = { id: randomUUID(), patientId, issuer, kind, sinceMs, setBy };
    sql.run(
      `INSERT INTO patient_flag (id, patient_id, issuer, kind, since_ms, set_by)
       VALUES (?, ?, ?, ?, ?, ?)`,
      ...[row.id, patientId, issuer, kind, sinceMs, setBy],
    );
    return row;
  }

  /** NOT_FOUND when there is no such flag in force. */
  remove({ sql }: AccessTx, id: string, by: { userId: string; atMs: number }): PatientFlag {
    const flag = sql.get<PatientFlag>(
      `SELECT ${COLUMNS} FROM patient_flag WHERE id = ? AND removed_ms IS NULL`,
      id,
    );
    if (!flag) throw new AifiError('NOT_FOUND', 'there is no such flag');
    sql.run(
      'UPDATE patient_flag SET removed_ms = ?, removed_by = ? WHERE id = ?',
      ...[by.atMs, by.userId, id],
    );
    return { ...flag };
  }

  /** Those in force, newest first. */
  list({ cursor, limit }: { cursor?: string | undefined; limit: number }): Page<PatientFlag> {
    const place = placeOf(cursor);
    const rows = this.database.read((sql) =>
      sql.all<PatientFlag>(
        `SELECT ${COLUMNS} FROM patient_flag
         WHERE removed_ms IS NULL AND (since_ms, id) < (?, ?)
         ORDER BY since_ms DESC, id DESC LIMIT ?`,
        ...[place.atMs, place.id, limit + 1],
      ),
    );
    return pageFrom(rows, limit, ({ sinceMs: atMs, id }) => ({ atMs, id }));
  }

  /** Whether a patient is masked; inside an act, ask with the act's own transaction. */
  maskOf(patient: { patientId: string | null; issuer: string | null }, tx?: AccessTx): Mask | null {
    const { patientId, issuer } = patient;
    if (patientId === null) return null;
    const ask = (sql: Sql): Mask | null =>
      sql.get<{ kind: Mask }>(
        `SELECT kind FROM patient_flag WHERE patient_id = ?1 AND removed_ms IS NULL
           AND (issuer IS NULL OR ?2 IS NULL OR issuer = ?2)
         ORDER BY kind = 'vip' DESC LIMIT 1`,
        normalised(patientId),
        issuer,
      )?.kind ?? null;
    return tx ? ask(tx.sql) : this.database.read(ask);
  }
}

/** As the vault normalises the number of a patient. */
const normalised = (text: string): string => text.normalize('NFC').trim().replace(/\s+/g, ' ');
