/**
 * First tables of the hub, in the order of the data, with row-level security written by hand.
 * Decides keys and states. Invariants: every tenant table starts its keys with site_id and its
 * foreign keys carry it; row-level security is enabled and forced; aifi_app sees one site, the one
 * of app.site_id; aifi_jobs sees queue columns only, never manifests, results or object keys.
 * Source: reliability specification C3, F19; governance specification 4.3.
 */
import type { MigrationInterface, QueryRunner } from 'typeorm';

const TABLES = [
  'site',
  'deployment',
  'routing_rules',
  'study_job',
  'study_object',
  'job_object',
  'inference_job',
  'inference_record',
  'outcome',
  'outcome_object',
  'outbox',
] as const;

const UP = `
CREATE TABLE site (
  site_id TEXT PRIMARY KEY,
  purpose TEXT NOT NULL CHECK (purpose IN ('demonstration', 'clinical')),
  state TEXT NOT NULL CHECK (state IN ('active', 'inactive')),
  -- last number given to an outcome of this site; its row lock makes commit order the number order
  outcome_sequence BIGINT NOT NULL DEFAULT 0,
  enrolled_at TIMESTAMPTZ NOT NULL DEFAULT now()
);
CREATE TABLE deployment (
  site_id TEXT NOT NULL REFERENCES site,
  product TEXT NOT NULL,
  version TEXT NOT NULL,
  model_digest TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('active', 'suspended', 'retired')),
  updated_at TIMESTAMPTZ NOT NULL DEFAULT now(),
  PRIMARY KEY (site_id, product, version)
);
CREATE TABLE routing_rules (
  site_id TEXT NOT NULL REFERENCES site,
  sequence BIGINT NOT NULL,
  -- digest of what the rules say, without sequence and time of issue
  content_sha256 TEXT NOT NULL,
  rules BYTEA NOT NULL,
  rules_sha256 TEXT NOT NULL,
  signature BYTEA NOT NULL,
  issued_at TIMESTAMPTZ NOT NULL DEFAULT now(),
  PRIMARY KEY (site_id, sequence)
);
CREATE TABLE study_job (
  site_id TEXT NOT NULL REFERENCES site,
  job_id TEXT NOT NULL,
  revision INTEGER NOT NULL,
  product TEXT NOT NULL,
  version TEXT NOT NULL,
  model_digest TEXT NOT NULL,
  lane TEXT NOT NULL,
  manifest BYTEA NOT NULL,
  manifest_sha256 TEXT NOT NULL,
  -- sealed by the gateway, opaque here (guard C4)
  envelope BYTEA NOT NULL,
  state TEXT NOT NULL CHECK
    (state IN ('OPEN', 'STORED', 'QUEUED', 'INFERRED', 'CONCLUDED', 'ACKNOWLEDGED')),
  code TEXT,
  opened_at TIMESTAMPTZ NOT NULL DEFAULT now(),
  stored_at TIMESTAMPTZ,
  queued_at TIMESTAMPTZ,
  inferred_at TIMESTAMPTZ,
  concluded_at TIMESTAMPTZ,
  acknowledged_at TIMESTAMPTZ,
  PRIMARY KEY (site_id, job_id)
);
CREATE INDEX study_job_stored ON study_job (stored_at) WHERE state = 'STORED';
CREATE INDEX study_job_by_age ON study_job (opened_at);
CREATE TABLE study_object (
  site_id TEXT NOT NULL REFERENCES site,
  sha256 TEXT NOT NULL,
  size_bytes BIGINT NOT NULL,
  stored_at TIMESTAMPTZ NOT NULL DEFAULT now(),
  PRIMARY KEY (site_id, sha256)
);
CREATE TABLE job_object (
  site_id TEXT NOT NULL,
  job_id TEXT NOT NULL,
  -- order of the manifest
  position INTEGER NOT NULL,
  sha256 TEXT NOT NULL,
  size_bytes BIGINT NOT NULL,
  PRIMARY KEY (site_id, job_id, position),
  FOREIGN KEY (site_id, job_id) REFERENCES study_job
);
CREATE INDEX job_object_by_digest ON job_object (site_id, job_id, sha256);
CREATE TABLE inference_job (
  site_id TEXT NOT NULL,
  job_id TEXT NOT NULL,
  lane TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('QUEUED', 'INFERRED', 'DONE')),
  queued_at TIMESTAMPTZ NOT NULL DEFAULT now(),
  -- NULL: nobody works on it
  lease_until TIMESTAMPTZ,
  -- fencing token: rises with every claim, checked on every later write
  lease_epoch BIGINT NOT NULL DEFAULT 0,
  -- failed tries of the present state
  attempts INTEGER NOT NULL DEFAULT 0,
  next_attempt_at TIMESTAMPTZ NOT NULL DEFAULT now(),
  PRIMARY KEY (site_id, job_id),
  FOREIGN KEY (site_id, job_id) REFERENCES study_job
);
CREATE INDEX inference_job_claim ON inference_job (state, lane, queued_at) WHERE state <> 'DONE';
CREATE TABLE inference_record (
  site_id TEXT NOT NULL,
  job_id TEXT NOT NULL,
  revision INTEGER NOT NULL,
  model_digest TEXT NOT NULL,
  input_digest TEXT NOT NULL,
  lease_epoch BIGINT NOT NULL,
  -- the worker's answer as sealed in the object store: JSON header, then binary tensors
  output_sha256 TEXT NOT NULL,
  output_size_bytes BIGINT NOT NULL,
  header_size_bytes INTEGER NOT NULL,
  started_at TIMESTAMPTZ NOT NULL,
  finished_at TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (site_id, job_id),
  UNIQUE (site_id, job_id, revision, model_digest),
  FOREIGN KEY (site_id, job_id) REFERENCES inference_job
);
CREATE TABLE outcome (
  site_id TEXT NOT NULL,
  job_id TEXT NOT NULL,
  revision INTEGER NOT NULL,
  issue INTEGER NOT NULL,
  sequence BIGINT NOT NULL,
  manifest BYTEA NOT NULL,
  signature BYTEA NOT NULL,
  created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
  acked_at TIMESTAMPTZ,
  PRIMARY KEY (site_id, job_id, issue),
  UNIQUE (site_id, sequence),
  FOREIGN KEY (site_id, job_id) REFERENCES study_job
);
CREATE INDEX outcome_unacked ON outcome (site_id, sequence) WHERE acked_at IS NULL;
CREATE TABLE outcome_object (
  site_id TEXT NOT NULL,
  job_id TEXT NOT NULL,
  issue INTEGER NOT NULL,
  output_index INTEGER NOT NULL,
  sha256 TEXT NOT NULL,
  size_bytes BIGINT NOT NULL,
  PRIMARY KEY (site_id, job_id, issue, output_index),
  FOREIGN KEY (site_id, job_id, issue) REFERENCES outcome
);
CREATE TABLE outbox (
  site_id TEXT NOT NULL REFERENCES site,
  event_id UUID NOT NULL,
  type TEXT NOT NULL,
  -- identifiers of jobs and products, states, codes: no identity
  payload JSONB NOT NULL,
  created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
  published_at TIMESTAMPTZ,
  PRIMARY KEY (site_id, event_id)
);
CREATE INDEX outbox_unpublished ON outbox (created_at) WHERE published_at IS NULL;
`;

const OWN_SITE = `site_id = NULLIF(current_setting('app.site_id', true), '')`;
const security = (table: string): string => `
ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY;
ALTER TABLE ${table} FORCE ROW LEVEL SECURITY;
CREATE POLICY own_site ON ${table} TO aifi_app USING (${OWN_SITE}) WITH CHECK (${OWN_SITE});
GRANT SELECT, INSERT, UPDATE ON ${table} TO aifi_app;`;

// Named exceptions of guard C3: what cross-site work may see and change.
const JOBS = `
CREATE POLICY all_sites_queue ON site FOR SELECT TO aifi_jobs USING (true);
GRANT SELECT (site_id) ON site TO aifi_jobs;
CREATE POLICY all_sites_queue ON study_job FOR SELECT TO aifi_jobs USING (true);
GRANT SELECT (site_id, job_id, revision, product, version, lane, state, code, opened_at, stored_at,
  queued_at, inferred_at, concluded_at, acknowledged_at) ON study_job TO aifi_jobs;
CREATE POLICY all_sites_queue ON inference_job TO aifi_jobs USING (true) WITH CHECK (true);
GRANT SELECT, UPDATE (lease_until, lease_epoch, attempts, next_attempt_at)
  ON inference_job TO aifi_jobs;
`;

export class CreateHubTables1795200879066 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(UP);
    for (const table of TABLES) await runner.query(security(table));
    await runner.query(JOBS);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of TABLES.toReversed()) await runner.query(`DROP TABLE ${table}`);
  }
}
