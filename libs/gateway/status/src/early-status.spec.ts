/**
 * Goal: an early start is told with the whole study and not before; a negative that waits for it is
 * never told as an end; a withdrawn result is told as withdrawn.
 * Method: revisions and jobs as assemble and select leave them, and what the store then owes.
 */
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { EARLY_NEGATIVE_DETAIL } from '@aifi/contracts-manifests';
import { GATEWAY_MIGRATIONS, GatewayDatabase } from '@aifi/gateway-database';
import { temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import { StatusStore } from './status.store.js';

const DEADLINES = { acuteMs: 600_000, routineMs: 3_600_000 };
/** Long after every deadline. */
const LATE_MS = 10 * DEADLINES.routineMs;

describe('the status of a study with an early start', () => {
  let folder: TemporaryFolder;
  let database: GatewayDatabase;
  let sut: StatusStore;
  beforeEach(async () => {
    folder = temporaryFolder('early-status');
    database = GatewayDatabase.open(join(folder.path, 'gateway.db'), GATEWAY_MIGRATIONS);
    sut = new StatusStore(database, DEADLINES);
    await write(`INSERT INTO study (study_id, study_uid, revision, last_received_ms)
      VALUES (1, '1.2', 1, 0)`);
    await revision(1, 'early');
  });
  afterEach(() => {
    database.close();
    folder.remove();
  });
  const write = (statement: string, ...values: (string | number | null)[]) =>
    database.write((sql) => sql.run(statement, ...values));

  async function revision(number: number, kind: 'early' | 'complete', state = 'SELECTED') {
    await write(
      'INSERT INTO study_revision (study_id, revision, closed_ms, state) VALUES (1, ?, 0, ?)',
      ...[number, state],
    );
    await write(`INSERT INTO revision_manifest VALUES (1, ?, ?, '["p"]', 1, 'd')`, number, kind);
  }
  interface NewJob {
    readonly state?: string;
    readonly detail?: string | null;
    readonly early?: string | null;
    readonly of?: number;
    readonly product?: string;
  }
  async function aJob(jobId: string, job: NewJob = {}): Promise<void> {
    const { state = 'RESULT_IN_PACS', detail = null, early = '{}', of = 1, product = 'p' } = job;
    const code = state === 'NOT_ANALYSED_NOTIFIED' ? 'INPUT_INCOMPLETE' : null;
    await write(
      `INSERT INTO job (job_id, study_id, revision, product, product_version, model_digest, lane,
         series_uid, rule_set_sha256, attestations, state, code, detail, created_ms, early)
       VALUES (?, 1, ?, ?, '1', 'd', 'acute', '1.2.3', 'r', '[]', ?, ?, ?, 1, ?)`,
      ...[jobId, of, product, state, code, detail, early],
    );
  }
  const withheld = { state: 'NOT_ANALYSED_NOTIFIED', detail: EARLY_NEGATIVE_DETAIL };

  it('is owed once the whole study has been looked at', async () => {
    await aJob('early');
    expect(sut.due(2)).toEqual([]);
    await revision(2, 'complete', 'ASSEMBLED');
    expect(sut.due(2)).toEqual([]);
    await write(`UPDATE study_revision SET state = 'SELECTED'`);
    await write('UPDATE job SET stands_in = 2');
    expect(sut.due(2)).toEqual([1]);
    expect(sut.snapshot(1)).toMatchObject({ revision: 2, jobs: [{ jobId: 'early' }] });
  });
  it('tells of a product without result at its deadline, also before that', async () => {
    await aJob('early', { state: 'NOT_ANALYSED_NOTIFIED', detail: 'TIMEOUT' });
    expect(sut.due(DEADLINES.acuteMs)).toEqual([]);
    expect(sut.due(LATE_MS)).toEqual([1]);
  });
  it('does not tell a negative that waits for the whole study', async () => {
    await aJob('early', withheld);
    expect(sut.due(LATE_MS)).toEqual([]);
    await revision(2, 'complete', 'ASSEMBLED');
    expect(sut.due(LATE_MS)).toEqual([]);
    await write(`UPDATE study_revision SET state = 'SELECTED'`);
    await write('UPDATE job SET stands_in = 2');
    expect(sut.due(LATE_MS)).toEqual([]);
    await write('UPDATE job SET stands_in = NULL');
    await aJob('whole', { of: 2, early: null });
    expect(sut.due(2)).toEqual([1]);
    expect(sut.snapshot(1)).toMatchObject({ revision: 2, jobs: [{ jobId: 'whole' }] });
  });
  it('tells it when the whole study gave the product nothing to do', async () => {
    await aJob('early', withheld);
    await revision(2, 'complete');
    expect(sut.due(2)).toEqual([1]);
  });
  it('waits for the other products of the whole study', async () => {
    await aJob('early');
    await revision(2, 'complete');
    await write('UPDATE job SET stands_in = 2');
    await aJob('other', { of: 2, early: null, state: 'UPLOADED', product: 'q' });
    expect(sut.due(2)).toEqual([]);
    await write(`UPDATE job SET state = 'RESULT_IN_PACS' WHERE job_id = 'other'`);
    expect(sut.due(2)).toEqual([1]);
    expect(sut.snapshot(1).jobs.map(({ jobId }) => jobId)).toEqual(['early', 'other']);
  });

  describe('whose images were rejected', () => {
    async function anImage(uid: string, rejected: number | null): Promise<void> {
      await write(
        `INSERT INTO instance (study_id, series_uid, sop_instance_uid, sop_class_uid,
           transfer_syntax_uid, sha256, size_bytes, path, header, calling_ae, received_ms, revision,
           rejected_revision)
         VALUES (1, '1.2.3', ?1, '1', '1', ?1, 1, ?1, '{"rows":2}', 'A', 0, 1, ?2)`,
        ...[uid, rejected],
      );
    }
    const referred = () =>
      sut.images(sut.snapshot(1), 5).map(({ sopInstanceUid }) => sopInstanceUid);

    it('refers to one that counts', async () => {
      await anImage('1.1', 2);
      await anImage('1.2', null);
      await revision(2, 'complete');
      await aJob('newest', { of: 2, early: null });
      expect(referred()).toEqual(['1.2']);
    });
    it('refers to a rejected one when there is no other', async () => {
      await anImage('1.1', 2);
      await revision(2, 'complete');
      await aJob('newest', { of: 2, early: null, state: 'NOT_ANALYSED_NOTIFIED', detail: 'x' });
      expect(sut.due(2)).toEqual([1]);
      expect(referred()).toEqual(['1.1']);
    });
  });
});
