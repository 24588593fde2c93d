/**
 * Goal: no status tells that an older revision was not analysed while its newer one is.
 * Method: a study of two revisions in a real SQLite file, ended as the stages end them, and what
 * the store then owes for it.
 */
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { endOvertakenJobs, GATEWAY_MIGRATIONS, GatewayDatabase } from '@aifi/gateway-database';
import { temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import { StatusStore } from './status.store.js';

const DEADLINES = { acuteMs: 600_000, routineMs: 3_600_000 };
/** Long after every deadline. */
const LATE_MS = 10 * DEADLINES.routineMs;

describe('the status of a study with an overtaken job', () => {
  let folder: TemporaryFolder;
  let database: GatewayDatabase;
  let sut: StatusStore;
  beforeEach(async () => {
    folder = temporaryFolder('overtaken-status');
    database = GatewayDatabase.open(join(folder.path, 'gateway.db'), GATEWAY_MIGRATIONS);
    sut = new StatusStore(database, DEADLINES);
    await database.write((sql) => {
      sql.run(`INSERT INTO study VALUES (1, '1.2', 2, 0)`);
      sql.run(`INSERT INTO study_revision VALUES (1, 1, 0, 'SELECTED'), (1, 2, 0, 'SELECTED')`);
      for (const [jobId, revision] of [
        ['older', 1],
        ['newer', 2],
      ] as const) {
        sql.run(
          `INSERT INTO job (job_id, study_id, revision, product, product_version, model_digest,
             lane, rule_set_sha256, attestations, state, created_ms)
           VALUES (?, 1, ?, 'p', '1', 'd', 'routine', 'r', '[]', 'UPLOADED', 1)`,
          ...[jobId, revision],
        );
      }
      sql.run(`INSERT INTO inbound VALUES ('newer', 2, 0, 1, x'', x'', 'RECEIVED', 1)`);
      sql.run(`UPDATE job SET state = 'RETURNED' WHERE job_id = 'newer'`);
      endOvertakenJobs(sql, { stage: 'downlink', atMs: 1 });
    });
  });
  afterEach(() => {
    database.close();
    folder.remove();
  });

  it('owes none for the overtaken job, before its deadline or after', () => {
    expect(database.read((sql) => sql.all('SELECT state FROM job ORDER BY job_id'))).toEqual([
      { state: 'RETURNED' },
      { state: 'NOT_ANALYSED_NOTIFIED' },
    ]);
    expect(sut.due(1)).toEqual([]);
    expect(sut.due(LATE_MS)).toEqual([]);
  });

  it('is that of the newer revision, and is not owed again for the older one', async () => {
    await database.write((sql) =>
      sql.run(`UPDATE job SET state = 'RESULT_IN_PACS', terminal_ms = 2 WHERE job_id = 'newer'`),
    );
    expect(sut.due(2)).toEqual([1]);
    const snapshot = sut.snapshot(1);
    expect(snapshot).toMatchObject({
      revision: 2,
      jobs: [{ jobId: 'newer', state: 'RESULT_IN_PACS' }],
    });
    await sut.tellOnPage(snapshot, 'INPUT_INCOMPLETE', 3);
    expect(sut.due(LATE_MS)).toEqual([]);
  });
});
