/**
 * Bindings: which gateway a certificate of a national PKI stands for.
 * Decides nothing about persons: who asked and who agreed are handed in and kept. Invariants: one
 * identity stands for one gateway of all sites at a time; requested and approved by two persons,
 * which the table itself demands. Source: reliability specification C1.
 */
import { randomUUID } from 'node:crypto';
import type { BoundName } from '@aifi/hub-identity';
import type { Sql } from '@aifi/hub-database';
import { AifiError } from '@aifi/shared-kernel';
import { identityDigest, type SubjectIdentity } from './subject-identity.js';

export interface Binding extends SubjectIdentity {
  readonly id: string;
  readonly siteId: string;
  readonly gateway: number;
  readonly identitySha256: string;
  readonly requestedBy: string;
  readonly approvedBy: string;
  readonly createdAtMs: number;
  readonly endedAtMs: number | null;
}
interface BindingRow {
  readonly site_id: string;
  readonly binding_id: string;
  readonly gateway: number;
  readonly issuer: string;
  readonly subject_serial: string | null;
  readonly subject_key_sha256: string | null;
  readonly identity_sha256: string;
  readonly requested_by: string;
  readonly approved_by: string;
  readonly created_at: Date;
  readonly ended_at: Date | null;
}
const COLUMNS = `site_id, binding_id, gateway, issuer, subject_serial, subject_key_sha256,
  identity_sha256, requested_by, approved_by, created_at, ended_at`;
const LIST_MAX = 500;

/** What two persons agree to: the gateway and the digest of the identity; fits an approval. */
export const bindingObject = (gateway: number, identity: SubjectIdentity): string =>
  `gw${gateway}:${identityDigest(identity)}`;

export interface NewBinding {
  readonly siteId: string;
  readonly gateway: number;
  readonly identity: SubjectIdentity;
  readonly requestedBy: string;
  readonly approvedBy: string;
  readonly nowMs: number;
}
/** STATE_CONFLICT when the identity stands for a gateway already; NOT_FOUND without the site. */
export async function insertBinding(sql: Sql, binding: NewBinding): Promise<Binding> {
  const { siteId, gateway, identity, requestedBy, approvedBy, nowMs } = binding;
  const identitySha256 = identityDigest(identity);
  const site = await sql.row('SELECT site_id FROM site WHERE site_id = $1', siteId);
  if (!site) throw new AifiError('NOT_FOUND', 'there is no such object');
  const row = await sql.row<BindingRow>(
    `INSERT INTO certificate_binding (site_id, binding_id, gateway, issuer, subject_serial,
       subject_key_sha256, identity_sha256, requested_by, approved_by, created_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
     ON CONFLICT (identity_sha256) WHERE ended_at IS NULL DO NOTHING RETURNING ${COLUMNS}`,
    siteId,
    randomUUID(),
    gateway,
    identity.issuer,
    identity.subjectSerial ?? null,
    identity.subjectKeySha256 ?? null,
    identitySha256,
    requestedBy,
    approvedBy,
    new Date(nowMs),
  );
  if (!row) throw new AifiError('STATE_CONFLICT', 'the certificate stands for a gateway already');
  return bindingOf(row);
}

/** NOT_FOUND without such a binding; STATE_CONFLICT when it has ended already. */
export async function endBinding(
  sql: Sql,
  { siteId, id, by, nowMs }: { siteId: string; id: string; by: string; nowMs: number },
): Promise<Binding> {
  const known = await sql.row<BindingRow>(
    `SELECT ${COLUMNS} FROM certificate_binding WHERE site_id = $1 AND binding_id = $2`,
    siteId,
    id,
  );
  if (!known) throw new AifiError('NOT_FOUND', 'there is no such object');
  const row = await sql.row<BindingRow>(
    `UPDATE certificate_binding SET ended_at = $3, ended_by = $4
     WHERE site_id = $1 AND binding_id = $2 AND ended_at IS NULL RETURNING ${COLUMNS}`,
    siteId,
    id,
    new Date(nowMs),
    by,
  );
  if (!row) throw new AifiError('STATE_CONFLICT', 'the binding has ended already');
  return bindingOf(row);
}

/** Of one site, newest first. */
export async function listBindings(sql: Sql, siteId: string): Promise<Binding[]> {
  const rows = await sql.rows<BindingRow>(
    `SELECT ${COLUMNS} FROM certificate_binding WHERE site_id = $1
     ORDER BY created_at DESC, binding_id LIMIT ${LIST_MAX}`,
    siteId,
  );
  return rows.map(bindingOf);
}

export interface BoundIdentity extends BoundName {
  readonly identitySha256: string;
}
/** The bindings in force of any of these identities, at sites that are active. */
export async function findBindings(
  sql: Sql,
  identities: readonly string[],
): Promise<BoundIdentity[]> {
  const rows = await sql.rows<Pick<BindingRow, 'site_id' | 'gateway' | 'identity_sha256'>>(
    `SELECT b.site_id, b.gateway, b.identity_sha256 FROM certificate_binding b
     JOIN site s ON s.site_id = b.site_id
     WHERE b.identity_sha256 = ANY($1) AND b.ended_at IS NULL AND s.state = 'active'`,
    identities,
  );
  return rows.map((row) => ({
    ...{ siteName: row.site_id, gateway: row.gateway, identitySha256: row.identity_sha256 },
  }));
}

function bindingOf(row: BindingRow): Binding {
  return {
    ...{ id: row.binding_id, siteId: row.site_id, gateway: row.gateway, issuer: row.issuer },
    subjectSerial: row.subject_serial ?? undefined,
    subjectKeySha256: row.subject_key_sha256 ?? undefined,
    identitySha256: row.identity_sha256,
    ...{ requestedBy: row.requested_by, approvedBy: row.approved_by },
    createdAtMs: row.created_at.getTime(),
    endedAtMs: row.ended_at?.getTime() ?? null,
  };
}
