/** Goal: group commit keeps works apart and whole. Method: real SQLite in a temporary folder. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GATEWAY_MIGRATIONS, GatewayDatabase } from './index.js';

describe(GatewayDatabase.name, () => {
  let folder: string;
  let sut: GatewayDatabase;
  const add = (uid: string) =>
    sut.write((sql) =>
      sql.insert('INSERT INTO study (study_uid, last_received_ms) VALUES (?, 1)', uid),
    );
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'aifi-db-'));
    sut = GatewayDatabase.open(join(folder, 'gateway.db'), GATEWAY_MIGRATIONS);
  });
  afterEach(() => {
    sut.close();
    rmSync(folder, { recursive: true });
  });

  it('rolls a failing work back alone and commits its neighbours', async () => {
    const outcomes = await Promise.allSettled([add('1.1'), add('1.1'), add('1.2')]);
    expect(outcomes.map((o) => o.status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(sut.read((sql) => sql.all('SELECT study_uid FROM study')).length).toBe(2);
  });
  it('keeps rows over a restart and refuses a database of a newer release', async () => {
    await add('1.3');
    sut.close();
    const path = join(folder, 'gateway.db');
    sut = GatewayDatabase.open(path, GATEWAY_MIGRATIONS);
    expect(sut.read((sql) => sql.all('SELECT 1 FROM study')).length).toBe(1);
    await sut.write((sql) => sql.run('PRAGMA user_version=99'));
    sut.close();
    expect(() => GatewayDatabase.open(path, GATEWAY_MIGRATIONS)).toThrow(/newer release/);
    sut = GatewayDatabase.open(join(folder, 'other.db'), GATEWAY_MIGRATIONS);
  });
  it('counts what ended before there were status objects as told', async () => {
    const path = join(folder, 'older.db');
    const older = GatewayDatabase.open(path, GATEWAY_MIGRATIONS.slice(0, 1));
    await older.write((sql) => {
      sql.run("INSERT INTO study VALUES (1, '1.2', 1, 1)");
      sql.run("INSERT INTO study_revision VALUES (1, 1, 1, 'SELECTED')");
      for (const state of ['RESULT_IN_PACS', 'UPLOADED']) {
        sql.run(
          `INSERT INTO job (job_id, study_id, revision, product, product_version, model_digest,
             lane, rule_set_sha256, attestations, state, created_ms)
           VALUES (?1, 1, 1, ?1, '1', 'x', 'routine', 'x', '[]', ?1, 1)`,
          state,
        );
      }
    });
    older.close();
    const newer = GatewayDatabase.open(path, GATEWAY_MIGRATIONS);
    const told = newer.read((sql) => sql.all('SELECT told_issue FROM job ORDER BY state'));
    newer.close();
    expect(told).toMatchObject([{ told_issue: -1 }, { told_issue: null }]);
  });
});
