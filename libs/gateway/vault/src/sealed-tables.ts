/**
 * Sealed tables of the vault, version 2: no identity and no original UID in a plain column.
 * Decides what can never change (linkage, history of identities, register, acts) and that erasure
 * alone takes a row's data key. `key_epoch` names the epoch whose `vault` key wraps `data_key`;
 * NULL there means erased; each `*_index` is a blind index of 32 bytes.
 * Invariant: rows of version 1 wait in `*_plain` until `plain-rows.ts` has sealed them.
 * Source: reliability specification C5, P1; security specification 5 (keys).
 */
const PLAIN_TABLES_ASIDE = `
DROP TRIGGER linkage_is_immutable;
DROP TRIGGER linkage_is_not_replaced;
DROP TRIGGER linkage_uid_is_immutable;
DROP TRIGGER linkage_uid_is_not_replaced;
DROP TRIGGER identity_history_keeps_rows;
DROP TRIGGER identity_history_is_not_replaced;
DROP TRIGGER identity_history_is_immutable;
ALTER TABLE linkage RENAME TO linkage_plain;
ALTER TABLE linkage_uid RENAME TO linkage_uid_plain;
ALTER TABLE identity_history RENAME TO identity_history_plain;`;

const LINKAGE = `
CREATE TABLE linkage (
  job_id TEXT PRIMARY KEY,
  study_index BLOB,
  -- epoch of the site keys that made the pseudonyms
  epoch INTEGER NOT NULL,
  key_epoch INTEGER NOT NULL,
  data_key BLOB,
  -- Linkage as JSON, sealed
  content BLOB NOT NULL,
  created_ms INTEGER NOT NULL,
  last_result_ms INTEGER
) STRICT;
CREATE INDEX linkage_study ON linkage (study_index) WHERE data_key IS NOT NULL;
CREATE INDEX linkage_epoch ON linkage (epoch) WHERE data_key IS NOT NULL;
CREATE INDEX linkage_key_epoch ON linkage (key_epoch) WHERE data_key IS NOT NULL;
CREATE INDEX linkage_age ON linkage (created_ms) WHERE data_key IS NOT NULL;
-- Two changes exist: erasure, and a later result
CREATE TRIGGER linkage_is_immutable BEFORE UPDATE ON linkage
WHEN NOT (
  NEW.job_id = OLD.job_id AND NEW.epoch = OLD.epoch AND NEW.key_epoch = OLD.key_epoch
  AND NEW.created_ms = OLD.created_ms AND (
    (NEW.data_key IS NULL AND NEW.study_index IS NULL AND length(NEW.content) = 0
     AND NEW.last_result_ms IS OLD.last_result_ms)
    OR (NEW.data_key IS OLD.data_key AND NEW.study_index IS OLD.study_index
     AND NEW.content = OLD.content AND NEW.last_result_ms > COALESCE(OLD.last_result_ms, 0))))
BEGIN SELECT RAISE(ABORT, 'a linkage row never changes'); END;
CREATE TRIGGER linkage_keeps_rows BEFORE DELETE ON linkage
BEGIN SELECT RAISE(ABORT, 'a linkage row never changes'); END;
-- REPLACE deletes without a delete trigger, so the row that is there wins before it can
CREATE TRIGGER linkage_is_not_replaced BEFORE INSERT ON linkage
WHEN EXISTS (SELECT 1 FROM linkage WHERE job_id = NEW.job_id)
BEGIN SELECT RAISE(IGNORE); END;

-- UID map of a job in parts, each one sealed with the key of its linkage
CREATE TABLE linkage_uids (
  job_id TEXT NOT NULL REFERENCES linkage,
  part INTEGER NOT NULL,
  content BLOB NOT NULL,
  PRIMARY KEY (job_id, part)
) STRICT;
CREATE TRIGGER linkage_uids_is_immutable BEFORE UPDATE ON linkage_uids
BEGIN SELECT RAISE(ABORT, 'a linkage row never changes'); END;
CREATE TRIGGER linkage_uids_keeps_rows BEFORE DELETE ON linkage_uids
WHEN (SELECT data_key FROM linkage WHERE job_id = OLD.job_id) IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'a linkage row never changes'); END;
CREATE TRIGGER linkage_uids_is_not_replaced BEFORE INSERT ON linkage_uids
WHEN EXISTS (SELECT 1 FROM linkage_uids WHERE job_id = NEW.job_id AND part = NEW.part)
BEGIN SELECT RAISE(IGNORE); END;`;

const HISTORY = `
CREATE TABLE identity_history (
  study_index BLOB NOT NULL,
  -- 1, 2, ...: the highest is current
  sequence INTEGER NOT NULL,
  patient_index BLOB,
  key_epoch INTEGER NOT NULL,
  data_key BLOB,
  -- study UID and Identity as JSON, sealed
  content BLOB NOT NULL,
  -- who said so: received, adt, pacs
  source TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  PRIMARY KEY (study_index, sequence)
) STRICT;
CREATE INDEX identity_history_patient ON identity_history (patient_index);
CREATE INDEX identity_history_epoch ON identity_history (key_epoch) WHERE data_key IS NOT NULL;
CREATE INDEX identity_history_age ON identity_history (at_ms);
-- The data key goes first, then the row
CREATE TRIGGER identity_history_keeps_rows BEFORE DELETE ON identity_history
WHEN OLD.data_key IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'the identity history is append-only'); END;
CREATE TRIGGER identity_history_is_not_replaced BEFORE INSERT ON identity_history
WHEN EXISTS (
  SELECT 1 FROM identity_history WHERE study_index = NEW.study_index AND sequence = NEW.sequence)
BEGIN SELECT RAISE(ABORT, 'the identity history is append-only'); END;
CREATE TRIGGER identity_history_is_immutable BEFORE UPDATE ON identity_history
WHEN NOT (NEW.study_index = OLD.study_index AND NEW.sequence = OLD.sequence
  AND NEW.patient_index IS NULL AND NEW.data_key IS NULL AND length(NEW.content) = 0)
BEGIN SELECT RAISE(ABORT, 'the identity history is append-only'); END;`;

const REGISTER = `
CREATE TABLE result_register (
  result_index BLOB PRIMARY KEY,
  study_index BLOB NOT NULL,
  -- the patient as last known here: follows the identity history
  patient_index BLOB,
  product TEXT NOT NULL,
  product_version TEXT NOT NULL,
  key_epoch INTEGER NOT NULL,
  data_key BLOB,
  -- RegisteredResult as JSON, sealed
  content BLOB NOT NULL,
  registered_ms INTEGER NOT NULL,
  keep_until_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX result_register_product ON result_register (product, product_version);
CREATE INDEX result_register_study ON result_register (study_index);
CREATE INDEX result_register_patient ON result_register (patient_index);
CREATE INDEX result_register_erased ON result_register (result_index) WHERE data_key IS NULL;
CREATE INDEX result_register_epoch ON result_register (key_epoch) WHERE data_key IS NOT NULL;
CREATE INDEX result_register_end ON result_register (keep_until_ms);
CREATE TRIGGER result_register_keeps_rows BEFORE DELETE ON result_register
WHEN OLD.data_key IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'the register is append-only'); END;
CREATE TRIGGER result_register_is_not_replaced BEFORE INSERT ON result_register
WHEN EXISTS (SELECT 1 FROM result_register WHERE result_index = NEW.result_index)
BEGIN SELECT RAISE(IGNORE); END;
CREATE TRIGGER result_register_is_immutable BEFORE UPDATE ON result_register
WHEN NOT (
  NEW.result_index = OLD.result_index AND NEW.study_index = OLD.study_index
  AND NEW.product = OLD.product AND NEW.product_version = OLD.product_version
  AND NEW.key_epoch = OLD.key_epoch AND NEW.registered_ms = OLD.registered_ms
  AND NEW.keep_until_ms = OLD.keep_until_ms AND (
    (NEW.data_key IS OLD.data_key AND NEW.content = OLD.content)
    OR (NEW.data_key IS NULL AND length(NEW.content) = 0)))
BEGIN SELECT RAISE(ABORT, 'the register is append-only'); END;`;

const ACTS = `
CREATE TABLE vault_act (
  -- 1, 2, ... without a gap
  sequence INTEGER PRIMARY KEY,
  at_ms INTEGER NOT NULL,
  act TEXT NOT NULL,
  -- the pipeline, or the account of a person; never a patient
  actor TEXT NOT NULL,
  job_id TEXT,
  study_index BLOB,
  -- counts and codes as JSON
  detail TEXT NOT NULL,
  -- HMAC over this row and the hash before it
  hash BLOB NOT NULL
) STRICT;
CREATE TRIGGER vault_act_is_immutable BEFORE UPDATE ON vault_act
BEGIN SELECT RAISE(ABORT, 'acts are append-only'); END;
CREATE TRIGGER vault_act_keeps_rows BEFORE DELETE ON vault_act
BEGIN SELECT RAISE(ABORT, 'acts are append-only'); END;
CREATE TRIGGER vault_act_has_no_gap BEFORE INSERT ON vault_act
WHEN NEW.sequence IS NOT 1 + COALESCE((SELECT MAX(sequence) FROM vault_act), 0)
BEGIN SELECT RAISE(ABORT, 'acts are append-only'); END;

-- Erasures of the list beside the database that were done here
CREATE TABLE erasure_applied (
  erasure_id TEXT PRIMARY KEY,
  at_ms INTEGER NOT NULL
) STRICT;

-- Which keys this vault is of: 0 is the index key, others the vault key of that epoch
CREATE TABLE vault_epoch (
  epoch INTEGER PRIMARY KEY,
  key_check BLOB NOT NULL,
  since_ms INTEGER NOT NULL
) STRICT;
CREATE TRIGGER vault_epoch_is_immutable BEFORE UPDATE ON vault_epoch
BEGIN SELECT RAISE(ABORT, 'a key check never changes'); END`;

/** The step from version 1. */
export const SEALED_TABLES = [PLAIN_TABLES_ASIDE, LINKAGE, HISTORY, REGISTER, ACTS].join('\n');
