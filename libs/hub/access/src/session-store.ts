/**
 * Sessions at the hub, each change in one transaction with its audit record.
 * Decides nothing about validity: sign-in does. Invariants: no row without the record of its start,
 * no end of a session without the record of it; the table holds the digest of a cookie, never one.
 * Source: security specification 5 (revocation, exactly one record).
 */
import type { SessionPatch, SessionRecord, SessionStore } from '@aifi/access-sign-in';
import type { AuditDraft } from '@aifi/contracts-rest';
import type { Clock } from '@aifi/shared-kernel';
import { appendAudit, type HubDatabase, type Sql, type SqlValue } from '@aifi/hub-database';

interface SessionRow {
  readonly id_hash: string;
  readonly user_id: string;
  readonly user_name: string;
  readonly roles: string[];
  readonly site_ids: string[];
  readonly csrf_token: string;
  readonly created_at: Date;
  readonly last_seen_at: Date;
  readonly checked_at: Date;
  readonly stepped_up_at: Date | null;
  readonly provider_session_id: string | null;
  readonly sealed_tokens: string | null;
}
const COLUMNS = `id_hash, user_id, user_name, roles, site_ids, csrf_token, created_at, last_seen_at,
  checked_at, stepped_up_at, provider_session_id, sealed_tokens`;

const timeOf = (ms: number | null): Date | null => (ms === null ? null : new Date(ms));

export class HubSessionStore implements SessionStore {
  constructor(
    private readonly database: HubDatabase,
    private readonly clock: Clock,
  ) {}

  async insert(session: SessionRecord, record: AuditDraft): Promise<void> {
    await this.database.withAccess(async (sql) => {
      await sql.run(
        `INSERT INTO session (${COLUMNS})
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
        session.idHash,
        session.userId,
        session.userName,
        session.roles,
        session.siteIds,
        session.csrfToken,
        new Date(session.createdAtMs),
        new Date(session.lastSeenAtMs),
        new Date(session.checkedAtMs),
        timeOf(session.steppedUpAtMs),
        session.providerSessionId,
        session.sealedTokens,
      );
      await appendAudit(sql, record, this.clock.nowMs());
    });
  }

  async find(idHash: string): Promise<SessionRecord | undefined> {
    const row = await this.database.withAccess((sql) =>
      sql.row<SessionRow>(`SELECT ${COLUMNS} FROM session WHERE id_hash = $1`, idHash),
    );
    return row && sessionOf(row);
  }

  update(idHash: string, patch: SessionPatch, record?: AuditDraft): Promise<boolean> {
    const changes: [string, SqlValue][] = [];
    if (patch.roles) changes.push(['roles', patch.roles]);
    if (patch.siteIds) changes.push(['site_ids', patch.siteIds]);
    if (patch.lastSeenAtMs !== undefined) {
      changes.push(['last_seen_at', new Date(patch.lastSeenAtMs)]);
    }
    if (patch.checkedAtMs !== undefined) {
      changes.push(['checked_at', new Date(patch.checkedAtMs)]);
    }
    if (patch.steppedUpAtMs !== undefined) {
      changes.push(['stepped_up_at', timeOf(patch.steppedUpAtMs)]);
    }
    if (patch.sealedTokens !== undefined) changes.push(['sealed_tokens', patch.sealedTokens]);
    return this.database.withAccess(async (sql) => {
      const isThere = await updateSession(sql, idHash, changes);
      if (isThere && record) await appendAudit(sql, record, this.clock.nowMs());
      return isThere;
    });
  }

  end(idHash: string, record: AuditDraft): Promise<boolean> {
    return this.database.withAccess(async (sql) => {
      const ended = await sql.run('DELETE FROM session WHERE id_hash = $1', idHash);
      if (ended === 1) await appendAudit(sql, record, this.clock.nowMs());
      return ended === 1;
    });
  }

  async endWhere(
    where: { readonly providerSessionId?: string; readonly userId?: string },
    recordOf: (session: SessionRecord) => AuditDraft,
  ): Promise<number> {
    const { providerSessionId, userId } = where;
    // No condition must never mean every session.
    if (providerSessionId === undefined && userId === undefined) return 0;
    return this.database.withAccess(async (sql) => {
      const rows = await sql.rows<SessionRow>(
        `DELETE FROM session WHERE ($1::text IS NULL OR provider_session_id = $1)
           AND ($2::text IS NULL OR user_id = $2) RETURNING ${COLUMNS}`,
        providerSessionId ?? null,
        userId ?? null,
      );
      const drafts = rows.map((row) => recordOf(sessionOf(row)));
      // Chains are locked in one order, so that two such ends cannot wait for each other.
      drafts.sort((a, b) => (a.siteId < b.siteId ? -1 : 1));
      for (const draft of drafts) await appendAudit(sql, draft, this.clock.nowMs());
      return rows.length;
    });
  }

  purge(beforeMs: number): Promise<number> {
    return this.database.withAccess((sql) =>
      sql.run('DELETE FROM session WHERE last_seen_at < $1', new Date(beforeMs)),
    );
  }
}

async function updateSession(
  sql: Sql,
  idHash: string,
  changes: readonly (readonly [string, SqlValue])[],
): Promise<boolean> {
  if (changes.length === 0) {
    return (await sql.row('SELECT 1 FROM session WHERE id_hash = $1', idHash)) !== undefined;
  }
  const assignments = changes.map(([column], index) => `${column} = $${index + 2}`).join(', ');
  const values = changes.map(([, value]) => value);
  const statement = `UPDATE session SET ${assignments} WHERE id_hash = $1`;
  return (await sql.run(statement, idHash, ...values)) === 1;
}

const sessionOf = (row: SessionRow): SessionRecord => ({
  idHash: row.id_hash,
  userId: row.user_id,
  userName: row.user_name,
  roles: row.roles,
  siteIds: row.site_ids,
  csrfToken: row.csrf_token,
  createdAtMs: row.created_at.getTime(),
  lastSeenAtMs: row.last_seen_at.getTime(),
  checkedAtMs: row.checked_at.getTime(),
  steppedUpAtMs: row.stepped_up_at?.getTime() ?? null,
  providerSessionId: row.provider_session_id,
  sealedTokens: row.sealed_tokens,
});
