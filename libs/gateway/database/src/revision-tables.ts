/**
 * Tables of revisions: what a revision is beside its number, and which images count no more.
 * Decides that a revision has one list of images (revision_instance), whoever asks: what came up to
 * it, less what the hospital had rejected by then.
 * Invariant: a rejected image stays on record; from its revision on it is in no list.
 * Source: hazard H7; IHE RAD TF-3 4.66 (imaging object change management).
 */
export const REVISION_TABLES = `
-- A revision that has no row here is complete and for all products.
CREATE TABLE revision_manifest (
  study_id INTEGER NOT NULL,
  revision INTEGER NOT NULL,
  -- complete; early: closed for some products while the study still arrives
  kind TEXT NOT NULL,
  -- JSON list; NULL: all
  products TEXT,
  instances INTEGER NOT NULL,
  -- over the digests of its files
  manifest_sha256 TEXT NOT NULL,
  PRIMARY KEY (study_id, revision),
  FOREIGN KEY (study_id, revision) REFERENCES study_revision
) STRICT, WITHOUT ROWID;
-- Studies whose newest revision is an early one: a complete one is still owed.
CREATE TABLE early_study (
  study_id INTEGER PRIMARY KEY REFERENCES study
) STRICT;
-- First revision without it; NULL: it counts
ALTER TABLE instance ADD COLUMN rejected_revision INTEGER;
CREATE INDEX instance_rejected ON instance (study_id) WHERE rejected_revision IS NOT NULL;
-- Key object documents that were looked at.
CREATE TABLE rejection_note (
  instance_id INTEGER PRIMARY KEY REFERENCES instance,
  -- code of its title (DCM); NULL: it rejects nothing
  title TEXT,
  -- images that it names
  instances INTEGER NOT NULL
) STRICT;
CREATE INDEX instance_key_object ON instance (instance_id)
  WHERE sop_class_uid = '1.2.840.10008.5.1.4.1.1.88.59' AND revision IS NULL;
-- What notes of a study reject in it, come or not.
CREATE TABLE rejected_instance (
  study_id INTEGER NOT NULL REFERENCES study,
  sop_instance_uid TEXT NOT NULL,
  title TEXT NOT NULL,
  PRIMARY KEY (study_id, sop_instance_uid)
) STRICT, WITHOUT ROWID;
-- Last revision that it is the job of as well, its input being the same; NULL: none
ALTER TABLE job ADD COLUMN stands_in INTEGER;
-- JSON {instances, expected, negativeAllowed} of a job of an early revision
ALTER TABLE job ADD COLUMN early TEXT;
-- When the hospital rejected an image that it used; NULL: never
ALTER TABLE job ADD COLUMN withdrawn_ms INTEGER;
CREATE INDEX job_standing ON job (state) WHERE stands_in IS NOT NULL;
CREATE VIEW revision_instance AS
  SELECT r.revision AS of_revision, i.*
  FROM study_revision r JOIN instance i ON i.study_id = r.study_id AND i.revision <= r.revision
    AND (i.rejected_revision IS NULL OR i.rejected_revision > r.revision);
CREATE VIEW whole_revision AS
  SELECT study_id, revision, state FROM study_revision r WHERE NOT EXISTS (
    SELECT 1 FROM revision_manifest m
     WHERE m.study_id = r.study_id AND m.revision = r.revision AND m.kind = 'early')`;
