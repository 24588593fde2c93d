/**
 * Requests for a second person, and grants, at the gateway.
 * Decides nothing of the rules: keeps requests and finds the grant that is in force. The row lock
 * of the port is the transaction itself: at most one is open.
 * Source: port ApprovalStore of libs/access/approvals; security specification 5.
 */
import type { Approval, ApprovalQuery, ApprovalStore, GrantQuery } from '@aifi/access-approvals';
import type { ApprovalState } from '@aifi/contracts-rest';
import { AifiError } from '@aifi/shared-kernel';
import type { AccessDatabase, AccessTx } from './access-database.js';
import { pageFrom, placeOf } from './page-cursor.js';

interface ApprovalRow {
  readonly id: string;
  readonly act: string;
  readonly site_id: string;
  readonly object_id: string;
  readonly reason: string;
  readonly state: ApprovalState;
  readonly requested_by: string;
  readonly requested_by_name: string;
  readonly requested_ms: number;
  readonly expires_ms: number;
  readonly decided_by: string | null;
  readonly decided_by_name: string | null;
  readonly decided_ms: number | null;
  readonly decision_reason: string | null;
  readonly granted_until_ms: number | null;
  readonly ended_ms: number | null;
}
/** What time has done to a request, as stateAt of libs/access/approvals says it. ?1: now. */
const STATE_NOW = `CASE WHEN state = 'REQUESTED' AND expires_ms <= ?1 THEN 'EXPIRED'
  WHEN state = 'APPROVED' AND granted_until_ms <= ?1 THEN 'ENDED' ELSE state END`;

export class GatewayApprovalStore implements ApprovalStore<AccessTx> {
  constructor(
    private readonly database: AccessDatabase,
    /** Other sites have no objects here to agree about. */
    private readonly siteId: string,
  ) {}

  async insert({ sql }: AccessTx, approval: Approval): Promise<void> {
    if (approval.siteId !== this.siteId) throw new AifiError('NOT_FOUND', 'there is no such site');
    const { requestedBy } = approval;
    sql.run(
      `INSERT INTO approval (id, act, site_id, object_id, reason, state, requested_by,
         requested_by_name, requested_ms, expires_ms)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      ...[approval.id, approval.act, approval.siteId, approval.objectId, approval.reason],
      ...[approval.state, requestedBy.id, requestedBy.name],
      ...[approval.requestedAtMs, approval.expiresAtMs],
    );
  }

  async find({ sql }: AccessTx, id: string): Promise<Approval | undefined> {
    const row = sql.get<ApprovalRow>('SELECT * FROM approval WHERE id = ?', id);
    return row && approvalOf(row);
  }

  async update({ sql }: AccessTx, approval: Approval): Promise<void> {
    const { decidedBy } = approval;
    const changed = sql.run(
      `UPDATE approval SET state = ?, decided_by = ?, decided_by_name = ?, decided_ms = ?,
         decision_reason = ?, granted_until_ms = ?, ended_ms = ? WHERE id = ?`,
      ...[approval.state, decidedBy?.id ?? null, decidedBy?.name ?? null, approval.decidedAtMs],
      ...[approval.decisionReason, approval.grantedUntilMs, approval.endedAtMs, approval.id],
    );
    if (changed !== 1) throw new AifiError('NOT_FOUND', 'there is no such request');
  }

  async list(query: ApprovalQuery): Promise<{ items: Approval[]; nextCursor: string | null }> {
    const { siteIds, state, nowMs, cursor, limit } = query;
    if (siteIds !== undefined && !siteIds.includes(this.siteId)) {
      return { items: [], nextCursor: null };
    }
    const place = placeOf(cursor);
    const rows = this.database.read((sql) =>
      sql.all<ApprovalRow>(
        `SELECT * FROM approval
         WHERE (requested_ms, id) < (?2, ?3) AND (?4 IS NULL OR ${STATE_NOW} = ?4)
         ORDER BY requested_ms DESC, id DESC LIMIT ?5`,
        ...[nowMs, place.atMs, place.id, state ?? null, limit + 1],
      ),
    );
    return pageFrom(rows.map(approvalOf), limit, ({ requestedAtMs: atMs, id }) => ({ atMs, id }));
  }

  async findGrant(query: GrantQuery): Promise<Approval | undefined> {
    const { act, siteId, objectId, userId, nowMs } = query;
    const row = this.database.read((sql) =>
      sql.get<ApprovalRow>(
        `SELECT * FROM approval WHERE state = 'APPROVED' AND requested_by = ? AND object_id = ?
           AND act = ? AND site_id = ? AND granted_until_ms > ? AND ended_ms IS NULL
         ORDER BY granted_until_ms DESC LIMIT 1`,
        ...[userId, objectId, act, siteId, nowMs],
      ),
    );
    return row && approvalOf(row);
  }
}

function approvalOf(row: ApprovalRow): Approval {
  const decidedBy = row.decided_by;
  return {
    id: row.id,
    act: row.act,
    siteId: row.site_id,
    objectId: row.object_id,
    reason: row.reason,
    state: row.state,
    requestedBy: { id: row.requested_by, name: row.requested_by_name },
    requestedAtMs: row.requested_ms,
    expiresAtMs: row.expires_ms,
    decidedBy: decidedBy === null ? null : { id: decidedBy, name: row.decided_by_name ?? '' },
    decidedAtMs: row.decided_ms,
    decisionReason: row.decision_reason,
    grantedUntilMs: row.granted_until_ms,
    endedAtMs: row.ended_ms,
  };
}
