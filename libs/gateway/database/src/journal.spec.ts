/**
 * Goal: the three ways back lead where they should and are closed to every other end.
 * Method: jobs in every state, real SQLite in a temporary folder.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { join } from 'node:path';
import { temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import {
  GATEWAY_MIGRATIONS,
  GatewayDatabase,
  JOB_STATES,
  reopenJob,
  reselectJob,
  resumeHeldJob,
  type Row,
} from './index.js';

describe('a job that is taken up again', () => {
  let folder: TemporaryFolder;
  let database: GatewayDatabase;
  beforeEach(async () => {
    folder = temporaryFolder('journal');
    database = GatewayDatabase.open(join(folder.path, 'gateway.db'), GATEWAY_MIGRATIONS);
    await database.write((sql) => {
      sql.run("INSERT INTO study VALUES (1, '1.2', 2, 1)");
      sql.run("INSERT INTO study_revision VALUES (1, 1, 1, 'SELECTED'), (1, 2, 1, 'SELECTED')");
    });
  });
  afterEach(() => {
    database.close();
    folder.remove();
  });

  const aJob = (revision: number, state: string, code: string | null) =>
    database.write((sql) =>
      sql.run(
        `INSERT INTO job (job_id, study_id, revision, product, product_version, model_digest, lane,
           rule_set_sha256, attestations, state, code, detail, created_ms, terminal_ms, told_issue)
         VALUES (?, 1, ?, 'p', '1', 'x', 'routine', 'x', '[]', ?, ?, 'words', 1, 2, 3)`,
        ...[`job-${revision}`, revision, state, code],
      ),
    );
  const aDelivery = (revision: number, state: string) =>
    database.write((sql) =>
      sql.run(
        `INSERT INTO delivery (job_id, issue, output_index, role, sop_class_uid, series_uid,
           sop_instance_uid, path, sha256, state) VALUES (?, 0, 0, 'r', '1', '2', ?, 'p', 's', ?)`,
        ...[`job-${revision}`, `2.25.${revision}`, state],
      ),
    );
  const reopen = () => database.write((sql) => reopenJob(sql, { jobId: 'job-1', atMs: 9 }));
  const job = () =>
    database.read((sql) => sql.get<Row>("SELECT * FROM job WHERE job_id = 'job-1'"));
  const journal = () => database.read((sql) => sql.all<Row>('SELECT * FROM journal'));

  it('takes up a job whose result the PACS refused; deadline and end count anew', async () => {
    await aJob(1, 'NOT_ANALYSED_NOTIFIED', 'PACS_REFUSED');
    await reopen();
    expect(job()).toMatchObject({
      ...{ state: 'REIDENTIFIED', code: null, detail: null, terminal_ms: null },
      ...{ told_issue: null, reopened_ms: 9, created_ms: 1 },
    });
    expect(journal()).toMatchObject([
      { study_id: 1, job_id: 'job-1', stage: 'deliver', event: 'reopened', at_ms: 9 },
    ]);
    await expect(reopen()).rejects.toMatchObject({ code: 'STATE_CONFLICT' });
  });

  it.each([
    ...JOB_STATES.filter((state) => state !== 'NOT_ANALYSED_NOTIFIED').map((state) => [
      state,
      'PACS_REFUSED',
    ]),
    ['NOT_ANALYSED_NOTIFIED', 'TIMEOUT'],
    ['NOT_ANALYSED_NOTIFIED', 'IDENTITY_UNEXPLAINED'],
    ['NOT_ANALYSED_NOTIFIED', null],
  ])('takes up no job in %s with %s', async (state, code) => {
    await aJob(1, state!, code ?? null);
    const before = job();
    await expect(reopen()).rejects.toMatchObject({ code: 'STATE_CONFLICT' });
    expect(job()).toEqual(before);
    expect(journal()).toEqual([]);
  });

  it.each([
    ['STORED', false],
    ['VERIFIED', false],
    ['QUEUED', true],
    ['DEAD', true],
  ])('with a newer revision %s in the PACS: %s', async (state, isTaken) => {
    await aJob(1, 'NOT_ANALYSED_NOTIFIED', 'PACS_REFUSED');
    await aJob(2, 'REIDENTIFIED', null);
    await aDelivery(2, state);
    await reopen().catch(() => undefined);
    expect(job()!['state'] === 'REIDENTIFIED').toBe(isTaken);
  });

  const reselect = () => database.write((sql) => reselectJob(sql, { jobId: 'job-1', atMs: 9 }));
  const aHold = (state: string) =>
    database.write((sql) =>
      sql.run(
        `INSERT INTO pixel_hold (job_id, sha256, reason, findings, state, held_ms)
         VALUES ('job-1', ?, 'r', '[]', ?, 1)`,
        ...[state, state],
      ),
    );
  const NOTHING_LEFT = ['QUARANTINED_PIXELS', 'QUARANTINED_IDENTIFIER'];

  it.each(
    NOTHING_LEFT.flatMap((code) =>
      ['QUARANTINED', 'NOT_ANALYSED_NOTIFIED'].map((state) => [state, code] as const),
    ),
  )('is selected anew from %s for %s; deadline and end count anew', async (state, code) => {
    await aJob(1, state, code);
    await aHold('RELEASED');
    await reselect();
    expect(job()).toMatchObject({
      ...{ state: 'SELECTED', code: null, detail: null, terminal_ms: null },
      ...{ told_issue: null, reopened_ms: 9, created_ms: 1 },
    });
    expect(journal()).toMatchObject([
      { study_id: 1, job_id: 'job-1', stage: 'pseudonymise', event: 'reopened', at_ms: 9 },
    ]);
    await expect(reselect()).rejects.toMatchObject({ code: 'STATE_CONFLICT' });
  });
  it.each(['WAITING', 'REJECTED'])('is not selected anew while an image is %s', async (state) => {
    await aJob(1, 'QUARANTINED', 'QUARANTINED_PIXELS');
    await aHold('RELEASED');
    await aHold(state);
    await expect(reselect()).rejects.toMatchObject({ code: 'STATE_CONFLICT' });
    expect(job()).toMatchObject({ state: 'QUARANTINED' });
  });
  it('is not selected anew from any other end or state', async () => {
    await aJob(1, 'SELECTED', null);
    const codes = [null, 'IDENTITY_MISMATCH', 'TIMEOUT', 'PACS_REFUSED', ...NOTHING_LEFT];
    for (const state of JOB_STATES) {
      for (const code of codes) {
        const isOurs = NOTHING_LEFT.includes(code ?? '');
        if (isOurs && ['QUARANTINED', 'NOT_ANALYSED_NOTIFIED'].includes(state)) continue;
        await database.write((sql) => sql.run('UPDATE job SET state = ?, code = ?', state, code));
        await expect(reselect()).rejects.toMatchObject({ code: 'STATE_CONFLICT' });
      }
    }
    expect(journal()).toEqual([]);
  });
  it('is not selected anew when a newer revision has gone further', async () => {
    await aJob(1, 'QUARANTINED', 'QUARANTINED_PIXELS');
    await aJob(2, 'UPLOADED', null);
    await expect(reselect()).rejects.toMatchObject({ code: 'STATE_CONFLICT' });
    await database.write((sql) =>
      sql.run("UPDATE job SET state = 'NOT_ELIGIBLE_LOGGED' WHERE job_id = 'job-2'"),
    );
    await reselect();
    expect(job()).toMatchObject({ state: 'SELECTED' });
  });

  const resume = () => database.write((sql) => resumeHeldJob(sql, { jobId: 'job-1', atMs: 9 }));

  it('takes up a job that is held for an unexplained identity; its deadline goes on', async () => {
    await aJob(1, 'HELD', 'IDENTITY_UNEXPLAINED');
    await resume();
    expect(job()).toMatchObject({
      ...{ state: 'REIDENTIFIED', code: null, detail: null, told_issue: null },
      ...{ created_ms: 1, reopened_ms: null },
    });
    expect(journal()).toMatchObject([
      { study_id: 1, job_id: 'job-1', stage: 'deliver', event: 'resumed', at_ms: 9 },
    ]);
    await expect(resume()).rejects.toMatchObject({ code: 'STATE_CONFLICT' });
  });

  it.each([
    ...JOB_STATES.filter((state) => state !== 'HELD').map((state) => [
      state,
      'IDENTITY_UNEXPLAINED',
    ]),
    ['HELD', 'OUTPUT_INVALID'],
    ['HELD', null],
  ])('resumes no job in %s with %s', async (state, code) => {
    await aJob(1, state!, code ?? null);
    const before = job();
    await expect(resume()).rejects.toMatchObject({ code: 'STATE_CONFLICT' });
    expect(job()).toEqual(before);
    expect(journal()).toEqual([]);
  });

  it.each(['STORED', 'VERIFIED'])(
    'resumes no job whose newer revision is %s in the PACS',
    async (state) => {
      await aJob(1, 'HELD', 'IDENTITY_UNEXPLAINED');
      await aJob(2, 'REIDENTIFIED', null);
      await aDelivery(2, state);
      await expect(resume()).rejects.toMatchObject({ code: 'STATE_CONFLICT' });
    },
  );
});
