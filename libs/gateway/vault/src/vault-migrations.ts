/**
 * Tables of the vault: the only place where identity and pseudonym stand side by side.
 * Decides their versions: 1 kept identities in plain, 2 seals each row (`sealed-tables.ts`).
 * Invariants are enforced by triggers, not by the code that writes.
 * Source: reliability specification C5, P1; pseudonymisation specification 1.3.
 */
import type { Migration } from '@aifi/gateway-database';
import { SEALED_TABLES } from './sealed-tables.js';

export const VAULT_MIGRATIONS: readonly Migration[] = [
  {
    version: 1,
    up: `
CREATE TABLE linkage (
  job_id TEXT PRIMARY KEY,
  study_uid TEXT NOT NULL,
  series_uid TEXT NOT NULL,
  pseudo_study_uid TEXT NOT NULL,
  -- epoch of the site keys that made the pseudonyms
  epoch INTEGER NOT NULL,
  -- Identity as JSON, as it was when the study was sent (guard C5)
  as_sent TEXT NOT NULL,
  created_ms INTEGER NOT NULL
) STRICT;
CREATE TRIGGER linkage_is_immutable BEFORE UPDATE ON linkage
BEGIN SELECT RAISE(ABORT, 'a linkage row never changes'); END;
-- REPLACE deletes without a delete trigger, so the row that is there wins before it can
CREATE TRIGGER linkage_is_not_replaced BEFORE INSERT ON linkage
WHEN EXISTS (SELECT 1 FROM linkage WHERE job_id = NEW.job_id)
BEGIN SELECT RAISE(IGNORE); END;
CREATE TABLE linkage_uid (
  job_id TEXT NOT NULL REFERENCES linkage,
  pseudo_uid TEXT NOT NULL,
  original_uid TEXT NOT NULL,
  PRIMARY KEY (job_id, pseudo_uid)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER linkage_uid_is_immutable BEFORE UPDATE ON linkage_uid
BEGIN SELECT RAISE(ABORT, 'a linkage row never changes'); END;
CREATE TRIGGER linkage_uid_is_not_replaced BEFORE INSERT ON linkage_uid
WHEN EXISTS (
  SELECT 1 FROM linkage_uid WHERE job_id = NEW.job_id AND pseudo_uid = NEW.pseudo_uid)
BEGIN SELECT RAISE(IGNORE); END;
CREATE TABLE identity_history (
  study_uid TEXT NOT NULL,
  -- 1, 2, ...: the highest is current
  sequence INTEGER NOT NULL,
  -- Identity as JSON
  identity TEXT NOT NULL,
  -- who said so: received, ...
  source TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  PRIMARY KEY (study_uid, sequence)
) STRICT;
CREATE TRIGGER identity_history_keeps_rows BEFORE DELETE ON identity_history
BEGIN SELECT RAISE(ABORT, 'the identity history is append-only'); END;
CREATE TRIGGER identity_history_is_not_replaced BEFORE INSERT ON identity_history
WHEN EXISTS (
  SELECT 1 FROM identity_history WHERE study_uid = NEW.study_uid AND sequence = NEW.sequence)
BEGIN SELECT RAISE(ABORT, 'the identity history is append-only'); END;
CREATE TRIGGER identity_history_is_immutable BEFORE UPDATE ON identity_history
BEGIN SELECT RAISE(ABORT, 'the identity history is append-only'); END`,
  },
  { version: 2, up: SEALED_TABLES },
];
