/**
 * Alerts to the privacy officer: somebody opened the identity of a masked patient.
 * Decides that an alert is made in the transaction of the opening, so that none is ever missing.
 * Invariant: an alert holds no patient number and no name; an acknowledgement is never taken back.
 * Source: security specification 5 (VIP alerts).
 */
import { randomUUID } from 'node:crypto';
import type { AlertView } from '@aifi/contracts-rest';
import { AifiError } from '@aifi/shared-kernel';
import type { AccessDatabase, AccessTx } from './access-database.js';
import { pageFrom, placeOf, type Page } from './page-cursor.js';

export type NewAlert = Pick<
  AlertView,
  'atMs' | 'masked' | 'userId' | 'userName' | 'studyInstanceUid' | 'reason'
>;
const COLUMNS = `id, at_ms AS atMs, kind, masked, user_id AS userId, user_name AS userName,
  study_uid AS studyInstanceUid, reason, acknowledged_ms AS acknowledgedAtMs,
  acknowledged_by AS acknowledgedBy`;

export class AlertStore {
  constructor(private readonly database: AccessDatabase) {}

  raise({ sql }: AccessTx, alert: NewAlert): void {
    sql.run(
      `INSERT INTO alert (id, at_ms, kind, masked, user_id, user_name, study_uid, reason)
       VALUES (?, ?, 'identity-opened', ?, ?, ?, ?, ?)`,
      ...[randomUUID(), alert.atMs, alert.masked, alert.userId, alert.userName],
      ...[alert.studyInstanceUid, alert.reason],
    );
  }

  /** NOT_FOUND, or STATE_CONFLICT when somebody has seen it before. */
  acknowledge({ sql }: AccessTx, id: string, by: { userId: string; atMs: number }): AlertView {
    const alert = sql.get<AlertView>(`SELECT ${COLUMNS} FROM alert WHERE id = ?`, id);
    if (!alert) throw new AifiError('NOT_FOUND', 'there is no such alert');
    if (alert.acknowledgedAtMs !== null) {
      throw new AifiError('STATE_CONFLICT', 'the alert is acknowledged already');
    }
    sql.run(
      'UPDATE alert SET acknowledged_ms = ?, acknowledged_by = ? WHERE id = ?',
      ...[by.atMs, by.userId, id],
    );
    return { ...alert, acknowledgedAtMs: by.atMs, acknowledgedBy: by.userId };
  }

  /** Newest first. */
  list({ cursor, limit }: { cursor?: string | undefined; limit: number }): Page<AlertView> {
    const place = placeOf(cursor);
    const rows = this.database.read((sql) =>
      sql.all<AlertView>(
        `SELECT ${COLUMNS} FROM alert WHERE (at_ms, id) < (?, ?)
         ORDER BY at_ms DESC, id DESC LIMIT ?`,
        ...[place.atMs, place.id, limit + 1],
      ),
    );
    return pageFrom(rows, limit, ({ atMs, id }) => ({ atMs, id }));
  }
}
