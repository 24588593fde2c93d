/**
 * Tables of the ways in: how an instance came, what was asked for by name, what came back.
 * Decides that a product is asked for per study, so that it counts for later revisions, too, and
 * that an object of our own which comes back has a count instead of a row of its study.
 * Invariant: no patient attribute. Source: features 37 (manual send); governance 4.3 (loop guard).
 */
export const INTAKE_TABLES = `
-- dimse, web, folder or retrieved
ALTER TABLE instance ADD COLUMN way TEXT NOT NULL DEFAULT 'dimse';
-- AE title of ours that was called; empty where there is none
ALTER TABLE instance ADD COLUMN called_ae TEXT NOT NULL DEFAULT '';
-- Products that were asked for by name.
CREATE TABLE product_request (
  request_id INTEGER PRIMARY KEY,
  study_uid TEXT NOT NULL,
  product TEXT NOT NULL,
  -- ae-title, page, command-line, order or rule (of retrieval)
  source TEXT NOT NULL,
  -- acute or routine; NULL: lane of the product
  lane TEXT,
  requested_ms INTEGER NOT NULL,
  -- last image that asked for the same: one push is one request
  last_ms INTEGER NOT NULL DEFAULT 0,
  -- when select had answered it; NULL: not yet
  taken_ms INTEGER,
  -- what select answered: SELECTED, or the code that stays in the way
  answer TEXT
) STRICT;
CREATE INDEX product_request_by_study ON product_request (study_uid, product);
CREATE INDEX product_request_open ON product_request (requested_ms) WHERE taken_ms IS NULL;
-- Objects of our own that were sent to us: no new revision, no job.
CREATE TABLE returned_object (
  sop_instance_uid TEXT PRIMARY KEY,
  study_uid TEXT NOT NULL,
  series_uid TEXT NOT NULL,
  calling_ae TEXT NOT NULL,
  first_ms INTEGER NOT NULL,
  last_ms INTEGER NOT NULL,
  count INTEGER NOT NULL
) STRICT;
CREATE INDEX returned_object_by_study ON returned_object (study_uid)`;
