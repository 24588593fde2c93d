/**
 * The hub's audit trail as its readers see it, and as receivers and retention use it.
 * Decides how a search finds its index: what was not asked for is not in the statement.
 * Invariants: records are read as rows and hashed again by whoever verifies, so an edited column is
 * an edited record; nothing here changes one. Source: security specification 5; hazard H18.
 */
import {
  auditPage,
  readCursor,
  type AuditPage,
  type AuditReader,
  type AuditSearch,
  type AuditStreamFilter,
  type AuditWriter,
  type ChainHead,
  type ShippingPosition,
} from '@aifi/access-audit';
import type { AuditAnchor, AuditDraft, AuditRecord } from '@aifi/contracts-rest';
import type { Sha256 } from '@aifi/shared-kernel';
import {
  ALL_SITES,
  appendAudit,
  chainOf,
  readAnchors,
  siteOfChain,
  type HubDatabase,
  type Sql,
  type SqlValue,
} from '@aifi/hub-database';

interface RecordRow {
  readonly site_id: string;
  readonly sequence: string;
  readonly at: Date;
  readonly act: string;
  readonly action: AuditRecord['action'];
  readonly outcome: AuditRecord['outcome'];
  readonly code: string | null;
  readonly user_id: string;
  readonly user_name: string;
  readonly user_kind: AuditRecord['userKind'];
  readonly role: string | null;
  readonly responsible_user_id: string | null;
  readonly subject_site_id: string;
  readonly object_type: string;
  readonly object_id: string;
  readonly patient_id: string | null;
  readonly reason: string | null;
  readonly source_address: string;
  readonly correlation_id: string;
  readonly detail: AuditRecord['detail'];
  readonly previous_hash: Sha256;
  readonly hash: Sha256;
}

/** Records of one read of a stream: some 500 kB. */
const BATCH = 500;

/** Conditions with their values, numbered in the order in which they are added. */
class Conditions {
  readonly values: SqlValue[] = [];
  readonly #texts: string[] = [];

  /** `text` names the value as `?`. */
  add(text: string, value: SqlValue | undefined): void {
    if (value === undefined) return;
    this.values.push(value);
    this.#texts.push(text.replaceAll('?', `$${this.values.length}`));
  }
  addRow(text: string, values: readonly SqlValue[]): void {
    const first = this.values.length + 1;
    this.values.push(...values);
    const marks = values.map((_, index) => `$${first + index}`).join(', ');
    this.#texts.push(`${text} (${marks})`);
  }
  get where(): string {
    return this.#texts.length === 0 ? '' : `WHERE ${this.#texts.join(' AND ')}`;
  }
}

const dateOf = (ms: number | undefined): Date | undefined =>
  ms === undefined ? undefined : new Date(ms);

function conditionsOf(filter: AuditStreamFilter): Conditions {
  const { siteIds, siteId, onlyUserId, act, userId, outcome, objectId } = filter;
  const conditions = new Conditions();
  // Equality with one site is answered from that site's index, in order.
  if (siteIds?.length === 1) conditions.add('site_id = ?', siteIds[0]);
  else conditions.add('site_id = ANY(?)', siteIds);
  // A name that is no site of this hub is in the chain across sites.
  conditions.add(`site_id IN (?, '${ALL_SITES}') AND subject_site_id = ?`, siteId);
  conditions.add('user_id = ?', onlyUserId);
  conditions.add('user_id = ?', userId);
  conditions.add('act = ?', act);
  conditions.add('outcome = ?', outcome);
  conditions.add('object_id = ?', objectId);
  conditions.add('at >= ?', dateOf(filter.fromMs));
  conditions.add('at < ?', dateOf(filter.toMs));
  return conditions;
}

/** The statement of a search and its values; a test asks the planner about it. */
export function auditSearchSql(query: AuditSearch): [string, SqlValue[]] {
  const conditions = conditionsOf(query);
  if (query.cursor !== undefined) {
    const { atMs, chain, sequence } = readCursor(query.cursor);
    const after = [new Date(atMs), siteOfChain(chain), sequence];
    conditions.addRow('(at, site_id, sequence) <', after);
  }
  const values = [...conditions.values, query.limit + 1];
  const order = 'ORDER BY at DESC, site_id DESC, sequence DESC';
  return [
    `SELECT * FROM audit_record ${conditions.where} ${order} LIMIT $${values.length}`,
    values,
  ];
}

export class HubAuditStore implements AuditReader, AuditWriter<Sql> {
  constructor(private readonly database: HubDatabase) {}

  append(tx: Sql, draft: AuditDraft, atMs: number): Promise<AuditRecord> {
    return appendAudit(tx, draft, atMs);
  }

  async search(query: AuditSearch): Promise<AuditPage> {
    const [statement, values] = auditSearchSql(query);
    const rows = await this.database.withAccess((sql) => sql.rows<RecordRow>(statement, ...values));
    return auditPage(rows.map(recordOf), query.limit);
  }

  async *stream(filter: AuditStreamFilter): AsyncGenerator<AuditRecord> {
    let after: readonly [string, number] = ['', 0];
    if (filter.chain !== undefined) {
      after = [siteOfChain(filter.chain), filter.afterSequence ?? 0];
    }
    for (;;) {
      const rows = await this.#batch(filter, after);
      for (const row of rows) yield recordOf(row);
      const last = rows.at(-1);
      if (!last || rows.length < BATCH) return;
      after = [last.site_id, Number(last.sequence)];
    }
  }

  #batch(filter: AuditStreamFilter, after: readonly [string, number]): Promise<RecordRow[]> {
    const conditions = conditionsOf(filter);
    if (filter.chain !== undefined) conditions.add('site_id = ?', siteOfChain(filter.chain));
    conditions.addRow('(site_id, sequence) >', after);
    const values = [...conditions.values, BATCH];
    const statement = `SELECT * FROM audit_record ${conditions.where}
      ORDER BY site_id, sequence LIMIT $${values.length}`;
    return this.database.withAccess((sql) => sql.rows<RecordRow>(statement, ...values));
  }

  async heads(): Promise<ChainHead[]> {
    const rows = await this.database.withAccess((sql) =>
      sql.rows<{ site_id: string; sequence: string; hash: string }>(
        'SELECT site_id, sequence, hash FROM audit_head WHERE sequence > 0 ORDER BY site_id',
      ),
    );
    return rows.map(({ site_id: siteId, sequence, hash }) => ({
      ...{ chain: chainOf(siteId), sequence: Number(sequence), hash },
    }));
  }

  /** Five years of days for all sites, or for one. */
  anchors(siteId?: string): Promise<AuditAnchor[]> {
    const site = siteId === undefined ? {} : { siteId };
    return this.database.withAccess((sql) => readAnchors(sql, { ...site, limit: ANCHORS_MAX }));
  }
}

/** How far each receiver has each chain. */
export class HubShippingPosition implements ShippingPosition {
  constructor(private readonly database: HubDatabase) {}

  async get(destination: string, chain: string): Promise<number> {
    const row = await this.database.withAccess((sql) =>
      sql.row<{ sequence: string }>(
        'SELECT sequence FROM audit_shipping WHERE site_id = $1 AND receiver = $2',
        siteOfChain(chain),
        destination,
      ),
    );
    return Number(row?.sequence ?? 0);
  }

  async set(destination: string, chain: string, sequence: number): Promise<void> {
    await this.database.withAccess((sql) =>
      sql.run(
        `INSERT INTO audit_shipping (site_id, receiver, sequence) VALUES ($1, $2, $3)
         ON CONFLICT (site_id, receiver) DO UPDATE SET sequence = excluded.sequence`,
        siteOfChain(chain),
        destination,
        sequence,
      ),
    );
  }
}

/** 1,000 sites for half a year, or 100 for five years: what one answer may hold. */
const ANCHORS_MAX = 200_000;

function recordOf(row: RecordRow): AuditRecord {
  const { act, action, outcome, code, role, reason, detail, hash } = row;
  return {
    ...{ act, action, outcome, code, role, reason, detail, hash },
    userId: row.user_id,
    userName: row.user_name,
    userKind: row.user_kind,
    responsibleUserId: row.responsible_user_id,
    siteId: row.subject_site_id,
    objectType: row.object_type,
    objectId: row.object_id,
    patientId: row.patient_id,
    sourceAddress: row.source_address,
    correlationId: row.correlation_id,
    chain: chainOf(row.site_id),
    sequence: Number(row.sequence),
    atMs: row.at.getTime(),
    previousHash: row.previous_hash,
  };
}
