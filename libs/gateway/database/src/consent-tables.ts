/**
 * Tables of objections and of the hospital's catalogue of procedures.
 * Decides that both are histories: an objection is never changed or removed, only followed by a
 * withdrawal, and a catalogue is never edited, only followed by a next version.
 * Invariant: a patient is a keyed digest here, never a number.
 * Source: governance specification 4.3 (objection first; procedure codes before image tags).
 */
export const OBJECTION_TABLES = `
CREATE TABLE objection (
  objection_id INTEGER PRIMARY KEY,
  -- patientKeyOf of the number: hexadecimal
  patient_key TEXT NOT NULL,
  kind TEXT NOT NULL,
  -- set, or withdrawn: then everything that was set before is over
  event TEXT NOT NULL,
  -- list, adt, fhir or person
  source TEXT NOT NULL,
  -- of what was set; NULL: of a withdrawal, or without an end
  since_ms INTEGER,
  until_ms INTEGER,
  recorded_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX objection_of_patient ON objection (patient_key, kind, objection_id);
CREATE TRIGGER objection_stays BEFORE UPDATE ON objection
BEGIN SELECT RAISE(ABORT, 'an objection is never changed'); END;
CREATE TRIGGER objection_is_kept BEFORE DELETE ON objection
BEGIN SELECT RAISE(ABORT, 'an objection is never removed'); END;
-- What was set and not withdrawn since; the reader compares since and until with its time.
CREATE VIEW objection_standing AS
  SELECT * FROM objection o WHERE event = 'set' AND NOT EXISTS (
    SELECT 1 FROM objection w WHERE w.patient_key = o.patient_key AND w.kind = o.kind
      AND w.event = 'withdrawn' AND w.objection_id > o.objection_id)`;

export const CATALOGUE_TABLES = `
-- The newest is in force.
CREATE TABLE catalogue_version (
  version INTEGER PRIMARY KEY,
  -- import or rollback
  kind TEXT NOT NULL,
  -- version whose codes it has: itself, or the one that was rolled back to
  of_version INTEGER NOT NULL,
  codes INTEGER NOT NULL,
  -- of the codes in their order, so that equal catalogues are seen to be equal
  sha256 TEXT NOT NULL,
  created_ms INTEGER NOT NULL
) STRICT;
CREATE TABLE catalogue_code (
  version INTEGER NOT NULL REFERENCES catalogue_version,
  code TEXT NOT NULL,
  -- '': whatever scheme the code comes with
  scheme TEXT NOT NULL,
  description TEXT NOT NULL,
  -- '': the catalogue does not say
  body_part TEXT NOT NULL,
  side TEXT NOT NULL,
  phase TEXT NOT NULL,
  -- JSON list
  products TEXT NOT NULL,
  PRIMARY KEY (version, code, scheme)
) STRICT, WITHOUT ROWID`;
