/**
 * Tables of HL7 messages and of imaging orders.
 * Decides that orders and patients are keyed digests: no name, number, birth date or free text of a
 * message is here. What messages say of an order is kept per attribute with the moment it was said,
 * so that any order of arrival ends the same.
 * Source: HL7 v2 chapters 2 (acknowledgement), 3 and 4; security specification 5.
 */
export const HL7_TABLES = `
-- Messages that were taken: the same one again changes nothing.
CREATE TABLE hl7_message (
  -- digest of sending application, facility and message control id
  message_key TEXT PRIMARY KEY,
  content_key TEXT NOT NULL,
  taken_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX hl7_message_taken ON hl7_message (taken_ms);
-- How often what was answered to whom; the sender as the configuration names it.
CREATE TABLE hl7_tally (
  sender TEXT NOT NULL,
  -- a message type of our own list, or empty
  type TEXT NOT NULL,
  -- AA, AE, AR, or closed
  answer TEXT NOT NULL,
  -- code of HL7 table 0357, or a word of ours
  detail TEXT NOT NULL,
  count INTEGER NOT NULL,
  last_ms INTEGER NOT NULL,
  PRIMARY KEY (sender, type, answer, detail)
) STRICT, WITHOUT ROWID;
-- When messages last said whether a patient objects: what was said before that changes nothing.
CREATE TABLE hl7_consent (
  patient_key TEXT NOT NULL,
  kind TEXT NOT NULL,
  said_at TEXT NOT NULL,
  PRIMARY KEY (patient_key, kind)
) STRICT, WITHOUT ROWID;
-- One procedure of an order. Each attribute has the stamp of the statement that it is from: time,
-- sequence, rank and message, in an order that text has too; empty: nothing was said.
CREATE TABLE imaging_order (
  order_key TEXT PRIMARY KEY,
  accession_key TEXT,
  accession_at TEXT NOT NULL DEFAULT '',
  study_uid TEXT,
  study_at TEXT NOT NULL DEFAULT '',
  -- JSON [scheme:code]
  codes TEXT,
  codes_at TEXT NOT NULL DEFAULT '',
  -- acute or routine
  priority TEXT,
  priority_at TEXT NOT NULL DEFAULT '',
  -- OPEN, CANCELLED or DISCONTINUED
  state TEXT,
  state_at TEXT NOT NULL DEFAULT '',
  -- as the order named the patient; who it is since then follows from patient_move
  patient_key TEXT,
  patient_at TEXT NOT NULL DEFAULT '',
  visit_key TEXT,
  visit_at TEXT NOT NULL DEFAULT '',
  last_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX imaging_order_accession ON imaging_order (accession_key);
CREATE INDEX imaging_order_study ON imaging_order (study_uid);
CREATE INDEX imaging_order_visit ON imaging_order (visit_key);
CREATE INDEX imaging_order_last ON imaging_order (last_ms);
-- Orders went from one patient to another.
CREATE TABLE patient_move (
  from_key TEXT NOT NULL,
  into_key TEXT NOT NULL,
  moved_at TEXT NOT NULL,
  -- MERGE, UNMERGE or MOVE
  kind TEXT NOT NULL,
  -- only the orders of this visit; empty: all
  visit_key TEXT NOT NULL,
  recorded_ms INTEGER NOT NULL,
  PRIMARY KEY (from_key, moved_at, into_key, visit_key)
) STRICT, WITHOUT ROWID;
CREATE INDEX patient_move_recorded ON patient_move (recorded_ms)`;
