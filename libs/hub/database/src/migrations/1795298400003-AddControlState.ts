/**
 * What comes down, for each gateway of a site: whose jobs it gets, how far it is, what is stopped.
 * Decides that a job belongs to the gateway that sent it, that a take-over is for good, and that an
 * outcome once released is marked before it leaves. A stop for every site has '*' for its site.
 * Invariants: a gateway is taken over once and never by itself; who resumes a product is another
 * person than who stopped it. Source: reliability specification P5, H17; governance 1.
 */
import type { MigrationInterface, QueryRunner } from 'typeorm';

const UP = `
-- Number of the gateway that sent the job, as in its certificate.
ALTER TABLE study_job ADD COLUMN gateway INTEGER NOT NULL DEFAULT 1;
-- When it first was about to leave: durable before the first byte does.
ALTER TABLE outcome ADD COLUMN released_at TIMESTAMPTZ;
-- A newer revision or issue was released before it: it never leaves.
ALTER TABLE outcome ADD COLUMN superseded_at TIMESTAMPTZ;
CREATE INDEX study_job_of_revision ON study_job (site_id, study_pseudonym, product, revision);
CREATE TABLE gateway_take_over (
  site_id TEXT NOT NULL REFERENCES site,
  gateway INTEGER NOT NULL,
  successor INTEGER NOT NULL,
  at TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (site_id, gateway),
  CHECK (gateway <> successor)
);
CREATE TABLE outcome_cursor (
  site_id TEXT NOT NULL REFERENCES site,
  gateway INTEGER NOT NULL,
  -- highest number that this gateway has acknowledged
  sequence BIGINT NOT NULL DEFAULT 0,
  -- rises with every stream that it opens; only the newest is served
  epoch BIGINT NOT NULL DEFAULT 0,
  opened_at TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (site_id, gateway)
);
CREATE TABLE kill_state (
  site_id TEXT PRIMARY KEY REFERENCES site,
  sequence BIGINT NOT NULL,
  -- digest of what it says, without sequence and time of issue
  content_sha256 TEXT NOT NULL,
  state BYTEA NOT NULL,
  signature BYTEA NOT NULL,
  issued_at TIMESTAMPTZ NOT NULL
);
CREATE TABLE product_stop (
  -- '*': at every site
  site_id TEXT NOT NULL,
  product TEXT NOT NULL,
  -- '*': every version
  version TEXT NOT NULL,
  code TEXT NOT NULL,
  reason TEXT NOT NULL,
  stopped_by TEXT NOT NULL,
  stopped_by_name TEXT NOT NULL,
  stopped_at TIMESTAMPTZ NOT NULL,
  resumed_by TEXT,
  resumed_at TIMESTAMPTZ,
  PRIMARY KEY (site_id, product, version),
  CONSTRAINT two_persons CHECK (resumed_by <> stopped_by),
  CONSTRAINT resumed_by_somebody CHECK ((resumed_by IS NULL) = (resumed_at IS NULL))
);
`;

const OWN_SITE = `site_id = NULLIF(current_setting('app.site_id', true), '')`;
const TABLES = ['gateway_take_over', 'outcome_cursor', 'kill_state', 'product_stop'] as const;
const security = (table: string): string => `
ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY;
ALTER TABLE ${table} FORCE ROW LEVEL SECURITY;`;

const RIGHTS = `
CREATE POLICY own_site ON outcome_cursor TO aifi_app USING (${OWN_SITE}) WITH CHECK (${OWN_SITE});
GRANT SELECT, INSERT, UPDATE ON outcome_cursor TO aifi_app;
CREATE POLICY own_site ON kill_state TO aifi_app USING (${OWN_SITE}) WITH CHECK (${OWN_SITE});
GRANT SELECT, INSERT, UPDATE ON kill_state TO aifi_app;
-- Persons change these two, in one transaction with the record of it; a site's work reads them.
CREATE POLICY own_site ON gateway_take_over FOR SELECT TO aifi_app USING (${OWN_SITE});
GRANT SELECT ON gateway_take_over TO aifi_app;
CREATE POLICY all_access ON gateway_take_over TO aifi_access USING (true) WITH CHECK (true);
GRANT SELECT, INSERT ON gateway_take_over TO aifi_access;
CREATE POLICY own_or_every_site ON product_stop FOR SELECT TO aifi_app
  USING (site_id = '*' OR ${OWN_SITE});
GRANT SELECT (site_id, product, version, code, stopped_at, resumed_at) ON product_stop TO aifi_app;
CREATE POLICY all_access ON product_stop TO aifi_access USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE ON product_stop TO aifi_access;
-- Finding the jobs that a stop ends is work across sites.
CREATE POLICY all_sites_queue ON product_stop FOR SELECT TO aifi_jobs USING (true);
GRANT SELECT (site_id, product, version, resumed_at) ON product_stop TO aifi_jobs;
`;

export class AddControlState1795298400003 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(UP);
    for (const table of TABLES) await runner.query(security(table));
    await runner.query(RIGHTS);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of TABLES.toReversed()) await runner.query(`DROP TABLE ${table}`);
    await runner.query('DROP INDEX study_job_of_revision');
    await runner.query('ALTER TABLE outcome DROP COLUMN superseded_at, DROP COLUMN released_at');
    await runner.query('ALTER TABLE study_job DROP COLUMN gateway');
  }
}
