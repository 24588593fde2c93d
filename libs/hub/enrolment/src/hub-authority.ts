/**
 * HubAuthority: the hub's authorities for gateways, one of which signs.
 * Decides when there is a new one (first start, rotation) and when an old one is no longer trusted:
 * once nothing that it signed is valid. Invariants: at most one is active; until it is retired, an
 * authority stays an anchor, so that a rotation cuts no gateway; each change leaves one record.
 * Source: RFC 5280 6 (trust anchors); reliability specification 7 (CA rotation with overlap).
 */
import { randomUUID } from 'node:crypto';
import {
  ALL_SITES,
  appendAudit,
  systemDraft,
  type HubDatabase,
  type Sql,
} from '@aifi/hub-database';
import { AifiError, crashPoint, type Clock } from '@aifi/shared-kernel';
import type { AuthorityKeys } from './authority-keys.js';
import {
  makeAuthority,
  type AuthorityCertificate,
  type Randomness,
} from './certificate-profile.js';

export interface Authority {
  readonly id: string;
  /** PEM. */
  readonly certificate: string;
  readonly state: 'active' | 'retiring' | 'retired';
  readonly createdAtMs: number;
  readonly notAfterMs: number;
}
interface AuthorityRow {
  readonly authority_id: string;
  readonly certificate: string;
  readonly state: Authority['state'];
  readonly created_at: Date;
  readonly not_after: Date;
}
/** Two hub processes, or two operators, change authorities one after the other. */
const LOCK = 'SELECT pg_advisory_xact_lock(4712)';

export interface AuthorityOptions {
  readonly database: HubDatabase;
  readonly clock: Clock;
  readonly keys: AuthorityKeys;
  readonly randomness: Randomness;
}

export class HubAuthority {
  constructor(private readonly options: AuthorityOptions) {}

  /** Makes the first authority; CONFIG_INVALID when the active one has lost its key. */
  async open(): Promise<void> {
    const { database, keys } = this.options;
    const active = await database.withAccess(async (sql) => {
      await sql.rows(LOCK);
      return (await activeOf(sql)) ?? (await this.#make(sql, 'authority.create'));
    });
    keys.read(active.id);
    // Of a rotation in which the process died.
    await this.forgetOldKeys();
  }

  /** All of them, newest first. */
  list(): Promise<Authority[]> {
    return this.options.database.withAccess(listAuthorities);
  }

  /** The authority that signs, in a transaction that records what it signs. */
  async signer(sql: Sql): Promise<Authority & Pick<AuthorityCertificate, 'key'>> {
    const active = await activeOf(sql);
    if (!active) throw new AifiError('INTERNAL', 'there is no active authority');
    return { ...active, key: this.options.keys.read(active.id) };
  }

  /** From now on a new one signs; the caller records the act in the same transaction. */
  async rotate(sql: Sql): Promise<{ readonly made: Authority; readonly before: Authority }> {
    await sql.rows(LOCK);
    const before = await activeOf(sql);
    if (!before) throw new AifiError('INTERNAL', 'there is no active authority');
    await sql.run(`UPDATE authority SET state = 'retiring' WHERE authority_id = $1`, before.id);
    return { made: await this.#make(sql), before };
  }

  /** After the transaction of a rotation: an authority that is not active signs nothing more. */
  async forgetOldKeys(): Promise<void> {
    crashPoint('hub.enrolment.before-old-key-removed');
    for (const { id, state } of await this.list()) {
      if (state !== 'active') await this.options.keys.remove(id);
    }
  }

  /** Retires authorities of which no valid certificate is left; how many. */
  async retireUnused(): Promise<number> {
    const { database, clock } = this.options;
    return database.withAccess(async (sql) => {
      const nowMs = clock.nowMs();
      const rows = await sql.rows<Pick<AuthorityRow, 'authority_id'>>(
        `UPDATE authority a SET state = 'retired', retired_at = $1
         WHERE state = 'retiring' AND NOT EXISTS (
           SELECT FROM gateway_certificate c WHERE c.authority_id = a.authority_id
             AND c.revoked_at IS NULL AND c.valid_until > $1)
         RETURNING authority_id`,
        new Date(nowMs),
      );
      for (const { authority_id: id } of rows) {
        await appendAudit(sql, draftOf('authority.retire', id), nowMs);
      }
      return rows.length;
    });
  }

  async #make(sql: Sql, act?: 'authority.create'): Promise<Authority> {
    const { clock, keys, randomness } = this.options;
    const nowMs = clock.nowMs();
    const { id, certificate, key, notAfterMs } = await makeAuthority({ nowMs, randomness });
    await keys.write(id, key);
    await sql.run(
      `INSERT INTO authority (authority_id, certificate, state, created_at, not_after)
       VALUES ($1, $2, 'active', $3, $4)`,
      id,
      certificate,
      new Date(nowMs),
      new Date(notAfterMs),
    );
    if (act) await appendAudit(sql, draftOf(act, id), nowMs);
    return { id, certificate, state: 'active', createdAtMs: nowMs, notAfterMs };
  }
}

export async function listAuthorities(sql: Sql): Promise<Authority[]> {
  const rows = await sql.rows<AuthorityRow>(
    `SELECT authority_id, certificate, state, created_at, not_after FROM authority
     ORDER BY created_at DESC, authority_id`,
  );
  return rows.map((row) => ({
    ...{ id: row.authority_id, certificate: row.certificate, state: row.state },
    ...{ createdAtMs: row.created_at.getTime(), notAfterMs: row.not_after.getTime() },
  }));
}

const activeOf = async (sql: Sql): Promise<Authority | undefined> =>
  (await listAuthorities(sql)).find(({ state }) => state === 'active');

const draftOf = (
  act: 'authority.create' | 'authority.retire',
  id: string,
): ReturnType<typeof systemDraft> =>
  systemDraft(act, {
    ...{ siteId: ALL_SITES, objectType: 'authority', objectId: id },
    ...{ correlationId: randomUUID(), detail: {} },
  });
