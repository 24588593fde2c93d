/**
 * Tables and columns of durability: removal of objects, evaluation sets, the check of digests.
 * Decides that a site's own role removes its objects, and that what is to be removed is on record
 * until its file is gone. Invariants: row-level security is enabled and forced; every key starts
 * with the site; cross-site work sees none of it. Source: reliability specification 2, C3.
 */
import type { MigrationInterface, QueryRunner } from 'typeorm';

const TABLES = ['object_removal', 'evaluation_study', 'digest_pass'] as const;

const UP = `
-- NULL: it is still owed to the gateway, or kept for its time
ALTER TABLE outcome_object ADD COLUMN removed_at TIMESTAMPTZ;
ALTER TABLE inference_record ADD COLUMN output_removed_at TIMESTAMPTZ;
-- who needs an object, by its digest
CREATE INDEX job_object_of_digest ON job_object (site_id, sha256);
CREATE INDEX outcome_object_of_digest ON outcome_object (site_id, sha256);
CREATE INDEX inference_record_of_digest ON inference_record (site_id, output_sha256);
CREATE INDEX study_object_by_age ON study_object (site_id, stored_at);
-- objects whose row is gone and whose file has to go
CREATE TABLE object_removal (
  site_id TEXT NOT NULL REFERENCES site,
  sha256 TEXT NOT NULL,
  size_bytes BIGINT NOT NULL,
  marked_at TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (site_id, sha256)
);
CREATE INDEX object_removal_by_age ON object_removal (site_id, marked_at);
-- studies whose pixels stay, by agreement with the site
CREATE TABLE evaluation_study (
  site_id TEXT NOT NULL REFERENCES site,
  study_pseudonym TEXT NOT NULL,
  evaluation_set TEXT NOT NULL,
  agreed_at TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (site_id, study_pseudonym, evaluation_set)
);
-- where the nightly check of digests is
CREATE TABLE digest_pass (
  site_id TEXT PRIMARY KEY REFERENCES site,
  started_at TIMESTAMPTZ NOT NULL,
  -- NULL: it goes on
  finished_at TIMESTAMPTZ,
  -- digest of the last object that was read
  position TEXT NOT NULL,
  objects INTEGER NOT NULL,
  damaged INTEGER NOT NULL
);
`;

const OWN_SITE = `site_id = NULLIF(current_setting('app.site_id', true), '')`;
const security = (table: string): string => `
ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY;
ALTER TABLE ${table} FORCE ROW LEVEL SECURITY;
CREATE POLICY own_site ON ${table} TO aifi_app USING (${OWN_SITE}) WITH CHECK (${OWN_SITE});`;

const RIGHTS = `
GRANT DELETE ON study_object TO aifi_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON object_removal TO aifi_app;
GRANT SELECT, INSERT ON evaluation_study TO aifi_app;
GRANT SELECT, INSERT, UPDATE ON digest_pass TO aifi_app;
`;

export class AddRetention1795298400004 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(UP);
    for (const table of TABLES) await runner.query(security(table));
    await runner.query(RIGHTS);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of TABLES.toReversed()) await runner.query(`DROP TABLE ${table}`);
    await runner.query('REVOKE DELETE ON study_object FROM aifi_app');
    await runner.query('DROP INDEX study_object_by_age, inference_record_of_digest');
    await runner.query('DROP INDEX outcome_object_of_digest, job_object_of_digest');
    await runner.query('ALTER TABLE inference_record DROP COLUMN output_removed_at');
    await runner.query('ALTER TABLE outcome_object DROP COLUMN removed_at');
  }
}
