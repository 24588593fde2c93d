/**
 * Goal: a dead letter stays until a person sends it again; then its job is taken up, and nothing
 * older follows something newer. Method: results that the fake PACS refuses, then takes.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Row } from '@aifi/gateway-database';
import { silentLogger, type Logger } from '@aifi/shared-observability';
import { createDeadLetterWatch } from './dead-letter-watch.js';
import { DeadLetterStore, type DeadLetter, type DeadLetterId } from './dead-letter.store.js';
import { instanceOf, jobIdOf, SR, studyOf, TestDeliveries } from './test-deliveries.js';

const DAY_MS = 86_400_000;

describe(DeadLetterStore.name, () => {
  let test: TestDeliveries;
  let sut: DeadLetterStore;
  beforeEach(() => {
    test = new TestDeliveries();
    sut = new DeadLetterStore(test.database);
  });
  afterEach(() => test.close());

  const nowMs = (): number => test.clock.nowMs();
  const ids = (): DeadLetterId[] => sut.list({ limit: 100 }).map(({ id }) => id);
  /** Queues and refuses one job each `apartMs`. */
  async function die(jobs: number, status = 0xc000, apartMs = 60_000): Promise<void> {
    const first = Object.values(test.jobs()).reduce((sum, count) => sum + count, 0);
    for (let n = first; n < first + jobs; n += 1) {
      await test.queue(n);
      test.pacs.answers = [status];
      await test.work(1, apartMs);
    }
  }
  async function aStatusObject(issue: number, state: string): Promise<void> {
    const uid = `2.25.9${issue}`;
    const { path, sha256 } = await test.aFile(0, uid);
    await test.database.write((sql) =>
      sql.run(
        `INSERT INTO status_object (study_id, issue, revision, job_id, sop_class_uid, series_uid,
           sop_instance_uid, path, sha256, content_sha256, state, created_ms)
         VALUES (1, ?, 1, ?, ?, '2.25.1', ?, ?, ?, 'c', ?, ?)`,
        ...[issue, jobIdOf(0), SR, uid, path, sha256, state, nowMs()],
      ),
    );
  }

  it('lists what, why and since when, newest first, page by page', async () => {
    const startMs = nowMs();
    await die(5);
    const all = sut.list({ limit: 10 });
    expect(all.map(({ sopInstanceUid }) => sopInstanceUid)).toEqual(
      [4, 3, 2, 1, 0].map((n) => instanceOf(n, 0)),
    );
    expect(all[4]).toEqual({
      id: 'delivery:1',
      source: 'delivery',
      studyUid: studyOf(0),
      jobId: jobIdOf(0),
      product: 'p',
      sopClassUid: SR,
      sopInstanceUid: instanceOf(0, 0),
      code: 'PEER_REFUSED',
      dimseStatus: 0xc000,
      attempts: 1,
      replays: 0,
      deadMs: startMs,
      createdMs: startMs,
    });
    const pages: DeadLetter[] = [];
    for (let before: DeadLetter | undefined; pages.length < 5; before = pages.at(-1)) {
      pages.push(...sut.list({ limit: 2, ...(before && { before }) }));
    }
    expect(pages).toEqual(all);
    expect(sut.list({ limit: 10, code: 'RESULT_LOST' })).toEqual([]);
    expect(sut.count()).toBe(5);
    expect(sut.count({ beforeMs: all[2]!.deadMs })).toBe(2);
  });

  it('sends one again: the job is taken up, delivered and on record', async () => {
    await die(1);
    expect(test.job()).toEqual({ state: 'NOT_ANALYSED_NOTIFIED', code: 'PACS_REFUSED' });
    const atMs = nowMs();
    expect(await sut.replay(ids(), atMs)).toEqual({ replayed: 1, skipped: 0 });
    expect(sut.count()).toBe(0);
    const job = test.database.read((sql) =>
      sql.get<Row>('SELECT state, code, terminal_ms, told_issue, reopened_ms FROM job'),
    );
    expect(job).toEqual({
      ...{ state: 'REIDENTIFIED', code: null, terminal_ms: null, told_issue: null },
      reopened_ms: atMs,
    });
    await test.drain();
    expect(test.job()).toEqual({ state: 'RESULT_IN_PACS', code: null });
    expect(test.rows()).toMatchObject([{ state: 'VERIFIED', replays: 1 }]);
    expect(test.events()).toEqual(['refused', 'reopened', 'delivered']);
    expect(test.done).toEqual([jobIdOf(0), jobIdOf(0)]);
  });

  it('asks the PACS first, which may have it by now', async () => {
    await die(1, 0x0111, 0);
    await test.work(20);
    expect(sut.list({ limit: 1 })).toMatchObject([{ code: 'RESULT_NOT_LISTED' }]);
    test.pacs.listed.set(instanceOf(0, 0), '');
    await sut.replay(ids(), nowMs());
    await test.drain();
    expect(test.job()).toMatchObject({ state: 'RESULT_IN_PACS' });
    expect(test.pacs.stored).toEqual([]);
  });

  it('is a dead letter again when the PACS refuses again', async () => {
    await die(1);
    await sut.replay(ids(), nowMs());
    test.pacs.answers = [0xa900];
    await test.work(1);
    const [letter] = sut.list({ limit: 2 });
    expect(letter).toMatchObject({ replays: 1, dimseStatus: 0xa900 });
    expect(test.job()).toEqual({ state: 'NOT_ANALYSED_NOTIFIED', code: 'PACS_REFUSED' });
  });

  it('replays all of one reason or age, 50 of them without a storm', async () => {
    await die(3, 0xa900);
    await die(50, 0xc000, 15_000);
    await test.database.write((sql) =>
      sql.run("UPDATE delivery SET dead_code = 'RESULT_LOST' WHERE dimse_status = 0xa900"),
    );
    expect(sut.count()).toBe(53);
    expect(await sut.replayAll({ code: 'RESULT_LOST', beforeMs: 0 }, nowMs())).toEqual({
      replayed: 0,
      skipped: 0,
    });
    expect(await sut.replayAll({ code: 'PEER_REFUSED' }, nowMs())).toEqual({
      replayed: 50,
      skipped: 0,
    });
    test.pacs.otherwise = () => 0xc000;
    await test.work(720, 1_000);
    expect(sut.count()).toBe(53);
    expect(test.pacs.attemptsPerMinuteMax()).toBeLessThanOrEqual(6);
    expect(await sut.replayAll({}, nowMs())).toEqual({ replayed: 53, skipped: 0 });
    test.pacs.otherwise = () => 0;
    await test.work(120, 10_000);
    expect(test.jobs()).toEqual({ RESULT_IN_PACS: 53 });
    expect(test.pacs.stored).toHaveLength(53);
  });

  it('skips what is no dead letter, is named twice, or is unknown', async () => {
    await die(2);
    const [second, first] = ids() as [DeadLetterId, DeadLetterId];
    expect(await sut.replay([first, first, 'delivery:99', 'status_object:1'], nowMs())).toEqual({
      replayed: 1,
      skipped: 3,
    });
    expect(ids()).toEqual([second]);
    const odd = 'delivery:1; DROP TABLE job' as DeadLetterId;
    await expect(sut.replay([second, odd], nowMs())).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
    expect(ids()).toEqual([second]);
  });

  it('skips a result that the result of a newer revision has overtaken', async () => {
    await die(2);
    await test.database.write((sql) => {
      // The second job becomes revision 2 of the first one's study, with its result in the PACS.
      sql.run("INSERT INTO study_revision VALUES (1, 2, 0, 'SELECTED')");
      const newer = jobIdOf(1);
      sql.run('UPDATE job SET study_id = 1, revision = 2 WHERE job_id = ?', newer);
      sql.run("UPDATE delivery SET state = 'VERIFIED' WHERE job_id = ?", newer);
    });
    expect(await sut.replay(['delivery:1'], nowMs())).toEqual({ replayed: 0, skipped: 1 });
    expect(test.job()).toMatchObject({ state: 'NOT_ANALYSED_NOTIFIED' });
    expect(sut.count()).toBe(1);
  });

  it('ends a job again when one of its two dead letters was left', async () => {
    await test.queue(0, 2);
    test.pacs.answers = [0xc000];
    await test.drain();
    await test.database.write((sql) =>
      sql.run("UPDATE delivery SET state = 'DEAD', dead_code = 'RESULT_LOST', dead_ms = 1"),
    );
    await sut.replay(['delivery:1'], nowMs());
    await test.drain();
    expect(test.job()).toEqual({ state: 'NOT_ANALYSED_NOTIFIED', code: 'PACS_REFUSED' });
    await sut.replay(['delivery:2'], nowMs());
    await test.drain();
    expect(test.job()).toEqual({ state: 'RESULT_IN_PACS', code: null });
  });

  it('takes a job up once for both of its dead letters', async () => {
    await test.queue(0, 2);
    test.pacs.answers = [0xc000];
    await test.drain();
    await test.database.write((sql) =>
      sql.run("UPDATE delivery SET state = 'DEAD', dead_code = 'RESULT_LOST', dead_ms = 1"),
    );
    expect(await sut.replayAll({}, nowMs())).toEqual({ replayed: 2, skipped: 0 });
    await test.drain();
    expect(test.job()).toEqual({ state: 'RESULT_IN_PACS', code: null });
    expect(test.events()).toEqual(['refused', 'reopened', 'delivered']);
  });

  it('sends a status object again while it is the newest of its study', async () => {
    await die(1);
    await aStatusObject(0, 'QUEUED');
    test.pacs.answers = [0xa900];
    await test.drain();
    expect(sut.list({ limit: 1, code: 'PEER_REFUSED' })).toHaveLength(1);
    const letter = sut.list({ limit: 9 }).find(({ source }) => source === 'status_object')!;
    expect(letter).toMatchObject({ id: 'status_object:1', product: null, jobId: jobIdOf(0) });
    await aStatusObject(1, 'VERIFIED');
    expect(await sut.replay([letter.id], nowMs())).toEqual({ replayed: 0, skipped: 1 });
    await test.database.write((sql) => sql.run('DELETE FROM status_object WHERE issue = 1'));
    expect(await sut.replay([letter.id], nowMs())).toEqual({ replayed: 1, skipped: 0 });
    await test.drain();
    expect(test.events()).toEqual(['refused', 'told-on-page', 'status-delivered']);
  });

  it('is never removed by itself, and is an alarm once a day from the seventh day on', async () => {
    await die(2);
    const alarms: unknown[] = [];
    const logger: Logger = {
      ...silentLogger,
      error: (_, fields) => void alarms.push(fields),
    };
    const stop = new AbortController();
    const { database, clock } = test;
    const watching = createDeadLetterWatch({ database, clock, logger }).run(stop.signal);
    for (let hour = 0; hour < 8.5 * 24; hour += 1) {
      clock.advance(DAY_MS / 24);
      for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
    }
    stop.abort();
    await watching;
    expect(alarms).toEqual([{ count: 2 }, { count: 2 }]);
    expect(sut.count()).toBe(2);
  });
});
