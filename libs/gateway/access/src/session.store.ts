/**
 * Sessions of the gateway's page in access.db.
 * Decides nothing of sign-in: keeps what it is told, each change with its record in one
 * transaction.
 * Invariant: a session that has ended is gone; of its cookie and tokens only a hash and a sealed
 * text are here. Source: port SessionStore of libs/access/sign-in.
 */
import type { SessionPatch, SessionRecord, SessionStore } from '@aifi/access-sign-in';
import type { AuditDraft } from '@aifi/contracts-rest';
import type { Sql } from '@aifi/gateway-database';
import type { AccessDatabase, AccessTx } from './access-database.js';
import type { AuditTrail } from './audit-trail.js';

interface SessionRow {
  readonly id_hash: string;
  readonly user_id: string;
  readonly user_name: string;
  readonly roles: string;
  readonly site_ids: string;
  readonly csrf_token: string;
  readonly created_ms: number;
  readonly last_seen_ms: number;
  readonly checked_ms: number;
  readonly stepped_up_ms: number | null;
  readonly provider_session_id: string | null;
  readonly sealed_tokens: string | null;
}

export class GatewaySessionStore implements SessionStore {
  constructor(
    private readonly database: AccessDatabase,
    private readonly trail: AuditTrail,
  ) {}

  async insert(session: SessionRecord, record: AuditDraft): Promise<void> {
    await this.database.transaction((tx) => {
      tx.sql.run(
        `INSERT INTO session (id_hash, user_id, user_name, roles, site_ids, csrf_token, created_ms,
           last_seen_ms, checked_ms, stepped_up_ms, provider_session_id, sealed_tokens)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        ...[session.idHash, session.userId, session.userName],
        ...[JSON.stringify(session.roles), JSON.stringify(session.siteIds)],
        ...[session.csrfToken, session.createdAtMs, session.lastSeenAtMs, session.checkedAtMs],
        ...[session.steppedUpAtMs, session.providerSessionId, session.sealedTokens],
      );
      this.trail.append(tx, record);
    });
  }

  async find(idHash: string): Promise<SessionRecord | undefined> {
    return this.database.read((sql) => sessionOf(sql, idHash));
  }

  update(idHash: string, patch: SessionPatch, record?: AuditDraft): Promise<boolean> {
    return this.database.transaction((tx) => {
      const session = sessionOf(tx.sql, idHash);
      if (!session) return false;
      const next = { ...session, ...patch };
      tx.sql.run(
        `UPDATE session SET roles = ?, site_ids = ?, last_seen_ms = ?, checked_ms = ?,
           stepped_up_ms = ?, sealed_tokens = ? WHERE id_hash = ?`,
        ...[JSON.stringify(next.roles), JSON.stringify(next.siteIds), next.lastSeenAtMs],
        ...[next.checkedAtMs, next.steppedUpAtMs, next.sealedTokens, idHash],
      );
      if (record) this.trail.append(tx, record);
      return true;
    });
  }

  end(idHash: string, record: AuditDraft): Promise<boolean> {
    return this.database.transaction((tx) => this.#end(tx, idHash, record));
  }

  endWhere(
    where: { readonly providerSessionId?: string; readonly userId?: string },
    recordOf: (session: SessionRecord) => AuditDraft,
  ): Promise<number> {
    const { providerSessionId, userId } = where;
    if (providerSessionId === undefined && userId === undefined) return Promise.resolve(0);
    return this.database.transaction((tx) => {
      const rows = tx.sql.all<SessionRow>(
        `SELECT * FROM session WHERE (?1 IS NULL OR provider_session_id = ?1)
           AND (?2 IS NULL OR user_id = ?2)`,
        providerSessionId ?? null,
        userId ?? null,
      );
      for (const row of rows) this.#end(tx, row.id_hash, recordOf(recordOfRow(row)));
      return rows.length;
    });
  }

  purge(beforeMs: number): Promise<number> {
    return this.database.transaction((tx) =>
      tx.sql.run('DELETE FROM session WHERE last_seen_ms < ?', beforeMs),
    );
  }

  #end(tx: AccessTx, idHash: string, record: AuditDraft): boolean {
    const ended = tx.sql.run('DELETE FROM session WHERE id_hash = ?', idHash) === 1;
    if (ended) this.trail.append(tx, record);
    return ended;
  }
}

function sessionOf(sql: Sql, idHash: string): SessionRecord | undefined {
  const row = sql.get<SessionRow>('SELECT * FROM session WHERE id_hash = ?', idHash);
  return row && recordOfRow(row);
}

const recordOfRow = (row: SessionRow): SessionRecord => ({
  idHash: row.id_hash,
  userId: row.user_id,
  userName: row.user_name,
  roles: JSON.parse(row.roles) as string[],
  siteIds: JSON.parse(row.site_ids) as string[],
  csrfToken: row.csrf_token,
  createdAtMs: row.created_ms,
  lastSeenAtMs: row.last_seen_ms,
  checkedAtMs: row.checked_ms,
  steppedUpAtMs: row.stepped_up_ms,
  providerSessionId: row.provider_session_id,
  sealedTokens: row.sealed_tokens,
});
