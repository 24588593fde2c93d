/**
 * Sessions, approvals, idempotency keys and the audit trail, for a role of their own.
 * Decides who may touch the trail: aifi_access reads and appends, aifi_app appends to the chain of
 * its own site, nobody changes a record, and the owner removes only what is older than five years
 * and lies before a signed anchor. Invariants: row-level security is enabled and forced on every
 * table; a record continues its chain or is refused; a request is never decided by who asked.
 * Source: reliability specification C3, H18; security specification 5 (NEN 7513, retention).
 */
import type { MigrationInterface, QueryRunner } from 'typeorm';

const PERSONS = `
CREATE TABLE session (
  -- SHA-256 of the cookie's value: the table lets nobody in
  id_hash TEXT PRIMARY KEY,
  user_id TEXT NOT NULL,
  user_name TEXT NOT NULL,
  roles TEXT[] NOT NULL,
  site_ids TEXT[] NOT NULL,
  csrf_token TEXT NOT NULL,
  created_at TIMESTAMPTZ NOT NULL,
  last_seen_at TIMESTAMPTZ NOT NULL,
  checked_at TIMESTAMPTZ NOT NULL,
  stepped_up_at TIMESTAMPTZ,
  provider_session_id TEXT,
  sealed_tokens TEXT
);
CREATE INDEX session_by_user ON session (user_id);
CREATE INDEX session_by_provider ON session (provider_session_id);
CREATE INDEX session_by_age ON session (last_seen_at);
CREATE TABLE idempotency_key (
  user_id TEXT NOT NULL,
  act TEXT NOT NULL,
  idempotency_key TEXT NOT NULL,
  request_sha256 TEXT NOT NULL,
  -- JSON; NULL only inside the transaction that does the act
  answer TEXT,
  created_at TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (user_id, act, idempotency_key)
);
CREATE INDEX idempotency_key_by_age ON idempotency_key (created_at);
CREATE TABLE approval (
  site_id TEXT NOT NULL REFERENCES site,
  approval_id UUID NOT NULL,
  act TEXT NOT NULL,
  object_id TEXT NOT NULL,
  reason TEXT NOT NULL,
  state TEXT NOT NULL CHECK
    (state IN ('REQUESTED', 'APPROVED', 'REFUSED', 'WITHDRAWN', 'EXPIRED', 'ENDED')),
  requested_by TEXT NOT NULL,
  requested_by_name TEXT NOT NULL,
  requested_at TIMESTAMPTZ NOT NULL,
  expires_at TIMESTAMPTZ NOT NULL,
  decided_by TEXT,
  decided_by_name TEXT,
  decided_at TIMESTAMPTZ,
  decision_reason TEXT,
  granted_until TIMESTAMPTZ,
  ended_at TIMESTAMPTZ,
  PRIMARY KEY (site_id, approval_id),
  CONSTRAINT two_persons CHECK (decided_by <> requested_by),
  CONSTRAINT granted_by_somebody CHECK
    (state <> 'APPROVED' OR (decided_by IS NOT NULL AND granted_until IS NOT NULL))
);
CREATE INDEX approval_by_id ON approval (approval_id);
CREATE INDEX approval_newest ON approval (requested_at, site_id, approval_id);
CREATE INDEX approval_grant ON approval (site_id, object_id, requested_by)
  WHERE state = 'APPROVED';
`;

const TRAIL = `
CREATE TABLE audit_head (
  -- chain hub:<site_id>; '*' for acts across sites
  site_id TEXT PRIMARY KEY,
  sequence BIGINT NOT NULL,
  hash TEXT NOT NULL
);
CREATE TABLE audit_record (
  site_id TEXT NOT NULL,
  sequence BIGINT NOT NULL CHECK (sequence > 0),
  at TIMESTAMPTZ NOT NULL,
  act TEXT NOT NULL,
  action TEXT NOT NULL,
  outcome TEXT NOT NULL,
  code TEXT,
  user_id TEXT NOT NULL,
  user_name TEXT NOT NULL,
  user_kind TEXT NOT NULL,
  role TEXT,
  responsible_user_id TEXT,
  -- the site as the record names it: the chain's own, or a name that is no site of this hub
  subject_site_id TEXT NOT NULL,
  object_type TEXT NOT NULL,
  object_id TEXT NOT NULL,
  patient_id TEXT,
  reason TEXT,
  source_address TEXT NOT NULL,
  correlation_id TEXT NOT NULL,
  detail JSONB NOT NULL,
  previous_hash TEXT NOT NULL,
  hash TEXT NOT NULL,
  PRIMARY KEY (site_id, sequence)
);
CREATE INDEX audit_record_newest ON audit_record (at, site_id, sequence);
CREATE INDEX audit_record_of_site ON audit_record (site_id, at, sequence);
CREATE INDEX audit_record_by_user ON audit_record (user_id, at, site_id, sequence);
CREATE INDEX audit_record_of_object ON audit_record (object_id, at, site_id, sequence);
CREATE TABLE audit_anchor (
  site_id TEXT NOT NULL,
  day DATE NOT NULL,
  sequence BIGINT NOT NULL CHECK (sequence > 0),
  hash TEXT NOT NULL,
  made_at TIMESTAMPTZ NOT NULL,
  signature TEXT NOT NULL,
  PRIMARY KEY (site_id, day)
);
CREATE INDEX audit_anchor_at ON audit_anchor (site_id, sequence);
-- how far a receiver has each chain
CREATE TABLE audit_shipping (
  site_id TEXT NOT NULL,
  receiver TEXT NOT NULL,
  sequence BIGINT NOT NULL,
  PRIMARY KEY (site_id, receiver)
);
`;

// Nothing here runs with other rights than the caller's, except audit_cut.
const RULES = `
CREATE FUNCTION audit_continue() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  UPDATE public.audit_head SET sequence = NEW.sequence, hash = NEW.hash
  WHERE site_id = NEW.site_id AND sequence = NEW.sequence - 1 AND hash = NEW.previous_hash;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'an audit record continues its chain' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER continue_chain BEFORE INSERT ON audit_record
  FOR EACH ROW EXECUTE FUNCTION audit_continue();

CREATE FUNCTION audit_keep() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RAISE EXCEPTION 'the audit trail is kept' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER keep BEFORE UPDATE ON audit_record FOR EACH ROW EXECUTE FUNCTION audit_keep();
CREATE TRIGGER keep_all BEFORE TRUNCATE ON audit_record EXECUTE FUNCTION audit_keep();
CREATE TRIGGER keep BEFORE UPDATE OR DELETE ON audit_anchor
  FOR EACH ROW EXECUTE FUNCTION audit_keep();
CREATE TRIGGER keep_all BEFORE TRUNCATE ON audit_anchor EXECUTE FUNCTION audit_keep();
CREATE TRIGGER keep BEFORE DELETE ON audit_head FOR EACH ROW EXECUTE FUNCTION audit_keep();
CREATE TRIGGER keep_all BEFORE TRUNCATE ON audit_head EXECUTE FUNCTION audit_keep();

CREATE FUNCTION audit_keep_young() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF OLD.at < now() - interval '5 years' AND EXISTS (
    SELECT FROM public.audit_anchor a
    WHERE a.site_id = OLD.site_id AND a.sequence >= OLD.sequence
      AND a.made_at < now() - interval '5 years'
  ) THEN
    RETURN OLD;
  END IF;
  RAISE EXCEPTION 'the audit trail is kept' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER keep_young BEFORE DELETE ON audit_record
  FOR EACH ROW EXECUTE FUNCTION audit_keep_young();

CREATE FUNCTION audit_cut(chain_site TEXT, last_sequence BIGINT) RETURNS BIGINT
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  removed BIGINT;
BEGIN
  IF NOT EXISTS (
    SELECT FROM public.audit_anchor WHERE site_id = chain_site AND sequence = last_sequence
      AND made_at < now() - interval '5 years'
  ) THEN
    RAISE EXCEPTION 'no anchor of that age covers the cut' USING ERRCODE = 'AF001';
  END IF;
  IF EXISTS (
    SELECT FROM public.audit_record WHERE site_id = chain_site AND sequence <= last_sequence
      AND at >= now() - interval '5 years'
  ) THEN
    RAISE EXCEPTION 'the cut is younger than five years' USING ERRCODE = 'AF001';
  END IF;
  DELETE FROM public.audit_record WHERE site_id = chain_site AND sequence <= last_sequence;
  GET DIAGNOSTICS removed = ROW_COUNT;
  RETURN removed;
END $$;
REVOKE ALL ON FUNCTION audit_cut(TEXT, BIGINT) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION audit_cut(TEXT, BIGINT) TO aifi_access;
`;

const TABLES = [
  'session',
  'idempotency_key',
  'approval',
  'audit_head',
  'audit_record',
  'audit_anchor',
  'audit_shipping',
] as const;
const security = (table: string): string => `
ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY;
ALTER TABLE ${table} FORCE ROW LEVEL SECURITY;
CREATE POLICY all_access ON ${table} TO aifi_access USING (true) WITH CHECK (true);`;

const OWN_SITE = `site_id = NULLIF(current_setting('app.site_id', true), '')`;
const RIGHTS = `
GRANT SELECT, INSERT, DELETE ON session TO aifi_access;
GRANT UPDATE (roles, site_ids, last_seen_at, checked_at, stepped_up_at, sealed_tokens)
  ON session TO aifi_access;
GRANT SELECT, INSERT, UPDATE, DELETE ON idempotency_key TO aifi_access;
GRANT SELECT, INSERT ON approval TO aifi_access;
GRANT UPDATE (state, decided_by, decided_by_name, decided_at, decision_reason, granted_until,
  ended_at) ON approval TO aifi_access;
GRANT SELECT, INSERT, UPDATE (sequence, hash) ON audit_head TO aifi_access;
GRANT SELECT, INSERT ON audit_record TO aifi_access;
GRANT SELECT, INSERT ON audit_anchor TO aifi_access;
GRANT SELECT, INSERT, UPDATE (sequence) ON audit_shipping TO aifi_access;
CREATE POLICY access_site_names ON site FOR SELECT TO aifi_access USING (true);
GRANT SELECT (site_id) ON site TO aifi_access;

CREATE POLICY own_chain ON audit_head TO aifi_app USING (${OWN_SITE}) WITH CHECK (${OWN_SITE});
GRANT SELECT, INSERT, UPDATE (sequence, hash) ON audit_head TO aifi_app;
CREATE POLICY own_chain ON audit_record FOR INSERT TO aifi_app WITH CHECK (${OWN_SITE});
GRANT INSERT ON audit_record TO aifi_app;
CREATE POLICY own_anchors ON audit_anchor FOR SELECT TO aifi_app USING (${OWN_SITE});
GRANT SELECT ON audit_anchor TO aifi_app;

-- FORCE binds the owner too: audit_cut may see and remove, the trigger decides what.
CREATE POLICY retention_sees ON audit_record FOR SELECT TO CURRENT_USER USING (true);
CREATE POLICY retention_cuts ON audit_record FOR DELETE TO CURRENT_USER USING (true);
CREATE POLICY retention_sees ON audit_anchor FOR SELECT TO CURRENT_USER USING (true);
`;

export class CreateAccessTables1795253833691 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(PERSONS);
    await runner.query(TRAIL);
    await runner.query(RULES);
    for (const table of TABLES) await runner.query(security(table));
    await runner.query(RIGHTS);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP POLICY access_site_names ON site');
    await runner.query('REVOKE ALL ON site FROM aifi_access');
    for (const table of TABLES.toReversed()) await runner.query(`DROP TABLE ${table}`);
    await runner.query('DROP FUNCTION audit_cut, audit_keep_young, audit_keep, audit_continue');
  }
}
