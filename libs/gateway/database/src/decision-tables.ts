/**
 * Tables of the decisions of select: every product's verdict, and what it rested on.
 * Decides that the facts lie beside the decisions, so that a stored study can be explained, and
 * judged again by other rules. They go after their time; the decisions stay as the journal does.
 * Invariant: no patient attribute. Source: governance specification 4.3, 4.7 (RoutingDecision).
 */
export const DECISION_TABLES = `
CREATE TABLE routing_facts (
  -- of the JSON
  sha256 TEXT PRIMARY KEY,
  -- StudyFacts
  facts TEXT NOT NULL,
  -- newest decision that rests on it
  at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX routing_facts_by_time ON routing_facts (at_ms);
CREATE TABLE routing_decision (
  decision_id INTEGER PRIMARY KEY,
  study_id INTEGER NOT NULL REFERENCES study,
  revision INTEGER NOT NULL,
  product TEXT NOT NULL,
  product_version TEXT NOT NULL,
  -- revision, request or newer-rules
  cause TEXT NOT NULL,
  -- allow, deny or review
  verdict TEXT NOT NULL,
  -- JSON list, the decisive one first
  codes TEXT NOT NULL,
  -- JSON list of {code, rule}: words and numbers, never identity
  reasons TEXT NOT NULL,
  facts_sha256 TEXT NOT NULL,
  rule_set_sha256 TEXT NOT NULL,
  at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX routing_decision_by_study ON routing_decision (study_id, revision);
CREATE INDEX routing_decision_by_time ON routing_decision (at_ms)`;
