/**
 * Tables of the gateway's pipeline database, in the order of the data.
 * Decides keys and states; the linkage between identity and pseudonym is not here but in the vault.
 * Invariants: job.state moves only through moveJob; (study, revision, product) has one job.
 * Source: architecture 2 (states), reliability specification 2 (P0-P6).
 */
import { DECISION_TABLES } from './decision-tables.js';
import { CATALOGUE_TABLES, OBJECTION_TABLES } from './consent-tables.js';
import type { Migration } from './gateway-database.js';
import { INTAKE_TABLES } from './intake-tables.js';
import { HL7_TABLES } from './hl7-tables.js';
import { RECONCILIATION_TABLES } from './reconciliation-tables.js';
import { RETRIEVAL_TABLES } from './retrieval-tables.js';
import { REVISION_TABLES } from './revision-tables.js';

export const GATEWAY_MIGRATIONS: readonly Migration[] = [
  {
    version: 1,
    up: `
CREATE TABLE study (
  study_id INTEGER PRIMARY KEY,
  study_uid TEXT NOT NULL UNIQUE,
  -- last revision that was closed; 0: none yet
  revision INTEGER NOT NULL DEFAULT 0,
  -- monotonic order of arrival decides, this time only feeds the quiet timer
  last_received_ms INTEGER NOT NULL
) STRICT;
CREATE TABLE instance (
  instance_id INTEGER PRIMARY KEY,
  study_id INTEGER NOT NULL REFERENCES study,
  series_uid TEXT NOT NULL,
  sop_instance_uid TEXT NOT NULL,
  sop_class_uid TEXT NOT NULL,
  transfer_syntax_uid TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  size_bytes INTEGER NOT NULL,
  path TEXT NOT NULL,
  -- InstanceHeader as JSON: what assemble and select need, no name and no patient id
  header TEXT NOT NULL,
  calling_ae TEXT NOT NULL,
  received_ms INTEGER NOT NULL,
  -- first revision that holds it; NULL: in none yet
  revision INTEGER,
  -- 1: same SOP Instance UID as another row, other bytes
  conflict INTEGER NOT NULL DEFAULT 0,
  UNIQUE (sop_instance_uid, sha256)
) STRICT;
CREATE INDEX instance_open ON instance (study_id) WHERE revision IS NULL;
CREATE INDEX instance_by_study ON instance (study_id, series_uid);
CREATE TABLE study_revision (
  study_id INTEGER NOT NULL REFERENCES study,
  revision INTEGER NOT NULL,
  closed_ms INTEGER NOT NULL,
  -- ASSEMBLED, then SELECTED
  state TEXT NOT NULL,
  PRIMARY KEY (study_id, revision)
) STRICT;
CREATE INDEX study_revision_open ON study_revision (state) WHERE state = 'ASSEMBLED';
CREATE TABLE job (
  job_id TEXT PRIMARY KEY,
  study_id INTEGER NOT NULL,
  revision INTEGER NOT NULL,
  product TEXT NOT NULL,
  product_version TEXT NOT NULL,
  model_digest TEXT NOT NULL,
  lane TEXT NOT NULL,
  -- the series that the product takes; NULL when nothing is eligible
  series_uid TEXT,
  rule_set_sha256 TEXT NOT NULL,
  -- JSON [{rule, verdict}]
  attestations TEXT NOT NULL,
  state TEXT NOT NULL,
  code TEXT,
  detail TEXT,
  created_ms INTEGER NOT NULL,
  terminal_ms INTEGER,
  UNIQUE (study_id, revision, product),
  FOREIGN KEY (study_id, revision) REFERENCES study_revision
) STRICT;
CREATE INDEX job_by_state ON job (state);
CREATE TABLE spool_job (
  job_id TEXT PRIMARY KEY REFERENCES job,
  revision INTEGER NOT NULL,
  manifest BLOB NOT NULL,
  manifest_sha256 TEXT NOT NULL,
  envelope BLOB NOT NULL,
  -- QUEUED, then STORED (StudyAck received)
  state TEXT NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  next_attempt_ms INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX spool_job_queued ON spool_job (next_attempt_ms) WHERE state = 'QUEUED';
CREATE TABLE spool_object (
  job_id TEXT NOT NULL REFERENCES spool_job,
  sha256 TEXT NOT NULL,
  size_bytes INTEGER NOT NULL,
  path TEXT NOT NULL,
  acked INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (job_id, sha256)
) STRICT;
CREATE TABLE inbound (
  job_id TEXT NOT NULL REFERENCES job,
  revision INTEGER NOT NULL,
  issue INTEGER NOT NULL,
  sequence INTEGER NOT NULL,
  manifest BLOB NOT NULL,
  envelope BLOB NOT NULL,
  -- RECEIVED, then DONE or QUARANTINED
  state TEXT NOT NULL,
  received_ms INTEGER NOT NULL,
  PRIMARY KEY (job_id, revision, issue)
) STRICT;
CREATE INDEX inbound_received ON inbound (sequence) WHERE state = 'RECEIVED';
CREATE TABLE inbound_object (
  job_id TEXT NOT NULL,
  revision INTEGER NOT NULL,
  issue INTEGER NOT NULL,
  output_index INTEGER NOT NULL,
  path TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  size_bytes INTEGER NOT NULL,
  PRIMARY KEY (job_id, revision, issue, output_index),
  FOREIGN KEY (job_id, revision, issue) REFERENCES inbound
) STRICT;
CREATE TABLE delivery (
  job_id TEXT NOT NULL REFERENCES job,
  issue INTEGER NOT NULL,
  output_index INTEGER NOT NULL,
  role TEXT NOT NULL,
  sop_class_uid TEXT NOT NULL,
  series_uid TEXT NOT NULL,
  sop_instance_uid TEXT NOT NULL UNIQUE,
  path TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  -- QUEUED, STORED (C-STORE answered), VERIFIED (PACS lists it), DEAD
  state TEXT NOT NULL,
  -- last DIMSE status, NULL before the first answer
  dimse_status INTEGER,
  attempts INTEGER NOT NULL DEFAULT 0,
  next_attempt_ms INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (job_id, issue, output_index)
) STRICT;
CREATE INDEX delivery_open ON delivery (next_attempt_ms) WHERE state IN ('QUEUED', 'STORED');
CREATE TABLE journal (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  study_id INTEGER NOT NULL REFERENCES study,
  job_id TEXT,
  stage TEXT NOT NULL,
  event TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  -- numbers and digests only, never identity
  detail TEXT NOT NULL DEFAULT '{}'
) STRICT;
CREATE INDEX journal_by_study ON journal (study_id);
CREATE TABLE setting (
  key TEXT PRIMARY KEY,
  value BLOB NOT NULL
) STRICT`,
  },
  {
    version: 2,
    up: `
-- Issue of the study's status object that tells how the job ended; -1: only the gateway's page;
-- NULL: not told yet. What ended before there were status objects is not told afterwards.
ALTER TABLE job ADD COLUMN told_issue INTEGER;
UPDATE job SET told_issue = -1 WHERE state IN ('RESULT_IN_PACS', 'NOT_ANALYSED_NOTIFIED');
CREATE INDEX job_untold ON job (study_id)
  WHERE told_issue IS NULL AND state IN ('RESULT_IN_PACS', 'NOT_ANALYSED_NOTIFIED');
CREATE TABLE status_object (
  study_id INTEGER NOT NULL REFERENCES study,
  issue INTEGER NOT NULL,
  -- revision whose products it tells of
  revision INTEGER NOT NULL,
  -- the job whose id is in its UIDs
  job_id TEXT NOT NULL REFERENCES job,
  sop_class_uid TEXT NOT NULL,
  series_uid TEXT NOT NULL,
  sop_instance_uid TEXT NOT NULL UNIQUE,
  path TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  -- digest of what it tells, without the time
  content_sha256 TEXT NOT NULL,
  -- as delivery.state, and SUPERSEDED: the next issue came before the first try
  state TEXT NOT NULL,
  dimse_status INTEGER,
  attempts INTEGER NOT NULL DEFAULT 0,
  next_attempt_ms INTEGER NOT NULL DEFAULT 0,
  -- code of the error catalogue: why the last try failed
  last_fault TEXT,
  created_ms INTEGER NOT NULL,
  PRIMARY KEY (study_id, issue)
) STRICT;
CREATE INDEX status_object_open ON status_object (next_attempt_ms)
  WHERE state IN ('QUEUED', 'STORED')`,
  },
  {
    version: 3,
    up: `
CREATE TABLE receive_refusal (
  refusal_id INTEGER PRIMARY KEY,
  -- start of the minute that is counted
  at_ms INTEGER NOT NULL,
  -- as the sender named itself, when that is an AE title at all
  calling_ae TEXT NOT NULL,
  -- association, context, object or stream
  what TEXT NOT NULL,
  -- code of the error catalogue
  code TEXT NOT NULL,
  -- C-STORE status that was answered; -1: none was
  dimse_status INTEGER NOT NULL,
  count INTEGER NOT NULL,
  UNIQUE (at_ms, calling_ae, what, code, dimse_status)
) STRICT;
-- codes of the error catalogue: why the last try failed
ALTER TABLE spool_job ADD COLUMN last_fault TEXT;
ALTER TABLE delivery ADD COLUMN last_fault TEXT`,
  },
  {
    version: 4,
    up: `
-- When a study began to arrive: it never changes, so a list by it stays in place while rows come
-- in. A table of its own, filled by the database, so that no stage has to think of it.
CREATE TABLE study_arrival (
  first_received_ms INTEGER NOT NULL,
  study_id INTEGER NOT NULL REFERENCES study,
  PRIMARY KEY (first_received_ms, study_id)
) STRICT, WITHOUT ROWID;
INSERT INTO study_arrival
  SELECT COALESCE((SELECT MIN(received_ms) FROM instance i WHERE i.study_id = s.study_id),
    s.last_received_ms), s.study_id FROM study s;
CREATE TRIGGER study_arrives AFTER INSERT ON study
BEGIN INSERT INTO study_arrival VALUES (NEW.last_received_ms, NEW.study_id); END`,
  },
  {
    version: 5,
    up: `
-- When retention removed the file; NULL: it is still owed to somebody.
ALTER TABLE instance ADD COLUMN removed_ms INTEGER;
CREATE INDEX instance_kept ON instance (study_id) WHERE removed_ms IS NULL;
ALTER TABLE delivery ADD COLUMN removed_ms INTEGER;
ALTER TABLE status_object ADD COLUMN removed_ms INTEGER;
-- Last storage commitment that was asked for the object; NULL: none.
ALTER TABLE delivery ADD COLUMN transaction_uid TEXT;
ALTER TABLE status_object ADD COLUMN transaction_uid TEXT;
-- Dead letters: since when, why (code of the error catalogue), how often sent again by a person.
ALTER TABLE delivery ADD COLUMN dead_ms INTEGER;
ALTER TABLE delivery ADD COLUMN dead_code TEXT;
ALTER TABLE delivery ADD COLUMN replays INTEGER NOT NULL DEFAULT 0;
ALTER TABLE status_object ADD COLUMN dead_ms INTEGER;
ALTER TABLE status_object ADD COLUMN dead_code TEXT;
ALTER TABLE status_object ADD COLUMN replays INTEGER NOT NULL DEFAULT 0;
CREATE INDEX delivery_dead ON delivery (dead_ms) WHERE state = 'DEAD';
CREATE INDEX status_object_dead ON status_object (dead_ms) WHERE state = 'DEAD';
UPDATE delivery SET dead_code = 'PEER_REFUSED',
  dead_ms = COALESCE((SELECT terminal_ms FROM job WHERE job.job_id = delivery.job_id), 0)
  WHERE state = 'DEAD';
UPDATE status_object SET dead_code = 'PEER_REFUSED', dead_ms = created_ms WHERE state = 'DEAD';
CREATE TABLE storage_commitment (
  transaction_uid TEXT PRIMARY KEY,
  requested_ms INTEGER NOT NULL,
  -- REQUESTED, then REPORTED or EXPIRED
  state TEXT NOT NULL
) STRICT;
CREATE INDEX storage_commitment_open ON storage_commitment (requested_ms)
  WHERE state = 'REQUESTED';
-- When a person had an ended job taken up again; its deadline counts from here.
ALTER TABLE job ADD COLUMN reopened_ms INTEGER;
CREATE TABLE refusal_with_reason (
  refusal_id INTEGER PRIMARY KEY,
  at_ms INTEGER NOT NULL,
  calling_ae TEXT NOT NULL,
  what TEXT NOT NULL,
  code TEXT NOT NULL,
  dimse_status INTEGER NOT NULL,
  -- what was wrong with an object, in fixed words; empty for everything else
  reason TEXT NOT NULL DEFAULT '',
  count INTEGER NOT NULL,
  UNIQUE (at_ms, calling_ae, what, code, dimse_status, reason)
) STRICT;
INSERT INTO refusal_with_reason
  SELECT refusal_id, at_ms, calling_ae, what, code, dimse_status, '', count FROM receive_refusal;
DROP TABLE receive_refusal;
ALTER TABLE refusal_with_reason RENAME TO receive_refusal;
-- Objects that were in hand when the listener died; at three they are poison.
CREATE TABLE receive_attempt (
  sop_instance_uid TEXT PRIMARY KEY,
  attempts INTEGER NOT NULL,
  last_ms INTEGER NOT NULL
) STRICT`,
  },
  {
    version: 6,
    up: `
-- DeidentificationContract of the product as JSON, of the rules that selected the job.
-- NULL: the default one.
ALTER TABLE job ADD COLUMN deidentification TEXT;
-- Images that a person has to look at before they may leave.
CREATE TABLE pixel_hold (
  hold_id INTEGER PRIMARY KEY,
  job_id TEXT NOT NULL REFERENCES job,
  -- digest of the received file
  sha256 TEXT NOT NULL,
  -- why, in fixed words
  reason TEXT NOT NULL,
  -- JSON [{frame, x, y, width, height}] in pixels from the upper left corner: where, never what
  findings TEXT NOT NULL,
  -- WAITING, then RELEASED or REJECTED
  state TEXT NOT NULL,
  held_ms INTEGER NOT NULL,
  decided_ms INTEGER,
  UNIQUE (job_id, sha256)
) STRICT;
CREATE INDEX pixel_hold_waiting ON pixel_hold (held_ms) WHERE state = 'WAITING'`,
  },
  {
    version: 7,
    up: `
-- Tries that the hub answered with a refusal: after some of them it is for good.
ALTER TABLE spool_job ADD COLUMN refusals INTEGER NOT NULL DEFAULT 0`,
  },
  {
    version: 8,
    up: `
-- The newest kill state of the hub, one row: which products may not be used.
CREATE TABLE kill_state (
  only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
  -- never goes back
  sequence INTEGER NOT NULL,
  state BLOB NOT NULL,
  signature BLOB NOT NULL,
  -- by our own clock: its age counts from here, and the hub was heard then
  received_ms INTEGER NOT NULL
) STRICT`,
  },
  {
    version: 9,
    up: RECONCILIATION_TABLES,
  },
  {
    version: 10,
    up: `
-- backup and take-over
SELECT 1`,
  },
  {
    version: 11,
    up: INTAKE_TABLES,
  },
  {
    version: 12,
    up: HL7_TABLES,
  },
  {
    version: 13,
    up: OBJECTION_TABLES,
  },
  {
    version: 14,
    up: CATALOGUE_TABLES,
  },
  {
    version: 15,
    up: REVISION_TABLES,
  },
  {
    version: 16,
    up: DECISION_TABLES,
  },
  {
    version: 17,
    up: RETRIEVAL_TABLES,
  },
  {
    version: 18,
    up: `
-- How each check of the set-up ended the last time.
CREATE TABLE setup_check (
  name TEXT PRIMARY KEY,
  state TEXT NOT NULL,
  -- JSON [{code, facts}]: addresses and AE titles, nothing of a patient
  findings TEXT NOT NULL,
  -- the PACS that was asked, as title at host:port
  target TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  duration_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
-- Runs of the probe, the newest of some days.
CREATE TABLE probe_run (
  probe_id INTEGER PRIMARY KEY,
  at_ms INTEGER NOT NULL,
  duration_ms INTEGER NOT NULL,
  -- step that failed, and its code; NULL: all went well
  failed_at TEXT,
  code TEXT
) STRICT`,
  },
];
