/**
 * Goal: files go when nobody is owed them and a day has passed, and never before; rows never claim
 * what is gone. Method: a real database and folder, a fake clock, one study in every state that
 * must hold its files.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { GATEWAY_MIGRATIONS, GatewayDatabase, recordJournal } from '@aifi/gateway-database';
import { silentLogger, type LogFields, type Logger } from '@aifi/shared-observability';
import { FakeClock, temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import { Retention } from './retention-stage.js';
import { RetentionStore } from './retention.store.js';

const DAY_MS = 86_400_000;

describe(Retention.name, () => {
  let folder: TemporaryFolder;
  let database: GatewayDatabase;
  let clock: FakeClock;
  let isFull = false;
  let errors: [string, LogFields | undefined][];
  const logger: Logger = {
    ...silentLogger,
    error: (message, fields) => void errors.push([message, fields]),
    child: () => logger,
  };

  beforeEach(() => {
    folder = temporaryFolder('retention');
    database = GatewayDatabase.open(join(folder.path, 'gateway.db'), GATEWAY_MIGRATIONS);
    clock = new FakeClock();
    errors = [];
    isFull = false;
  });
  afterEach(() => {
    database.close();
    folder.remove();
  });

  const sut = () =>
    new Retention({
      ...{ database, clock, logger, dataFolder: folder.path },
      config: { keepHours: 24, deadLetterAlarmDays: 7 },
      isFull: () => isFull,
    });
  const write = (statement: string, ...values: (string | number | null)[]) =>
    database.write((sql) => sql.run(statement, ...values));
  const all = (statement: string) => database.read((sql) => sql.all(statement));
  function file(...parts: string[]): string {
    const path = join(folder.path, ...parts);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, 'x');
    return path;
  }
  const names = (...parts: string[]): string[] => {
    const path = join(folder.path, ...parts);
    return existsSync(path) ? readdirSync(path) : [];
  };

  /** A study that has ended well, with all the files that it can have. */
  async function endedStudy(id = 1, images = 2): Promise<void> {
    const now = clock.nowMs();
    await database.write((sql) => {
      sql.run('INSERT INTO study VALUES (?, ?, 1, ?)', id, `2.25.${id}`, now);
      sql.run(`INSERT INTO study_revision VALUES (?, 1, ?, 'SELECTED')`, id, now);
      recordJournal(sql, { studyId: id, stage: 'assemble', event: 'closed', atMs: now });
    });
    // Together: they share one commit.
    await Promise.all(Array.from({ length: images }, (_, i) => image(id, i, 1)));
    await write(
      `INSERT INTO job (job_id, study_id, revision, product, product_version, model_digest, lane,
         rule_set_sha256, attestations, state, created_ms, terminal_ms, told_issue)
       VALUES (?, ?, 1, 'p', '1', 'x', 'routine', 'x', '[]', 'RESULT_IN_PACS', ?, ?, 0)`,
      ...[`job-${id}`, id, now, now],
    );
    await write(
      `INSERT INTO delivery (job_id, issue, output_index, role, sop_class_uid, series_uid,
         sop_instance_uid, path, sha256, state)
       VALUES (?, 0, 0, 'r', 'c', 's', ?, ?, 'x', 'VERIFIED')`,
      ...[`job-${id}`, `2.25.${id}.9`, file('outgoing', `job-${id}`, '0-0.dcm')],
    );
    await write(
      `INSERT INTO status_object (study_id, issue, revision, job_id, sop_class_uid, series_uid,
         sop_instance_uid, path, sha256, content_sha256, state, created_ms)
       VALUES (?, 0, 1, ?, 'c', 's', ?, ?, 'x', 'x', 'VERIFIED', 1)`,
      ...[id, `job-${id}`, `2.25.${id}.8`, file('outgoing', 'status', `${id}-0.dcm`)],
    );
    await outcome(id);
  }
  async function image(id: number, i: number, revision: number | null): Promise<void> {
    await write(
      `INSERT INTO instance (study_id, series_uid, sop_instance_uid, sop_class_uid,
         transfer_syntax_uid, sha256, size_bytes, path, header, calling_ae, received_ms, revision)
       VALUES (?, 's', ?, 'c', 't', 'x', 1, ?, '{}', 'A', 1, ?)`,
      ...[id, `2.25.${id}.1.${i}`, file('incoming', `${id}-${i}.dcm`), revision],
    );
  }
  async function outcome(id: number): Promise<void> {
    await write(`INSERT INTO inbound VALUES (?, 1, 0, 1, x'00', x'00', 'DONE', 1)`, `job-${id}`);
    await write(
      `INSERT INTO inbound_object VALUES (?, 1, 0, 0, ?, 'x', 1)`,
      ...[`job-${id}`, file('inbound', `job-${id}`, '0-0.dcm')],
    );
  }
  const filesOf = () => [
    ...names('incoming'),
    ...names('outgoing'),
    ...names('outgoing', 'status'),
    ...names('inbound'),
  ];

  it('removes everything of a finished study after a day, and says so in rows and journal', async () => {
    await endedStudy();
    clock.advance(DAY_MS - 1);
    expect(await sut().runOnce()).toBe(0);
    expect(filesOf()).toHaveLength(6);
    clock.advance(1);
    expect(await sut().runOnce()).toBe(5);
    expect(filesOf()).toEqual(['status']);
    const atMs = clock.nowMs();
    for (const table of ['instance', 'delivery', 'status_object']) {
      expect(new Set(all(`SELECT removed_ms FROM ${table}`).map((r) => r['removed_ms']))).toEqual(
        new Set([atMs]),
      );
    }
    expect(all('SELECT * FROM inbound_object')).toEqual([]);
    const [entry] = all(`SELECT * FROM journal WHERE event = 'removed'`);
    expect(JSON.parse(String(entry?.['detail']))).toEqual({
      ...{ instances: 2, results: 1, statusObjects: 1, outcomes: 1 },
    });
    expect(all('SELECT * FROM setting')).toEqual([]);
    expect(await sut().runOnce()).toBe(0);
  });

  it('removes results at once when the disk is full, of finished studies only, and no image', async () => {
    await endedStudy(1);
    await endedStudy(2);
    await write(`UPDATE job SET terminal_ms = NULL, state = 'RETURNED' WHERE study_id = 2`);
    expect(await sut().runOnce()).toBe(0);
    isFull = true;
    expect(await sut().runOnce()).toBe(3);
    expect(names('outgoing', 'job-1')).toEqual([]);
    expect(names('inbound', 'job-1')).toEqual([]);
    expect(names('outgoing', 'job-2')).toEqual(['0-0.dcm']);
    expect(names('inbound', 'job-2')).toEqual(['0-0.dcm']);
    expect(names('incoming')).toHaveLength(4);
    expect(await sut().runOnce()).toBe(0);
    // The images go after their day, and the study as a whole is off the disk then.
    clock.advance(DAY_MS);
    expect(await sut().runOnce()).toBe(2);
    expect(names('incoming')).toEqual(['2-0.dcm', '2-1.dcm']);
  });

  it('removes large studies in batches, each on record', async () => {
    await endedStudy(1, 2_300);
    clock.advance(DAY_MS);
    expect(await sut().runOnce()).toBe(2_303);
    const details = all(`SELECT detail FROM journal WHERE event = 'removed' ORDER BY sequence`);
    const counts = details.map(({ detail }) => JSON.parse(String(detail)) as object);
    expect(counts).toMatchObject([
      { instances: 1_000, results: 0 },
      { instances: 1_000, results: 0 },
      { instances: 300, results: 1 },
    ]);
    expect(filesOf()).toEqual(['status']);
  }, 30_000);

  it.each([
    [
      'an image that is in no revision',
      'UPDATE instance SET revision = NULL WHERE instance_id = 1',
    ],
    ['a revision without jobs', `UPDATE study_revision SET state = 'ASSEMBLED'`],
    ['a job that runs', `UPDATE job SET terminal_ms = NULL, state = 'UPLOADED'`],
    ['a job that is held', `UPDATE job SET terminal_ms = NULL, state = 'HELD'`],
    ['an end that is not told yet', 'UPDATE job SET told_issue = NULL'],
    ['a result that is a dead letter', `UPDATE delivery SET state = 'DEAD', dead_ms = 1`],
    ['a status object that waits', `UPDATE status_object SET state = 'QUEUED'`],
    ['a status object that is not verified', `UPDATE status_object SET state = 'STORED'`],
    ['a status object that is a dead letter', `UPDATE status_object SET state = 'DEAD'`],
    [
      'something that happened less than a day ago',
      `INSERT INTO journal (study_id, stage, event, at_ms)
         SELECT 1, 'deliver', 'delivered', MAX(at_ms) + 1 FROM journal`,
    ],
    [
      'an image that came less than a day ago',
      'UPDATE study SET last_received_ms = last_received_ms + 1',
    ],
  ])('keeps all of a study with %s', async (_, change) => {
    await endedStudy(1);
    await endedStudy(2);
    await write(change.includes('journal') ? change : forStudyOne(change));
    clock.advance(DAY_MS);
    expect(await sut().runOnce()).toBe(5);
    expect(names('incoming')).toEqual(['1-0.dcm', '1-1.dcm']);
    expect(names('outgoing', 'status')).toEqual(['1-0.dcm']);
    expect([names('outgoing', 'job-1'), names('inbound', 'job-1')]).toEqual([
      ['0-0.dcm'],
      ['0-0.dcm'],
    ]);
  });
  function forStudyOne(change: string): string {
    const isOfJob = /UPDATE delivery/.test(change);
    const own = isOfJob ? `job_id = 'job-1'` : 'study_id = 1';
    return `${change} ${change.includes('WHERE') ? 'AND' : 'WHERE'} ${own}`;
  }

  it('lets a study go for which no product is deployed at all', async () => {
    await endedStudy();
    for (const table of ['inbound_object', 'inbound', 'delivery', 'status_object', 'job']) {
      await write(`DELETE FROM ${table}`);
    }
    clock.advance(DAY_MS);
    expect(await sut().runOnce()).toBe(2);
    expect(names('incoming')).toEqual([]);
  });

  it('lets results go that a job which its deadline has ended left unsent', async () => {
    await endedStudy();
    await write(`UPDATE job SET state = 'NOT_ANALYSED_NOTIFIED', code = 'TIMEOUT'`);
    await write(`UPDATE delivery SET state = 'QUEUED'`);
    clock.advance(DAY_MS);
    expect(await sut().runOnce()).toBe(5);
  });

  it('removes an outcome that came after its study had gone', async () => {
    await endedStudy();
    clock.advance(DAY_MS);
    await sut().runOnce();
    await write('DELETE FROM inbound');
    await outcome(1);
    expect(await sut().runOnce()).toBe(1);
    expect(names('inbound')).toEqual([]);
  });

  it('finishes at the next run what a crash left marked', async () => {
    await endedStudy();
    clock.advance(DAY_MS);
    const [atMs, what] = [clock.nowMs(), 'all'] as const;
    await new RetentionStore(database).mark(1, { untilMs: atMs - DAY_MS, atMs, what });
    expect(filesOf()).toHaveLength(6);
    expect(await sut().runOnce()).toBe(0);
    expect(filesOf()).toEqual(['status']);
    expect(all('SELECT * FROM setting')).toEqual([]);
  });

  it('leaves a file outside the data folder alone', async () => {
    const elsewhere = temporaryFolder('elsewhere');
    const path = join(elsewhere.path, 'kept.dcm');
    writeFileSync(path, 'x');
    await endedStudy();
    await write('UPDATE instance SET path = ? WHERE instance_id = 1', path);
    clock.advance(DAY_MS);
    await sut().runOnce();
    expect(existsSync(path)).toBe(true);
    expect(errors).toHaveLength(1);
    elsewhere.remove();
  });

  it('tells of dead letters once a day when they have waited a week', async () => {
    await endedStudy();
    await write(`UPDATE delivery SET state = 'DEAD', dead_ms = ?`, clock.nowMs());
    const retention = sut();
    clock.advance(7 * DAY_MS - 1);
    await retention.runOnce();
    expect(errors).toEqual([]);
    clock.advance(1);
    await retention.runOnce();
    await retention.runOnce();
    expect(errors).toEqual([['dead letters wait for a person', { count: 1 }]]);
    clock.advance(DAY_MS);
    await retention.runOnce();
    expect(errors).toHaveLength(2);
    expect(filesOf()).toHaveLength(6);
  });
});
