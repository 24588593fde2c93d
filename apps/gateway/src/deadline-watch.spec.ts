/**
 * Goal: no job stays open past the deadline of its lane, whatever state it hangs in.
 * Method: open jobs of both lanes in a real SQLite file, a clock moved by hand.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { join } from 'node:path';
import { GATEWAY_MIGRATIONS, GatewayDatabase } from '@aifi/gateway-database';
import { silentLogger, type Logger } from '@aifi/shared-observability';
import { FakeClock, temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import { createDeadlineWatch, type DeadlineDependencies } from './deadline-watch.js';

describe(createDeadlineWatch.name, () => {
  let folder: TemporaryFolder;
  let database: GatewayDatabase;
  const clock = new FakeClock();
  let pacs: 'closed' | 'open';
  let faults: unknown[];
  beforeEach(async () => {
    folder = temporaryFolder('deadline');
    pacs = 'closed';
    faults = [];
    clockWatch = undefined;
    database = GatewayDatabase.open(join(folder.path, 'gateway.db'), GATEWAY_MIGRATIONS);
    await database.write((sql) => {
      sql.run(`INSERT INTO study VALUES (1, '1.2', 1, 1)`);
      sql.run(`INSERT INTO study_revision VALUES (1, 1, 1, 'SELECTED')`);
      const jobs = [
        ['a', 'acute', 'UPLOADED', null],
        ['b', 'routine', 'SPOOLED', null],
        ['c', 'routine', 'HELD', 'IDENTITY_UNEXPLAINED'],
      ] as const;
      for (const [id, lane, state, code] of jobs) {
        sql.run(
          `INSERT INTO job (job_id, study_id, revision, product, product_version, model_digest,
             lane, rule_set_sha256, attestations, state, code, created_ms)
           VALUES (?1, 1, 1, ?1, '1', 'x', ?2, 'x', '[]', ?3, ?4, ?5)`,
          id,
          lane,
          state,
          code,
          clock.nowMs(),
        );
      }
    });
  });
  afterEach(() => {
    database.close();
    folder.remove();
  });
  let clockWatch: DeadlineDependencies['clockWatch'];
  async function runOnce(): Promise<unknown[]> {
    const abort = new AbortController();
    const deadlines = { acuteMs: 1_000, routineMs: 5_000 };
    const logger: Logger = {
      ...silentLogger,
      fault: (words, _, fields) => void faults.push([words, fields]),
    };
    const sut = createDeadlineWatch({
      ...{ database, deadlines, clock, clockWatch, logger },
      pacsState: () => pacs,
    });
    const running = sut.run(abort.signal);
    for (let i = 0; i < 20; i += 1) await new Promise(setImmediate);
    abort.abort();
    await running;
    return database.read((sql) => sql.all('SELECT job_id, state, code FROM job ORDER BY job_id'));
  }

  it('ends nothing because the clock was set forward, or while it is known to be wrong', async () => {
    const untouched = [{ state: 'UPLOADED' }, { state: 'SPOOLED' }, { state: 'HELD' }];
    const setAtMs = clock.nowMs();
    clock.advance(3_600_000);
    clockWatch = { deadlineNowMs: () => setAtMs, isHolding: () => false };
    expect(await runOnce()).toMatchObject(untouched);
    clockWatch = { deadlineNowMs: () => clock.nowMs(), isHolding: () => true };
    expect(await runOnce()).toMatchObject(untouched);
    clockWatch = { deadlineNowMs: () => clock.nowMs(), isHolding: () => false };
    const ended = { state: 'NOT_ANALYSED_NOTIFIED' };
    expect(await runOnce()).toMatchObject([ended, ended, ended]);
  });

  it('ends each lane at its own deadline, with the code it was held for or TIMEOUT', async () => {
    clock.advance(1_000);
    expect(await runOnce()).toMatchObject([
      { state: 'NOT_ANALYSED_NOTIFIED', code: 'TIMEOUT' },
      { state: 'SPOOLED' },
      { state: 'HELD' },
    ]);
    clock.advance(4_000);
    expect(await runOnce()).toMatchObject([
      { code: 'TIMEOUT' },
      { state: 'NOT_ANALYSED_NOTIFIED', code: 'TIMEOUT' },
      { state: 'NOT_ANALYSED_NOTIFIED', code: 'IDENTITY_UNEXPLAINED' },
    ]);
  });

  it('gives up the others when one cannot be given up, and that one in a later round', async () => {
    await database.write((sql) =>
      sql.run(`CREATE TRIGGER stuck BEFORE UPDATE ON job WHEN OLD.job_id = 'a'
               BEGIN SELECT RAISE(ABORT, 'stuck'); END`),
    );
    clock.advance(5_000);
    const ended = { state: 'NOT_ANALYSED_NOTIFIED' };
    expect(await runOnce()).toMatchObject([{ state: 'UPLOADED' }, ended, ended]);
    expect(faults).toEqual([['jobs were not given up', { jobId: 'a', count: 1 }]]);
    await database.write((sql) => sql.run('DROP TRIGGER stuck'));
    expect(await runOnce()).toMatchObject([ended, ended, ended]);
  });

  it('counts the deadline of a job that a person had taken up again from there', async () => {
    clock.advance(900);
    await database.write((sql) =>
      sql.run("UPDATE job SET reopened_ms = ? WHERE job_id = 'a'", clock.nowMs()),
    );
    clock.advance(999);
    expect(await runOnce()).toMatchObject([{ state: 'UPLOADED' }, {}, {}]);
    clock.advance(1);
    expect(await runOnce()).toMatchObject([{ state: 'NOT_ANALYSED_NOTIFIED' }, {}, {}]);
  });

  describe('of a result that is not in the PACS yet', () => {
    const HOUR_MS = 3_600_000;
    beforeEach(async () => {
      await database.write((sql) => {
        sql.run("UPDATE job SET state = 'REIDENTIFIED' WHERE job_id = 'a'");
        sql.run("DELETE FROM job WHERE job_id <> 'a'");
        sql.run(
          `INSERT INTO delivery (job_id, issue, output_index, role, sop_class_uid, series_uid,
             sop_instance_uid, path, sha256, state)
           VALUES ('a', 0, 0, 'report', '1', '1', '1', 'x', 'x', 'QUEUED')`,
        );
      });
    });
    const delivery = () => database.read((sql) => sql.all('SELECT state, dead_code FROM delivery'));

    it('gives it up as a dead letter when its study never came', async () => {
      clock.advance(1_000);
      expect(await runOnce()).toMatchObject([{ state: 'NOT_ANALYSED_NOTIFIED', code: 'TIMEOUT' }]);
      expect(delivery()).toMatchObject([{ state: 'DEAD', dead_code: 'TIMEOUT' }]);
    });

    it('gives it up when its last try failed by a fault of our own', async () => {
      await database.write((sql) => sql.run("UPDATE delivery SET last_fault = 'INTERNAL'"));
      clock.advance(1_000);
      expect(await runOnce()).toMatchObject([{ state: 'NOT_ANALYSED_NOTIFIED', code: 'TIMEOUT' }]);
      expect(delivery()).toMatchObject([{ state: 'DEAD', dead_code: 'TIMEOUT' }]);
    });

    it.each([
      ['the breaker is open', 'open', null],
      ['its last try failed', 'closed', 'PEER_UNAVAILABLE'],
    ] as const)('lets it wait for a PACS that is away: %s', async (_, state, fault) => {
      pacs = state;
      await database.write((sql) => sql.run('UPDATE delivery SET last_fault = ?', fault));
      clock.advance(8 * HOUR_MS);
      expect(await runOnce()).toMatchObject([{ state: 'REIDENTIFIED' }]);
      expect(delivery()).toMatchObject([{ state: 'QUEUED' }]);
      clock.advance(64 * HOUR_MS + 5_000);
      expect(await runOnce()).toMatchObject([{ state: 'NOT_ANALYSED_NOTIFIED' }]);
      expect(delivery()).toMatchObject([{ state: 'DEAD' }]);
    });
  });
});
