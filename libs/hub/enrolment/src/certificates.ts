/**
 * Certificates of gateways as rows: what was issued, until when it is accepted, what was revoked.
 * Decides how a renewal ends what came before: a week later at the latest. Invariants: a row is
 * never removed; a revoked certificate stays revoked, and with it all that was renewed from it; a
 * certificate that holds no longer is renewed by nobody; one without a row is unknown.
 * Source: RFC 5280 5 (revocation, here by the records of the one relying party).
 */
import type { LinkPeer } from '@aifi/hub-identity';
import type { Sql } from '@aifi/hub-database';
import { AifiError, type SiteId } from '@aifi/shared-kernel';
import type { GatewayCertificate } from './certificate-profile.js';

/** How long the certificate before stays good after a renewal. [policy] @unit ms */
export const OVERLAP_MS = 7 * 24 * 3_600_000;
/** New certificates of one gateway within a day: a renewal that fails again and again. [policy] */
const ISSUED_PER_DAY_MAX = 32;
const DAY_MS = 24 * 3_600_000;
/** A site has a handful of gateways with a few certificates a year. */
const LIST_MAX = 500;

export interface CertificateRecord {
  readonly siteId: SiteId;
  readonly serial: string;
  readonly gateway: number;
  readonly authorityId: string;
  /** PEM. */
  readonly certificate: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly validUntilMs: number;
  readonly revokedAtMs: number | null;
  readonly revokedBy: string | null;
  readonly revocationReason: string | null;
}
interface CertificateRow {
  readonly site_id: SiteId;
  readonly serial: string;
  readonly gateway: number;
  readonly authority_id: string;
  readonly certificate: string;
  readonly not_before: Date;
  readonly not_after: Date;
  readonly valid_until: Date;
  readonly revoked_at: Date | null;
  readonly revoked_by: string | null;
  readonly revocation_reason: string | null;
}
const COLUMNS = `site_id, serial, gateway, authority_id, certificate, not_before, not_after,
  valid_until, revoked_at, revoked_by, revocation_reason`;

/** LIMIT_EXCEEDED when this gateway got too many within a day. */
export async function recordCertificate(
  sql: Sql,
  peer: LinkPeer,
  issued: GatewayCertificate & { readonly authorityId: string; readonly renews: string | null },
): Promise<void> {
  const recent = await sql.row<{ n: number }>(
    `SELECT count(*)::int AS n FROM gateway_certificate
     WHERE site_id = $1 AND gateway = $2 AND not_before > $3`,
    peer.siteId,
    peer.gateway,
    new Date(issued.notBeforeMs - DAY_MS),
  );
  if (recent!.n >= ISSUED_PER_DAY_MAX) {
    throw new AifiError('LIMIT_EXCEEDED', 'the gateway got too many certificates today');
  }
  await sql.run(
    `INSERT INTO gateway_certificate (site_id, serial, gateway, authority_id, certificate,
       not_before, not_after, valid_until, renews_serial)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8)`,
    peer.siteId,
    issued.serial,
    peer.gateway,
    issued.authorityId,
    issued.certificate,
    new Date(issued.notBeforeMs),
    new Date(issued.notAfterMs),
    issued.renews,
  );
}

/**
 * UNTRUSTED when the certificate of a call is on record and holds no longer. Its row stays locked,
 * so that a revocation comes before this transaction or after it. One without a row is of an
 * authority of the configuration: the front has let it in by that.
 */
export async function requireInForce(
  sql: Sql,
  { siteId }: LinkPeer,
  { serial, nowMs }: { readonly serial: string; readonly nowMs: number },
): Promise<void> {
  const row = await sql.row<{ holds: boolean }>(
    `SELECT c.revoked_at IS NULL AND c.valid_until > $3 AND s.state = 'active' AS holds
     FROM gateway_certificate c JOIN site s ON s.site_id = c.site_id
     WHERE c.site_id = $1 AND c.serial = $2 FOR UPDATE OF c`,
    siteId,
    serial,
    new Date(nowMs),
  );
  if (row && !row.holds) throw new AifiError('UNTRUSTED', 'the certificate holds no longer');
}

/** After a renewal: every other certificate of the gateway ends within the overlap. */
export function endOthers(
  sql: Sql,
  { siteId, gateway }: LinkPeer,
  { serial, nowMs }: { readonly serial: string; readonly nowMs: number },
): Promise<number> {
  return sql.run(
    `UPDATE gateway_certificate SET valid_until = $4
     WHERE site_id = $1 AND gateway = $2 AND serial <> $3 AND valid_until > $4`,
    siteId,
    gateway,
    serial,
    new Date(nowMs + OVERLAP_MS),
  );
}

export async function findCertificate(
  sql: Sql,
  siteId: string,
  serial: string,
): Promise<CertificateRecord | undefined> {
  const row = await sql.row<CertificateRow>(
    `SELECT ${COLUMNS} FROM gateway_certificate WHERE site_id = $1 AND serial = $2`,
    siteId,
    serial,
  );
  return row && recordOf(row);
}

/** Of one site, newest first. */
export async function listCertificates(sql: Sql, siteId: string): Promise<CertificateRecord[]> {
  const rows = await sql.rows<CertificateRow>(
    `SELECT ${COLUMNS} FROM gateway_certificate WHERE site_id = $1
     ORDER BY not_before DESC, serial LIMIT ${LIST_MAX}`,
    siteId,
  );
  return rows.map(recordOf);
}

/** Of each gateway of all sites, the certificate that is accepted longest. */
export async function newestCertificates(sql: Sql): Promise<CertificateRecord[]> {
  const rows = await sql.rows<CertificateRow>(
    `SELECT DISTINCT ON (site_id, gateway) ${COLUMNS} FROM gateway_certificate
     WHERE revoked_at IS NULL ORDER BY site_id, gateway, valid_until DESC`,
  );
  return rows.map(recordOf);
}

export interface Revocation {
  readonly siteId: string;
  readonly serial: string;
  readonly by: string;
  readonly reason: string;
  readonly nowMs: number;
}
export interface RevokedCertificate extends CertificateRecord {
  /** Serial numbers of those renewed from it that were revoked with it. */
  readonly heirs: readonly string[];
}
/**
 * Revokes a certificate and all that was renewed from it: who had its key may have renewed.
 * NOT_FOUND without such a certificate; STATE_CONFLICT when it is revoked already.
 */
export async function revokeCertificate(
  sql: Sql,
  revocation: Revocation,
): Promise<RevokedCertificate> {
  const { siteId, serial, by, reason, nowMs } = revocation;
  const known = await findCertificate(sql, siteId, serial);
  if (!known) throw new AifiError('NOT_FOUND', 'there is no such certificate');
  const changed = await sql.run(
    `UPDATE gateway_certificate SET revoked_at = $3, revoked_by = $4, revocation_reason = $5
     WHERE site_id = $1 AND serial = $2 AND revoked_at IS NULL`,
    siteId,
    serial,
    new Date(nowMs),
    by,
    reason,
  );
  if (changed !== 1) throw new AifiError('STATE_CONFLICT', 'the certificate is revoked already');
  const heirs = await revokeHeirs(sql, revocation);
  return { ...known, revokedAtMs: nowMs, revokedBy: by, revocationReason: reason, heirs };
}

/**
 * Until there are no more: a renewal that was under way ends before its certificate is revoked,
 * and what it made shows at the next look only.
 */
async function revokeHeirs(
  sql: Sql,
  { siteId, serial, by, reason, nowMs }: Revocation,
): Promise<string[]> {
  const heirs: string[] = [];
  for (;;) {
    const found = await sql.rows<{ serial: string }>(
      `WITH RECURSIVE heir AS (
         SELECT serial FROM gateway_certificate WHERE site_id = $1 AND renews_serial = $2
         UNION
         SELECT c.serial FROM gateway_certificate c JOIN heir h ON c.renews_serial = h.serial
         WHERE c.site_id = $1)
       SELECT c.serial FROM gateway_certificate c JOIN heir h ON c.serial = h.serial
       WHERE c.site_id = $1 AND c.revoked_at IS NULL
       ORDER BY c.serial FOR UPDATE OF c`,
      siteId,
      serial,
    );
    if (found.length === 0) return heirs;
    const serials = found.map((row) => row.serial);
    await sql.run(
      `UPDATE gateway_certificate SET revoked_at = $3, revoked_by = $4, revocation_reason = $5
       WHERE site_id = $1 AND serial = ANY($2)`,
      siteId,
      serials,
      new Date(nowMs),
      by,
      reason,
    );
    heirs.push(...serials);
  }
}

function recordOf(row: CertificateRow): CertificateRecord {
  return {
    ...{ siteId: row.site_id, serial: row.serial, gateway: row.gateway },
    ...{ authorityId: row.authority_id, certificate: row.certificate },
    notBeforeMs: row.not_before.getTime(),
    notAfterMs: row.not_after.getTime(),
    validUntilMs: row.valid_until.getTime(),
    revokedAtMs: row.revoked_at?.getTime() ?? null,
    revokedBy: row.revoked_by,
    revocationReason: row.revocation_reason,
  };
}
