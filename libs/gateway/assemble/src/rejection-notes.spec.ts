/**
 * Goal: what the hospital rejects counts no more from the next revision on, whenever note and
 * images come; results on it are withdrawn, and nothing else.
 * Method: real notes as files, real SQLite, jobs planted in their states.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { reopenJob, type JobState } from '@aifi/gateway-database';
import { TestArrivals } from './test-arrivals.js';

describe('a rejection note', () => {
  let sut: TestArrivals;
  beforeEach(() => void (sut = new TestArrivals()));
  afterEach(() => sut.close());

  async function closed(...uids: string[]): Promise<void> {
    for (const uid of uids) await sut.image(uid);
    sut.clock.advance(1_000);
    await sut.look();
  }
  async function noted(rejected: readonly string[], title?: string, uid = '9.1'): Promise<void> {
    await sut.note(uid, rejected, title);
    sut.clock.advance(1_000);
    await sut.look();
  }
  async function aJob(jobId: string, state: JobState, seriesUid = '1.2.3'): Promise<void> {
    const isOver = state === 'RESULT_IN_PACS' || state === 'NOT_ANALYSED_NOTIFIED';
    await sut.database.write((sql) =>
      sql.run(
        `INSERT INTO job (job_id, study_id, revision, product, product_version, model_digest, lane,
           series_uid, rule_set_sha256, attestations, state, code, created_ms, terminal_ms)
         VALUES (?1, 1, 1, ?1, '1', 'd', 'acute', ?2, 'r', '[]', ?3, ?4, 1, ?5)`,
        ...[jobId, seriesUid, state, state === 'NOT_ANALYSED_NOTIFIED' ? 'PACS_REFUSED' : null],
        isOver ? 1 : null,
      ),
    );
  }
  const jobs = () =>
    sut.all(
      'SELECT job_id, state, code, told_issue, withdrawn_ms IS NOT NULL AS withdrawn FROM job',
    );

  it('takes the images out of the next revision and leaves the closed one as it was', async () => {
    await closed('1.1', '1.2');
    await noted(['1.1']);
    expect(sut.manifest(1)).toEqual(['1.1', '1.2']);
    expect(sut.manifest(2)).toEqual(['1.2', '9.1']);
    expect(sut.all('SELECT title, instances FROM rejection_note')).toEqual([
      { title: '113001', instances: 1 },
    ]);
  });
  it('is kept for images that come later, and again', async () => {
    await noted(['1.1'], '113037');
    await closed('1.1', '1.2');
    expect(sut.manifest(2)).toEqual(['9.1', '1.2']);
    await closed('1.3');
    expect(sut.manifest(3)).toEqual(['9.1', '1.2', '1.3']);
  });
  it('leaves a revision without an image when all are rejected', async () => {
    await closed('1.1');
    await noted(['1.1'], '113038');
    expect(sut.manifest(2)).toEqual(['9.1']);
  });
  it('of another title rejects nothing', async () => {
    await closed('1.1');
    await noted(['1.1'], '113000');
    expect(sut.manifest(2)).toEqual(['1.1', '9.1']);
    expect(sut.all('SELECT title FROM rejection_note')).toEqual([{ title: null }]);
  });
  it('that cannot be read is on record and holds the study no longer', async () => {
    await closed('1.1');
    await sut.file('9.1', Buffer.from('not DICOM'));
    sut.clock.advance(1_000);
    await sut.look();
    expect(sut.manifest(2)).toEqual(['1.1', '9.1']);
  });
  it('holds the study while its file is in trouble, but not for ever', async () => {
    const stage = sut.stageOf();
    await sut.image('1.1');
    await sut.note('9.1', ['1.1']);
    await sut.database.write((sql) =>
      sql.run("UPDATE instance SET path = path || '.gone' WHERE sop_instance_uid = '9.1'"),
    );
    sut.clock.advance(1_000);
    for (let look = 0; look < 4; look += 1) await stage.look();
    expect(sut.all('SELECT revision FROM study_revision')).toEqual([]);
    await stage.look();
    expect(sut.manifest(1)).toEqual(['1.1', '9.1']);
  });
  it('ends what is open on its images and marks what has ended, and nothing else', async () => {
    await closed('1.1', '1.2');
    await sut.image('2.1', '1.2.4');
    await aJob('uploaded', 'UPLOADED');
    await aJob('quarantined', 'QUARANTINED');
    await aJob('delivered', 'RESULT_IN_PACS');
    await aJob('refused', 'NOT_ANALYSED_NOTIFIED');
    await aJob('other-series', 'UPLOADED', '1.2.4');
    await noted(['1.1']);
    const ended = { state: 'NOT_ANALYSED_NOTIFIED', code: 'INPUT_INCOMPLETE', told_issue: -1 };
    expect(jobs()).toMatchObject([
      { job_id: 'uploaded', ...ended, withdrawn: 1 },
      { job_id: 'quarantined', ...ended, withdrawn: 1 },
      { job_id: 'delivered', state: 'RESULT_IN_PACS', withdrawn: 1 },
      { job_id: 'refused', state: 'NOT_ANALYSED_NOTIFIED', code: 'PACS_REFUSED', withdrawn: 1 },
      { job_id: 'other-series', state: 'UPLOADED', withdrawn: 0 },
    ]);
    await expect(
      sut.database.write((sql) => reopenJob(sql, { jobId: 'refused', atMs: 1 })),
    ).rejects.toMatchObject({ code: 'STATE_CONFLICT' });
  });
  it('takes nothing from a job whose revision had those images no more', async () => {
    await closed('1.1', '1.2');
    await noted(['1.1']);
    await aJob('first', 'UPLOADED');
    await sut.database.write((sql) => sql.run(`UPDATE job SET revision = 2`));
    await noted([], '113001', '9.2');
    expect(jobs()).toMatchObject([{ job_id: 'first', state: 'UPLOADED', withdrawn: 0 }]);
  });
});
