/**
 * Tables of enrolment: authorities of the hub, join tokens, certificates of gateways, bindings of
 * foreign certificates; and where a site comes from.
 * Decides that only aifi_access works with them, in the transaction of the act and its record.
 * Invariants: no secret is a column (a token is its digest, a private key a file); one identity of
 * a foreign certificate stands for one gateway of all sites at a time.
 * Source: reliability specification C1, C3; security specification 5.
 */
import type { MigrationInterface, QueryRunner } from 'typeorm';

const UP = `
-- a site of the configuration leaves with it; one that a person enrolled stays
ALTER TABLE site ADD COLUMN origin TEXT NOT NULL DEFAULT 'configuration'
  CHECK (origin IN ('configuration', 'enrolment'));

-- authorities of the hub itself, of no site
CREATE TABLE authority (
  -- SHA-256 of the certificate; the key lies in a file of that name
  authority_id TEXT PRIMARY KEY,
  certificate TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('active', 'retiring', 'retired')),
  created_at TIMESTAMPTZ NOT NULL,
  not_after TIMESTAMPTZ NOT NULL,
  retired_at TIMESTAMPTZ
);
CREATE TABLE join_token (
  site_id TEXT NOT NULL REFERENCES site,
  secret_sha256 TEXT NOT NULL,
  gateway INTEGER NOT NULL CHECK (gateway BETWEEN 1 AND 9999),
  created_by TEXT NOT NULL,
  created_at TIMESTAMPTZ NOT NULL,
  expires_at TIMESTAMPTZ NOT NULL,
  used_at TIMESTAMPTZ,
  PRIMARY KEY (site_id, secret_sha256)
);
CREATE INDEX join_token_by_secret ON join_token (secret_sha256);
CREATE TABLE gateway_certificate (
  site_id TEXT NOT NULL REFERENCES site,
  -- hexadecimal, of the authority's own numbers: 128 random bits
  serial TEXT NOT NULL,
  gateway INTEGER NOT NULL CHECK (gateway BETWEEN 1 AND 9999),
  authority_id TEXT NOT NULL,
  certificate TEXT NOT NULL,
  not_before TIMESTAMPTZ NOT NULL,
  not_after TIMESTAMPTZ NOT NULL,
  -- until when it is accepted: not_after, or earlier once it was renewed
  valid_until TIMESTAMPTZ NOT NULL,
  renews_serial TEXT,
  revoked_at TIMESTAMPTZ,
  revoked_by TEXT,
  revocation_reason TEXT,
  PRIMARY KEY (site_id, serial),
  CONSTRAINT revoked_with_reason CHECK
    (revoked_at IS NULL OR (revoked_by IS NOT NULL AND revocation_reason IS NOT NULL))
);
CREATE INDEX gateway_certificate_newest ON gateway_certificate (site_id, gateway, not_after);
CREATE TABLE certificate_binding (
  site_id TEXT NOT NULL REFERENCES site,
  binding_id UUID NOT NULL,
  gateway INTEGER NOT NULL CHECK (gateway BETWEEN 1 AND 9999),
  issuer TEXT NOT NULL,
  -- one of the two: subject serialNumber, or SHA-256 of the public key
  subject_serial TEXT,
  subject_key_sha256 TEXT,
  -- SHA-256 over issuer and subject identifier
  identity_sha256 TEXT NOT NULL,
  requested_by TEXT NOT NULL,
  approved_by TEXT NOT NULL,
  created_at TIMESTAMPTZ NOT NULL,
  ended_at TIMESTAMPTZ,
  ended_by TEXT,
  PRIMARY KEY (site_id, binding_id),
  CONSTRAINT one_identifier CHECK (num_nonnulls(subject_serial, subject_key_sha256) = 1),
  CONSTRAINT two_persons CHECK (approved_by <> requested_by)
);
-- over all sites: the one exception to keys that start with the site (guard C3)
CREATE UNIQUE INDEX certificate_binding_identity ON certificate_binding (identity_sha256)
  WHERE ended_at IS NULL;

GRANT SELECT (state) ON site TO aifi_access;
GRANT SELECT, INSERT, UPDATE (state, retired_at) ON authority TO aifi_access;
GRANT SELECT, INSERT, UPDATE (used_at) ON join_token TO aifi_access;
GRANT SELECT, INSERT, UPDATE (valid_until, revoked_at, revoked_by, revocation_reason)
  ON gateway_certificate TO aifi_access;
GRANT SELECT, INSERT, UPDATE (ended_at, ended_by) ON certificate_binding TO aifi_access;
`;

const TABLES = ['authority', 'join_token', 'gateway_certificate', 'certificate_binding'] as const;
const security = (table: string): string => `
ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY;
ALTER TABLE ${table} FORCE ROW LEVEL SECURITY;
CREATE POLICY all_access ON ${table} TO aifi_access USING (true) WITH CHECK (true);`;

export class CreateEnrolment1795298400001 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(UP);
    for (const table of TABLES) await runner.query(security(table));
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of TABLES.toReversed()) await runner.query(`DROP TABLE ${table}`);
    await runner.query('REVOKE SELECT (state) ON site FROM aifi_access');
    await runner.query('ALTER TABLE site DROP COLUMN origin');
  }
}
