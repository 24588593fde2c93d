/**
 * Tables of access.db: who is signed in, who agreed to what, and the audit trail.
 * Decides what can never change: a record, an anchor, a retention cut. A record is kept as the
 * canonical JSON that its hash covers; the columns that queries use are derived from it.
 * Invariants are enforced by triggers, not by the code that writes: a chain has no gap, and a
 * record goes only behind a cut that is five years old. Source: security specification 5; NEN 7513.
 */
import type { Migration } from '@aifi/gateway-database';

/** The shortest five years: one leap day. @unit ms @source security specification 5 (retention) */
const RETENTION_MS_MIN = (5 * 365 + 1) * 86_400_000;

const keptForever = (table: string, key: string): string => `
CREATE TRIGGER ${table}_is_immutable BEFORE UPDATE ON ${table}
BEGIN SELECT RAISE(ABORT, 'a row of the audit trail never changes'); END;
CREATE TRIGGER ${table}_keeps_rows BEFORE DELETE ON ${table}
BEGIN SELECT RAISE(ABORT, 'a row of the audit trail is kept'); END;
-- REPLACE deletes without a delete trigger
CREATE TRIGGER ${table}_is_not_replaced BEFORE INSERT ON ${table}
WHEN EXISTS (SELECT 1 FROM ${table} WHERE ${key})
BEGIN SELECT RAISE(ABORT, 'a row of the audit trail never changes'); END;`;

const SESSIONS = `
CREATE TABLE session (
  -- SHA-256 of the cookie's value
  id_hash TEXT PRIMARY KEY,
  user_id TEXT NOT NULL,
  user_name TEXT NOT NULL,
  -- JSON lists
  roles TEXT NOT NULL,
  site_ids TEXT NOT NULL,
  csrf_token TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  last_seen_ms INTEGER NOT NULL,
  checked_ms INTEGER NOT NULL,
  stepped_up_ms INTEGER,
  provider_session_id TEXT,
  -- AES-256-GCM with the session key, which is in a file of its own
  sealed_tokens TEXT
) STRICT;
CREATE INDEX session_by_provider ON session (provider_session_id);
CREATE INDEX session_by_user ON session (user_id);
CREATE INDEX session_by_last_seen ON session (last_seen_ms);
CREATE TABLE idempotency (
  user_id TEXT NOT NULL,
  key TEXT NOT NULL,
  -- of act and request: the same key with another request is refused
  request_sha256 TEXT NOT NULL,
  answer TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  PRIMARY KEY (user_id, key)
) STRICT;
CREATE INDEX idempotency_by_age ON idempotency (at_ms);`;

const APPROVALS = `
CREATE TABLE approval (
  id TEXT PRIMARY KEY,
  act TEXT NOT NULL,
  site_id TEXT NOT NULL,
  object_id TEXT NOT NULL,
  reason TEXT NOT NULL,
  state TEXT NOT NULL,
  requested_by TEXT NOT NULL,
  requested_by_name TEXT NOT NULL,
  requested_ms INTEGER NOT NULL,
  expires_ms INTEGER NOT NULL,
  decided_by TEXT,
  decided_by_name TEXT,
  decided_ms INTEGER,
  decision_reason TEXT,
  granted_until_ms INTEGER,
  ended_ms INTEGER,
  -- the second person is another person, whatever the code above says
  CHECK (decided_by IS NULL OR decided_by <> requested_by),
  CHECK (state <> 'APPROVED' OR (decided_by IS NOT NULL AND granted_until_ms IS NOT NULL))
) STRICT;
CREATE INDEX approval_newest ON approval (requested_ms, id);
CREATE INDEX approval_granted ON approval (requested_by, object_id, act)
  WHERE state = 'APPROVED';`;

const AUDIT = `
CREATE TABLE audit_head (
  chain TEXT PRIMARY KEY,
  sequence INTEGER NOT NULL,
  hash TEXT NOT NULL
) STRICT;
CREATE TABLE audit_record (
  chain TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  -- canonical JSON of the whole record, hash included
  record TEXT NOT NULL,
  hash TEXT NOT NULL GENERATED ALWAYS AS (json_extract(record, '$.hash')) STORED,
  at_ms INTEGER NOT NULL GENERATED ALWAYS AS (json_extract(record, '$.atMs')) STORED,
  act TEXT NOT NULL GENERATED ALWAYS AS (json_extract(record, '$.act')) STORED,
  user_id TEXT NOT NULL GENERATED ALWAYS AS (json_extract(record, '$.userId')) STORED,
  outcome TEXT NOT NULL GENERATED ALWAYS AS (json_extract(record, '$.outcome')) STORED,
  site_id TEXT NOT NULL GENERATED ALWAYS AS (json_extract(record, '$.siteId')) STORED,
  object_id TEXT NOT NULL GENERATED ALWAYS AS (json_extract(record, '$.objectId')) STORED,
  PRIMARY KEY (chain, sequence)
) STRICT;
CREATE INDEX audit_record_newest ON audit_record (at_ms, chain, sequence);
CREATE INDEX audit_record_by_act ON audit_record (act, at_ms, chain, sequence);
CREATE INDEX audit_record_by_user ON audit_record (user_id, at_ms, chain, sequence);
CREATE INDEX audit_record_by_object ON audit_record (object_id, at_ms, chain, sequence);
CREATE INDEX audit_record_by_outcome ON audit_record (outcome, at_ms, chain, sequence);
-- whom a record is about: one patient, or each one that a list showed
CREATE TABLE audit_patient (
  patient_id TEXT NOT NULL,
  chain TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  PRIMARY KEY (patient_id, chain, sequence)
) STRICT, WITHOUT ROWID;
CREATE INDEX audit_patient_by_record ON audit_patient (chain, sequence);
-- a journal row of the pipeline that has its record
CREATE TABLE audit_of_journal (
  journal_sequence INTEGER PRIMARY KEY,
  chain TEXT NOT NULL,
  sequence INTEGER NOT NULL
) STRICT;
CREATE TABLE journal_cursor (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  sequence INTEGER NOT NULL
) STRICT;
-- what retention has cut: records before before_ms, up to one of known hash
CREATE TABLE audit_cut (
  chain TEXT NOT NULL,
  through_sequence INTEGER NOT NULL,
  through_hash TEXT NOT NULL,
  before_ms INTEGER NOT NULL,
  made_ms INTEGER NOT NULL,
  PRIMARY KEY (chain, through_sequence),
  CHECK (before_ms <= made_ms - ${RETENTION_MS_MIN})
) STRICT;
CREATE TABLE audit_anchor (
  chain TEXT NOT NULL,
  day TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  anchor TEXT NOT NULL,
  PRIMARY KEY (chain, day)
) STRICT;
-- the ends of the hub's chain about this site, kept where the hub cannot reach
CREATE TABLE hub_anchor (
  chain TEXT NOT NULL,
  day TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  hash TEXT NOT NULL,
  anchor TEXT NOT NULL,
  PRIMARY KEY (chain, day)
) STRICT;
-- the hub said two things of one day
CREATE TABLE hub_anchor_contradiction (
  chain TEXT NOT NULL,
  day TEXT NOT NULL,
  hash TEXT NOT NULL,
  anchor TEXT NOT NULL,
  seen_ms INTEGER NOT NULL,
  PRIMARY KEY (chain, day, hash)
) STRICT;
CREATE TABLE audit_shipping (
  destination TEXT NOT NULL,
  chain TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  PRIMARY KEY (destination, chain)
) STRICT;
CREATE TRIGGER audit_record_follows BEFORE INSERT ON audit_record
WHEN NEW.sequence <> 1 + COALESCE((SELECT sequence FROM audit_head WHERE chain = NEW.chain), 0)
BEGIN SELECT RAISE(ABORT, 'a chain has no gap'); END;
CREATE TRIGGER audit_record_is_immutable BEFORE UPDATE ON audit_record
BEGIN SELECT RAISE(ABORT, 'a row of the audit trail never changes'); END;
CREATE TRIGGER audit_record_keeps_rows BEFORE DELETE ON audit_record
WHEN OLD.sequence > COALESCE(
    (SELECT MAX(through_sequence) FROM audit_cut WHERE chain = OLD.chain), 0)
  OR OLD.at_ms >= (SELECT MAX(before_ms) FROM audit_cut WHERE chain = OLD.chain)
BEGIN SELECT RAISE(ABORT, 'a row of the audit trail is kept'); END;
CREATE TRIGGER audit_head_keeps_rows BEFORE DELETE ON audit_head
BEGIN SELECT RAISE(ABORT, 'a row of the audit trail is kept'); END;
CREATE TRIGGER audit_head_rises BEFORE UPDATE ON audit_head
WHEN NEW.sequence <> OLD.sequence + 1 OR NEW.chain <> OLD.chain
BEGIN SELECT RAISE(ABORT, 'a chain has no gap'); END;
${keptForever('audit_cut', 'chain = NEW.chain AND through_sequence = NEW.through_sequence')}
${keptForever('audit_anchor', 'chain = NEW.chain AND day = NEW.day')}
${keptForever('hub_anchor', 'chain = NEW.chain AND day = NEW.day')}
${keptForever('audit_of_journal', 'journal_sequence = NEW.journal_sequence')}`;

const VAULT_ACTS = `
-- an act of the vault that has its record, by the HMAC that chains it there: numbers come again
CREATE TABLE audit_of_vault_act (
  act_hash TEXT PRIMARY KEY,
  chain TEXT NOT NULL,
  sequence INTEGER NOT NULL
) STRICT;
-- the act read last
CREATE TABLE vault_act_cursor (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  sequence INTEGER NOT NULL,
  act_hash TEXT NOT NULL
) STRICT;
${keptForever('audit_of_vault_act', 'act_hash = NEW.act_hash')}`;

const PRIVACY = `
CREATE TABLE patient_flag (
  id TEXT PRIMARY KEY,
  patient_id TEXT NOT NULL,
  issuer TEXT,
  -- vip or own-staff
  kind TEXT NOT NULL,
  since_ms INTEGER NOT NULL,
  set_by TEXT NOT NULL,
  removed_ms INTEGER,
  removed_by TEXT
) STRICT;
CREATE UNIQUE INDEX patient_flag_in_force ON patient_flag (patient_id, COALESCE(issuer, ''))
  WHERE removed_ms IS NULL;
CREATE INDEX patient_flag_newest ON patient_flag (since_ms, id) WHERE removed_ms IS NULL;
CREATE TABLE alert (
  id TEXT PRIMARY KEY,
  at_ms INTEGER NOT NULL,
  kind TEXT NOT NULL,
  masked TEXT NOT NULL,
  user_id TEXT NOT NULL,
  user_name TEXT NOT NULL,
  study_uid TEXT NOT NULL,
  reason TEXT NOT NULL,
  acknowledged_ms INTEGER,
  acknowledged_by TEXT
) STRICT;
CREATE INDEX alert_newest ON alert (at_ms, id);
CREATE INDEX alert_open ON alert (at_ms) WHERE acknowledged_ms IS NULL`;

export const ACCESS_MIGRATIONS: readonly Migration[] = [
  { version: 1, up: [SESSIONS, APPROVALS, AUDIT, PRIVACY].join('\n') },
  {
    version: 2,
    up: `
-- 1: what was ordered and has not been answered yet, for an effect outside of this database
ALTER TABLE idempotency ADD COLUMN is_order INTEGER NOT NULL DEFAULT 0`,
  },
  { version: 3, up: VAULT_ACTS },
];
