/**
 * Goal: only a process that died while it parsed stays counted, and the fourth try is refused.
 * Method: real SQLite; a new object on the same rows stands for a new process.
 */
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { FakeClock, temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import { GATEWAY_MIGRATIONS, GatewayDatabase, WorkAttempts } from './index.js';

describe(WorkAttempts.name, () => {
  let folder: TemporaryFolder;
  let database: GatewayDatabase;
  beforeEach(async () => {
    folder = temporaryFolder('attempts');
    database = GatewayDatabase.open(join(folder.path, 'gateway.db'), GATEWAY_MIGRATIONS);
    await database.write((sql) => {
      sql.run(`INSERT INTO study VALUES (1, '1.2', 1, 1)`);
      sql.run(`INSERT INTO study_revision VALUES (1, 1, 1, 'SELECTED')`);
      sql.run(
        `INSERT INTO job (job_id, study_id, revision, product, product_version, model_digest, lane,
           rule_set_sha256, attestations, state, created_ms)
         VALUES ('job-1', 1, 1, 'p', '1', 'x', 'routine', 'x', '[]', 'SELECTED', 1)`,
      );
    });
  });
  afterEach(() => {
    database.close();
    folder.remove();
  });
  const process = (stage: 'pseudonymise' | 'reidentify' = 'pseudonymise') =>
    new WorkAttempts(database, new FakeClock(), stage);
  const rows = () => database.read((sql) => sql.all('SELECT stage, attempts FROM work_attempt'));

  it('lets a job that ended three processes be parsed no more', async () => {
    for (let death = 0; death < 3; death += 1) expect(await process().begin('job-1')).toBe(true);
    expect(await process().begin('job-1')).toBe(false);
    expect(rows()).toEqual([{ stage: 'pseudonymise', attempts: 3 }]);
    // Another stage reads other bytes.
    expect(await process('reidentify').begin('job-1')).toBe(true);
  });
  it('is on record before the parser begins, and off it after, whatever it said', async () => {
    await process().begin('job-1');
    const work = () => {
      expect(rows()).toEqual([{ stage: 'pseudonymise', attempts: 2 }]);
      return Promise.reject(new Error('cannot be parsed'));
    };
    await expect(process().parse('job-1', work)).rejects.toThrow('cannot be parsed');
    expect(rows()).toEqual([]);
    expect(await process().parse('job-1', () => Promise.resolve('read'))).toBe('read');
    expect(rows()).toEqual([]);
  });
});
