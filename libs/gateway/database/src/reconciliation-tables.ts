/**
 * Tables of reconciliation, of parse attempts and of the check of digests.
 * Decides that studies which did not come have a list of their own, with no patient attribute.
 * Source: reliability specification 2 (P0 attempt counter, T-REC, nightly digest re-check).
 */
export const RECONCILIATION_TABLES = `
-- Studies that the PACS has and a rule could have selected, but that did not come, or not whole.
CREATE TABLE missed_study (
  missed_id INTEGER PRIMARY KEY,
  study_uid TEXT NOT NULL UNIQUE,
  -- MISSED: nothing of those series came; PARTLY: some of it
  kind TEXT NOT NULL,
  -- OPEN, then RECEIVED (it came after all) or DISMISSED (by a person)
  state TEXT NOT NULL,
  -- JSON {series: instances that the PACS counts}
  series TEXT NOT NULL,
  -- JSON lists: modalities, and products that could have taken it
  modalities TEXT NOT NULL,
  products TEXT NOT NULL,
  -- as the PACS dates the study
  study_ms INTEGER NOT NULL,
  found_ms INTEGER NOT NULL,
  decided_ms INTEGER
) STRICT;
CREATE INDEX missed_study_open ON missed_study (found_ms, missed_id) WHERE state = 'OPEN';
-- The moves of one job in their order.
CREATE INDEX journal_by_job ON journal (job_id, sequence) WHERE job_id IS NOT NULL;
-- Jobs whose parsing was begun and not ended: the process died in it, so often.
CREATE TABLE work_attempt (
  job_id TEXT NOT NULL REFERENCES job,
  stage TEXT NOT NULL,
  attempts INTEGER NOT NULL,
  last_ms INTEGER NOT NULL,
  PRIMARY KEY (job_id, stage)
) STRICT, WITHOUT ROWID;
-- Where the nightly check of digests is, and how its last pass ended.
CREATE TABLE digest_pass (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  started_ms INTEGER NOT NULL,
  -- NULL: it goes on
  finished_ms INTEGER,
  kind TEXT NOT NULL,
  -- last row that was read
  position INTEGER NOT NULL,
  files INTEGER NOT NULL,
  size_bytes INTEGER NOT NULL
) STRICT;
-- Files whose bytes are not those on record.
CREATE TABLE damaged_file (
  kind TEXT NOT NULL,
  -- key of its row in the table of its kind
  position INTEGER NOT NULL,
  sha256 TEXT NOT NULL,
  found_ms INTEGER NOT NULL,
  PRIMARY KEY (kind, position, sha256)
) STRICT, WITHOUT ROWID`;
