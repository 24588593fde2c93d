/**
 * Table of retrievals: studies that the gateway fetches from the PACS.
 * Decides that a study is fetched once at a time, whoever asked, and that an end is kept with its
 * reason. Invariant: no patient attribute, and no accession number: it is looked up and forgotten.
 * Source: features 4 (query and retrieve); reliability specification H15.
 */
export const RETRIEVAL_TABLES = `
CREATE TABLE retrieval (
  retrieval_id INTEGER PRIMARY KEY,
  study_uid TEXT NOT NULL,
  -- NULL: the whole study
  series_uid TEXT,
  -- by-hand, missed, order, prior or rule
  cause TEXT NOT NULL,
  -- what is to be run on it by name; NULL: what the rules say
  product TEXT,
  -- QUEUED, then DONE or FAILED
  state TEXT NOT NULL,
  -- why it is not done: of the last try while QUEUED, for good when FAILED; both are fixed words
  code TEXT,
  reason TEXT,
  -- fetches that were begun
  attempts INTEGER NOT NULL DEFAULT 0,
  next_attempt_ms INTEGER NOT NULL,
  -- images as the PACS listed them last, and how many of those are here; NULL: not known yet
  expected INTEGER,
  received INTEGER,
  created_ms INTEGER NOT NULL,
  ended_ms INTEGER
) STRICT;
CREATE UNIQUE INDEX retrieval_open ON retrieval (study_uid) WHERE state = 'QUEUED';
CREATE INDEX retrieval_due ON retrieval (next_attempt_ms) WHERE state = 'QUEUED';
CREATE INDEX retrieval_by_study ON retrieval (study_uid);
CREATE INDEX retrieval_ended ON retrieval (ended_ms) WHERE state <> 'QUEUED'`;
