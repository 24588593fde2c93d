/**
 * Join tokens: one-time secrets with which a gateway gets its first certificate.
 * Decides how long one is good, and the text that people hand on. Invariants: 256 random bits, of
 * which only the digest is kept; a token is bound to a site and a gateway number and used once, in
 * the transaction that records the certificate.
 * Source: docs/adr/0021-enrolment.md; NIST SP 800-63B 5.1.2 (look-up secrets).
 */
import type { LinkPeer } from '@aifi/hub-identity';
import type { Sql } from '@aifi/hub-database';
import { sha256Hex, type SiteId } from '@aifi/shared-kernel';
import type { Randomness } from './certificate-profile.js';

/** Long enough for a telephone call and a visit to the machine. [policy] @unit ms */
export const TOKEN_MS = 3_600_000;
const SECRET_BYTES = 32;
const PREFIX = 'aifi-join.';

/** What the text of a token says. */
export interface TokenContent {
  /** host:port of the hub's link. */
  readonly hub: string;
  /** SHA-256 of the certificate (DER) of the authority behind the hub's own certificate. */
  readonly ca: string;
  /** 32 bytes, base64url. */
  readonly secret: string;
}

export const newSecret = (randomness: Randomness): string =>
  Buffer.from(randomness(SECRET_BYTES)).toString('base64url');

export const tokenText = ({ hub, ca, secret }: TokenContent): string =>
  PREFIX + Buffer.from(JSON.stringify({ v: 1, hub, ca, secret })).toString('base64url');

/** Digest under which a secret is kept and found. */
export const digestOf = (secret: string): string => sha256Hex(secret);

export interface NewToken {
  readonly siteId: string;
  readonly gateway: number;
  readonly secret: string;
  readonly createdBy: string;
  readonly nowMs: number;
}

export async function insertToken(sql: Sql, token: NewToken): Promise<{ expiresAtMs: number }> {
  const { siteId, gateway, secret, createdBy, nowMs } = token;
  const expiresAtMs = nowMs + TOKEN_MS;
  await sql.run(
    `INSERT INTO join_token (site_id, secret_sha256, gateway, created_by, created_at, expires_at)
     VALUES ($1, $2, $3, $4, $5, $6)`,
    siteId,
    digestOf(secret),
    gateway,
    createdBy,
    new Date(nowMs),
    new Date(expiresAtMs),
  );
  return { expiresAtMs };
}

/** A token as its secret finds it; its row stays locked until the transaction ends. */
export interface FoundToken {
  readonly peer: LinkPeer;
  readonly secretSha256: string;
  readonly createdBy: string;
  /** Why it is no longer good; undefined: it is. */
  readonly spent: 'used' | 'expired' | 'site-inactive' | undefined;
}
interface TokenRow {
  readonly site_id: SiteId;
  readonly gateway: number;
  readonly created_by: string;
  readonly expires_at: Date;
  readonly used_at: Date | null;
  readonly site_state: string;
}

export async function findToken(
  sql: Sql,
  secret: string,
  nowMs: number,
): Promise<FoundToken | undefined> {
  const secretSha256 = digestOf(secret);
  const row = await sql.row<TokenRow>(
    `SELECT t.site_id, t.gateway, t.created_by, t.expires_at, t.used_at, s.state AS site_state
     FROM join_token t JOIN site s ON s.site_id = t.site_id
     WHERE t.secret_sha256 = $1 FOR UPDATE OF t`,
    secretSha256,
  );
  if (!row) return undefined;
  const peer = { siteId: row.site_id, gateway: row.gateway };
  return { peer, secretSha256, createdBy: row.created_by, spent: spentOf(row, nowMs) };
}

function spentOf(row: TokenRow, nowMs: number): FoundToken['spent'] {
  if (row.used_at !== null) return 'used';
  if (nowMs >= row.expires_at.getTime()) return 'expired';
  return row.site_state === 'active' ? undefined : 'site-inactive';
}

export async function markUsed(
  sql: Sql,
  { peer, secretSha256 }: FoundToken,
  nowMs: number,
): Promise<void> {
  await sql.run(
    `UPDATE join_token SET used_at = $3 WHERE site_id = $1 AND secret_sha256 = $2`,
    peer.siteId,
    secretSha256,
    new Date(nowMs),
  );
}
