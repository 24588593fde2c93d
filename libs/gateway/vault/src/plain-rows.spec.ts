/**
 * Goal: a vault of version 1 is sealed at open, whole, and leaves no plain byte behind.
 * Method: a database made with version 1 of the tables, and a byte scan of all files afterwards.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { GatewayDatabase } from '@aifi/gateway-database';
import { canonicalJson, originalUid } from '@aifi/shared-kernel';
import { keyRingOf } from '@aifi/shared-site-keys';
import { fakeSiteKeys, temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import { anIdentity, jobOf, linkageOf } from '../test/vault-fixtures.js';
import { Vault } from './index.js';
import { VAULT_MIGRATIONS } from './vault-migrations.js';

const ring = keyRingOf(fakeSiteKeys());
const JOBS = 600;

describe('a vault of version 1', () => {
  let folder: TemporaryFolder;
  const path = (): string => join(folder.path, 'vault.db');
  const asSent = anIdentity('CanaryName^A', 'CANARY-NR');
  const corrected = anIdentity('CanaryOther^B', 'CANARY-NR');

  beforeEach(async () => {
    folder = temporaryFolder('vault');
    const database = GatewayDatabase.open(path(), VAULT_MIGRATIONS.slice(0, 1));
    await database.write((sql) => {
      for (let n = 1; n <= JOBS; n++) {
        const { studyUid, seriesUid, pseudonymousStudyUid } = linkageOf(n, asSent);
        sql.run(
          'INSERT INTO linkage VALUES (?, ?, ?, ?, 1, ?, ?)',
          ...[jobOf(n), studyUid, seriesUid, pseudonymousStudyUid, canonicalJson(asSent), n],
        );
        for (const uid of [1, 2]) {
          sql.run(
            'INSERT INTO linkage_uid VALUES (?, ?, ?)',
            jobOf(n),
            `2.25.${uid}`,
            `1.987.${n}`,
          );
        }
        for (const [at, identity] of [asSent, corrected].entries()) {
          sql.run(
            "INSERT INTO identity_history VALUES (?, ?, ?, 'received', ?)",
            ...[studyUid, at + 1, canonicalJson(identity), n + at],
          );
        }
      }
    });
    database.close();
  });
  afterEach(() => folder.remove());

  const allBytes = (): string =>
    readdirSync(folder.path)
      .map((name) => readFileSync(join(folder.path, name)).toString('latin1'))
      .join('');

  it('has every row afterwards, in its order', () => {
    const sut = Vault.open(path(), ring);
    for (const n of [1, 300, JOBS]) {
      expect(sut.linkage(jobOf(n))).toEqual(linkageOf(n, asSent));
      expect(sut.originalUid(jobOf(n), '2.25.2')).toBe(`1.987.${n}`);
      expect(sut.identityHistory(originalUid(`1.2.${n}`))).toEqual([
        { sequence: 1, identity: asSent, source: 'received', atMs: n },
        { sequence: 2, identity: corrected, source: 'received', atMs: n + 1 },
      ]);
    }
    expect(sut.studiesOfPatient({ patientId: 'CANARY-NR', issuer: '' })).toHaveLength(JOBS);
    sut.close();
  });
  it('leaves no byte of identity in database or log, open and closed', () => {
    expect(allBytes()).toContain('Canary');
    const sut = Vault.open(path(), ring);
    const whileOpen = allBytes();
    sut.close();
    for (const bytes of [whileOpen, allBytes()]) {
      expect(bytes).toContain('linkage');
      const canaries = ['Canary', 'CANARY', '1.987.', asSent.elements.slice(40, 80), '"1.2.5'];
      for (const canary of canaries) expect(bytes).not.toContain(canary);
    }
  });
  it('stays as it is when it cannot be sealed as a whole', () => {
    const direct = new DatabaseSync(path());
    direct.exec(`DROP TRIGGER linkage_is_immutable;
      UPDATE linkage SET study_uid = '1.2.x', as_sent = 'no JSON' WHERE job_id = '${jobOf(JOBS)}';
      CREATE TRIGGER linkage_is_immutable BEFORE UPDATE ON linkage BEGIN SELECT 1; END`);
    direct.close();
    expect(() => Vault.open(path(), ring)).toThrow(/JSON/);
    const again = new DatabaseSync(path());
    const rows = again.prepare('SELECT COUNT(*) AS n FROM linkage_plain').get();
    expect(rows).toEqual({ n: JOBS });
    again.close();
  });
});
