/**
 * The audit trail as rows: appending in the act's own transaction, and the signed anchors.
 * Decides the chain of a record: hub:<siteId> for an enrolled site, hub:* for everything else.
 * Invariants: the head's row lock orders the appends of a chain, so that no sequence has a gap; a
 * record that cannot be kept refuses its act. Source: security specification 5; hazard H18.
 */
import type { KeyObject } from 'node:crypto';
import { FIRST_PREVIOUS_HASH, makeAnchor, sealRecord } from '@aifi/access-audit';
import {
  auditAnchorSchema,
  type AuditAnchor,
  type AuditDraft,
  type AuditRecord,
} from '@aifi/contracts-rest';
import { AifiError, type Sha256 } from '@aifi/shared-kernel';
import type { Sql } from './sql.js';

/** Site of the chain for acts across sites, and of acts on names that are no site. */
export const ALL_SITES = '*';
export const chainOf = (siteId: string): string => `hub:${siteId}`;
/** INVALID_ARGUMENT for a chain of another server. */
export function siteOfChain(chain: string): string {
  if (chain.startsWith('hub:')) return chain.slice(4);
  throw new AifiError('INVALID_ARGUMENT', 'not a chain of this hub');
}

/**
 * Appends one record to its chain: in withAccess, or in withSite for that site. What the act did
 * and its record are committed together or not at all.
 */
export async function appendAudit(sql: Sql, draft: AuditDraft, atMs: number): Promise<AuditRecord> {
  const siteId = await chainSite(sql, draft.siteId);
  const { sequence, hash: previousHash } = await lockHead(sql, siteId);
  const place = { chain: chainOf(siteId), sequence: Number(sequence) + 1, atMs, previousHash };
  const record = sealRecord(draft, place);
  await insertRecord(sql, siteId, record);
  return record;
}

async function chainSite(sql: Sql, siteId: string): Promise<string> {
  if (siteId === ALL_SITES) return ALL_SITES;
  // A name that is no site must not start a chain of its own: callers could make any number.
  const site = await sql.row('SELECT site_id FROM site WHERE site_id = $1', siteId);
  return site ? siteId : ALL_SITES;
}

interface Head {
  readonly sequence: string;
  readonly hash: Sha256;
}
async function lockHead(sql: Sql, siteId: string): Promise<Head> {
  const lock = 'SELECT sequence, hash FROM audit_head WHERE site_id = $1 FOR UPDATE';
  const head = await sql.row<Head>(lock, siteId);
  if (head) return head;
  await sql.run(
    `INSERT INTO audit_head (site_id, sequence, hash) VALUES ($1, 0, $2)
     ON CONFLICT (site_id) DO NOTHING`,
    siteId,
    FIRST_PREVIOUS_HASH,
  );
  return (await sql.row<Head>(lock, siteId))!;
}

/** The head moves in the same statement: a trigger refuses a record that does not continue it. */
async function insertRecord(sql: Sql, siteId: string, record: AuditRecord): Promise<void> {
  await sql.run(
    `INSERT INTO audit_record (site_id, sequence, at, act, action, outcome, code, user_id,
       user_name, user_kind, role, responsible_user_id, subject_site_id, object_type, object_id,
       patient_id, reason, source_address, correlation_id, detail, previous_hash, hash)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19,
       $20, $21, $22)`,
    siteId,
    record.sequence,
    new Date(record.atMs),
    record.act,
    record.action,
    record.outcome,
    record.code,
    record.userId,
    record.userName,
    record.userKind,
    record.role,
    record.responsibleUserId,
    record.siteId,
    record.objectType,
    record.objectId,
    record.patientId,
    record.reason,
    record.sourceAddress,
    record.correlationId,
    JSON.stringify(record.detail),
    record.previousHash,
    record.hash,
  );
}

/**
 * Signs the end of every chain that has no anchor of this day yet; how many that were. Two hub
 * processes may do it at once: the first anchor of a day stays.
 */
export async function makeAnchors(sql: Sql, signingKey: KeyObject, nowMs: number): Promise<number> {
  const day = new Date(nowMs).toISOString().slice(0, 10);
  const heads = await sql.rows<Head & { site_id: string }>(
    `SELECT site_id, sequence, hash FROM audit_head h WHERE sequence > 0 AND NOT EXISTS
       (SELECT FROM audit_anchor a WHERE a.site_id = h.site_id AND a.day = $1)
     ORDER BY site_id`,
    day,
  );
  for (const { site_id: siteId, sequence, hash } of heads) {
    const record = { chain: chainOf(siteId), sequence: Number(sequence), hash };
    const anchor = makeAnchor({ record, day, madeAtMs: nowMs, signingKey });
    await sql.run(
      `INSERT INTO audit_anchor (site_id, day, sequence, hash, made_at, signature)
       VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (site_id, day) DO NOTHING`,
      siteId,
      day,
      anchor.sequence,
      anchor.hash,
      new Date(nowMs),
      anchor.signature,
    );
  }
  return heads.length;
}

export interface AnchorQuery {
  /** Undefined: all that the transaction sees. */
  readonly siteId?: string;
  /** Days before this one are left out. */
  readonly fromDay?: string;
  readonly limit: number;
}
/** Anchors, oldest first; in withSite those of the own chain only. */
export async function readAnchors(
  sql: Sql,
  { siteId, fromDay, limit }: AnchorQuery,
): Promise<AuditAnchor[]> {
  const rows = await sql.rows<Head & AnchorRow>(
    `SELECT site_id, day::text AS day, sequence, hash, made_at, signature FROM audit_anchor
     WHERE ($1::text IS NULL OR site_id = $1) AND day >= $2::date ORDER BY day, site_id LIMIT $3`,
    siteId ?? null,
    fromDay ?? '-infinity',
    limit,
  );
  return rows.map((row) =>
    auditAnchorSchema.parse({
      schema: 'aifi.audit-anchor.v1',
      chain: chainOf(row.site_id),
      ...{ day: row.day, sequence: Number(row.sequence), hash: row.hash },
      ...{ madeAtMs: row.made_at.getTime(), signature: row.signature },
    }),
  );
}
interface AnchorRow {
  readonly site_id: string;
  readonly day: string;
  readonly made_at: Date;
  readonly signature: string;
}
