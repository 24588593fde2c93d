/**
 * Approvals at the hub: requests for a second person and the grants that came of them.
 * Decides nothing: the state machine does. Invariants: `find` locks the row until the transaction
 * ends, so of two decisions one sees the other; the database itself refuses a decision by the
 * person who asked. Source: reliability specification H17; approvals contract (ApprovalStore).
 */
import type { Approval, ApprovalQuery, ApprovalStore, GrantQuery } from '@aifi/access-approvals';
import { AifiError } from '@aifi/shared-kernel';
import {
  cursorMicros,
  cursorTime,
  pageOfRows,
  readCursor,
  type HubDatabase,
  type Page,
  type Sql,
} from '@aifi/hub-database';

interface ApprovalRow {
  readonly site_id: string;
  readonly approval_id: string;
  readonly act: string;
  readonly object_id: string;
  readonly reason: string;
  readonly state: Approval['state'];
  readonly requested_by: string;
  readonly requested_by_name: string;
  readonly requested_at: Date;
  readonly expires_at: Date;
  readonly decided_by: string | null;
  readonly decided_by_name: string | null;
  readonly decided_at: Date | null;
  readonly decision_reason: string | null;
  readonly granted_until: Date | null;
  readonly ended_at: Date | null;
}
const COLUMNS = `site_id, approval_id, act, object_id, reason, state, requested_by,
  requested_by_name, requested_at, expires_at, decided_by, decided_by_name, decided_at,
  decision_reason, granted_until, ended_at`;

// The state as of $4: what was decided, and what time has done since.
const STATE_THEN = `CASE WHEN state = 'REQUESTED' AND expires_at <= $4 THEN 'EXPIRED'
  WHEN state = 'APPROVED' AND granted_until <= $4 THEN 'ENDED' ELSE state END`;
const LIST = `SELECT ${COLUMNS}, ${cursorMicros('requested_at')} AS micros FROM approval
  WHERE (requested_at, site_id, approval_id::text) < (${cursorTime(1)}, $2, $3)
    AND ($5::text[] IS NULL OR site_id = ANY($5)) AND ($6::text IS NULL OR ${STATE_THEN} = $6)
  ORDER BY requested_at DESC, site_id DESC, approval_id::text DESC LIMIT $7`;

const timeOf = (ms: number | null): Date | null => (ms === null ? null : new Date(ms));

export class HubApprovalStore implements ApprovalStore<Sql> {
  constructor(private readonly database: HubDatabase) {}

  /** NOT_FOUND for a site that this hub does not have. */
  async insert(tx: Sql, approval: Approval): Promise<void> {
    const made = await tx.run(
      `INSERT INTO approval (${COLUMNS})
       SELECT site_id, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16
       FROM site WHERE site_id = $1`,
      approval.siteId,
      approval.id,
      approval.act,
      approval.objectId,
      approval.reason,
      approval.state,
      approval.requestedBy.id,
      approval.requestedBy.name,
      new Date(approval.requestedAtMs),
      new Date(approval.expiresAtMs),
      approval.decidedBy?.id ?? null,
      approval.decidedBy?.name ?? null,
      timeOf(approval.decidedAtMs),
      approval.decisionReason,
      timeOf(approval.grantedUntilMs),
      timeOf(approval.endedAtMs),
    );
    if (made !== 1) throw new AifiError('NOT_FOUND', 'there is no such object');
  }

  async find(tx: Sql, id: string): Promise<Approval | undefined> {
    const row = await tx.row<ApprovalRow>(
      `SELECT ${COLUMNS} FROM approval WHERE approval_id = $1 FOR UPDATE`,
      id,
    );
    return row && approvalOf(row);
  }

  async update(tx: Sql, approval: Approval): Promise<void> {
    const changed = await tx.run(
      `UPDATE approval SET state = $3, decided_by = $4, decided_by_name = $5, decided_at = $6,
         decision_reason = $7, granted_until = $8, ended_at = $9
       WHERE site_id = $1 AND approval_id = $2`,
      approval.siteId,
      approval.id,
      approval.state,
      approval.decidedBy?.id ?? null,
      approval.decidedBy?.name ?? null,
      timeOf(approval.decidedAtMs),
      approval.decisionReason,
      timeOf(approval.grantedUntilMs),
      timeOf(approval.endedAtMs),
    );
    if (changed !== 1) throw new AifiError('STATE_CONFLICT', 'the request is not there any more');
  }

  async list(query: ApprovalQuery): Promise<Page<Approval>> {
    const { siteIds, state, nowMs, limit } = query;
    const before = readCursor(query.cursor);
    const rows = await this.database.withAccess((sql) =>
      sql.rows<ApprovalRow & { micros: string }>(
        LIST,
        ...before,
        new Date(nowMs),
        siteIds ?? null,
        state ?? null,
        limit + 1,
      ),
    );
    return pageOfRows(rows, limit, {
      item: approvalOf,
      cursor: (row) => [Number(row.micros), row.site_id, row.approval_id],
    });
  }

  async findGrant(query: GrantQuery): Promise<Approval | undefined> {
    const row = await this.database.withAccess((sql) =>
      sql.row<ApprovalRow>(
        `SELECT ${COLUMNS} FROM approval
         WHERE site_id = $1 AND object_id = $2 AND requested_by = $3 AND act = $4
           AND state = 'APPROVED' AND ended_at IS NULL AND granted_until > $5
         ORDER BY granted_until DESC LIMIT 1`,
        query.siteId,
        query.objectId,
        query.userId,
        query.act,
        new Date(query.nowMs),
      ),
    );
    return row && approvalOf(row);
  }
}

function approvalOf(row: ApprovalRow): Approval {
  const { act, reason, state } = row;
  const [decidedBy, decidedByName] = [row.decided_by, row.decided_by_name];
  return {
    ...{ id: row.approval_id, act, siteId: row.site_id, objectId: row.object_id, reason, state },
    requestedBy: { id: row.requested_by, name: row.requested_by_name },
    requestedAtMs: row.requested_at.getTime(),
    expiresAtMs: row.expires_at.getTime(),
    decidedBy: decidedBy === null ? null : { id: decidedBy, name: decidedByName ?? decidedBy },
    decidedAtMs: row.decided_at?.getTime() ?? null,
    decisionReason: row.decision_reason,
    grantedUntilMs: row.granted_until?.getTime() ?? null,
    endedAtMs: row.ended_at?.getTime() ?? null,
  };
}
