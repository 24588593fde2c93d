/**
 * Goal: a job that a newer revision has overtaken ends at once and visibly, and no other does.
 * Method: jobs of two revisions of a study in every state, in a real SQLite file.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { join } from 'node:path';
import { temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import {
  endOvertakenJobs,
  GATEWAY_MIGRATIONS,
  GatewayDatabase,
  hasOvertakenJobs,
  type JobState,
} from './index.js';

const WAITS_FOR_THE_HUB: readonly JobState[] = ['SELECTED', 'SPOOLED', 'UPLOADED'];
const WAITS_FOR_THE_PACS: readonly JobState[] = ['RETURNED', 'REIDENTIFIED', 'HELD'];
const LEFT_ALONE: readonly JobState[] = [
  ...['QUARANTINED', 'RESULT_IN_PACS', 'NOT_ANALYSED_NOTIFIED', 'NOT_ELIGIBLE_LOGGED'],
] as JobState[];

describe(endOvertakenJobs.name, () => {
  let folder: TemporaryFolder;
  let database: GatewayDatabase;
  beforeEach(async () => {
    folder = temporaryFolder('overtaken');
    database = GatewayDatabase.open(join(folder.path, 'gateway.db'), GATEWAY_MIGRATIONS);
    await database.write((sql) => {
      for (const study of [1, 2]) {
        sql.run(`INSERT INTO study VALUES (?, ?, 2, 1)`, study, `1.${study}`);
        sql.run(
          `INSERT INTO study_revision VALUES (?1, 1, 1, 'SELECTED'), (?1, 2, 1, 'SELECTED')`,
          study,
        );
      }
    });
  });
  afterEach(() => {
    database.close();
    folder.remove();
  });

  async function aJob(jobId: string, state: JobState, revision = 1, study = 1): Promise<void> {
    const isOver = LEFT_ALONE.includes(state) && state !== 'QUARANTINED';
    await database.write((sql) =>
      sql.run(
        `INSERT INTO job (job_id, study_id, revision, product, product_version, model_digest, lane,
           rule_set_sha256, attestations, state, created_ms, terminal_ms)
         VALUES (?, ?, ?, 'p', '1', 'd', 'routine', 'r', '[]', ?, 1, ?)`,
        ...[jobId, study, revision, state, isOver ? 1 : null],
      ),
    );
  }
  /** The outcome of a job has come. */
  const returned = (jobId: string) =>
    database.write((sql) =>
      sql.run(`INSERT INTO inbound VALUES (?, 2, 0, 1, x'', x'', 'RECEIVED', 1)`, jobId),
    );
  const delivery = (jobId: string, state: string, attempts = 0) =>
    database.write((sql) =>
      sql.run(
        `INSERT INTO delivery (job_id, issue, output_index, role, sop_class_uid, series_uid,
           sop_instance_uid, path, sha256, state, attempts)
         VALUES (?1, 0, 0, 'r', '1', '1', ?1, 'x', 'x', ?2, ?3)`,
        ...[jobId, state, attempts],
      ),
    );
  const run = (studyId?: number) =>
    database.write((sql) => endOvertakenJobs(sql, { studyId, stage: 'deliver', atMs: 7 }));
  const row = (jobId: string) =>
    database.read((sql) =>
      sql.get(
        'SELECT state, code, detail, told_issue, terminal_ms FROM job WHERE job_id = ?',
        jobId,
      ),
    );
  const ENDED = {
    ...{ state: 'NOT_ANALYSED_NOTIFIED', code: 'INPUT_INCOMPLETE' },
    ...{ detail: 'superseded by a newer revision', told_issue: -1, terminal_ms: 7 },
  };

  it.each(WAITS_FOR_THE_HUB)('ends a job %s when the newer outcome has come', async (state) => {
    await aJob('older', state);
    await aJob('newer', 'RETURNED', 2);
    expect(await run(1)).toEqual([]);
    await returned('newer');
    expect(database.read(hasOvertakenJobs)).toBe(true);
    expect(await run(2)).toEqual([]);
    expect(await run(1)).toEqual(['older']);
    expect(row('older')).toEqual(ENDED);
    expect(row('newer')).toMatchObject({ state: 'RETURNED' });
    const journal = database.read((sql) =>
      sql.all('SELECT job_id, stage, event, detail FROM journal'),
    );
    const detail = '{"state":"NOT_ANALYSED_NOTIFIED","code":"INPUT_INCOMPLETE"}';
    expect(journal).toEqual([{ job_id: 'older', stage: 'deliver', event: 'superseded', detail }]);
    expect(database.read(hasOvertakenJobs)).toBe(false);
    expect(await run()).toEqual([]);
  });

  it.each(WAITS_FOR_THE_PACS)('lets a result %s go before the newer one', async (state) => {
    await aJob('older', state);
    await aJob('newer', 'REIDENTIFIED', 2);
    await returned('newer');
    await delivery('newer', 'STORED', 1);
    expect(await run(1)).toEqual([]);
  });

  it.each(WAITS_FOR_THE_PACS)('ends a job %s when the PACS has the newer result', async (state) => {
    await aJob('older', state);
    await delivery('older', 'QUEUED');
    await aJob('newer', 'RESULT_IN_PACS', 2);
    await returned('newer');
    await delivery('newer', 'VERIFIED');
    expect(await run()).toEqual(['older']);
    expect(row('older')).toEqual(ENDED);
    const rows = database.read((sql) => sql.all('SELECT state FROM delivery ORDER BY job_id'));
    expect(rows).toEqual([{ state: 'VERIFIED' }, { state: 'SUPERSEDED' }]);
  });

  it.each(LEFT_ALONE)('leaves a job %s to its end or to the person it waits for', async (state) => {
    await aJob('older', state);
    await aJob('newer', 'RESULT_IN_PACS', 2);
    await returned('newer');
    await delivery('newer', 'VERIFIED');
    expect(await run()).toEqual([]);
  });

  it('ends nothing of another study or of a newer revision', async () => {
    await aJob('other', 'UPLOADED', 1, 2);
    await aJob('newer', 'UPLOADED', 2);
    await aJob('older', 'RESULT_IN_PACS');
    await returned('older');
    await delivery('older', 'VERIFIED');
    expect(await run()).toEqual([]);
  });
});
