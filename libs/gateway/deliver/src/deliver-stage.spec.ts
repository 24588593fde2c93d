/**
 * Goal: each result reaches the right patient's study exactly once, or the job ends with its reason
 * (P6, C7). Method: a fake PACS with scripted answers, a fake clock, a real database in a temporary
 * folder; crashes are played by dropping the answer that came after the effect.
 */
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { DicomDataset, encodePart10 } from '@aifi/dicom-core';
import type { StoreObject } from '@aifi/dicom-dimse';
import { GATEWAY_MIGRATIONS, GatewayDatabase, type Row } from '@aifi/gateway-database';
import { AifiError, Wake, writeDurableFile } from '@aifi/shared-kernel';
import { silentLogger } from '@aifi/shared-observability';
import { FakeClock, temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import { DeliverService } from './deliver-stage.js';
import { FakePacs, MATCH, STUDY } from './fake-pacs.js';

const JOB = 'a'.repeat(32);
const SR = '1.2.840.10008.5.1.4.1.1.88.34';
describe(DeliverService.name, () => {
  let folder: TemporaryFolder;
  let database: GatewayDatabase;
  let pacs: FakePacs;
  let clock: FakeClock;
  let done: string[];
  let sut: DeliverService;

  const makeSut = () =>
    new DeliverService({
      database,
      pacs,
      clock,
      wake: new Wake(),
      logger: silentLogger,
      onDone: (jobId) => done.push(jobId),
    });
  beforeEach(async () => {
    folder = temporaryFolder('deliver');
    database = GatewayDatabase.open(join(folder.path, 'gateway.db'), GATEWAY_MIGRATIONS);
    [pacs, clock, done] = [new FakePacs(), new FakeClock(), []];
    sut = makeSut();
    await queue(database, folder.path, 2);
  });
  afterEach(() => {
    database.close();
    folder.remove();
  });

  const job = () => database.read((sql) => sql.get<Row>('SELECT state, code FROM job'));
  const rows = () =>
    database.read((sql) =>
      sql.all<Row>('SELECT state, dimse_status FROM delivery ORDER BY output_index'),
    );
  /** Works until nothing is due, then moves time on, `rounds` times. */
  async function work(rounds: number, stepMs = 61_000): Promise<void> {
    for (let round = 0; round < rounds; round += 1) {
      while ((await sut.runOnce()) > 0);
      clock.advance(stepMs);
    }
  }

  it('stores, verifies and moves the job when the last object is verified', async () => {
    expect(await sut.runOnce()).toBe(1);
    expect(job()).toMatchObject({ state: 'REIDENTIFIED' });
    await work(1);
    expect(rows().map((row) => row['state'])).toEqual(['VERIFIED', 'VERIFIED']);
    expect(job()).toMatchObject({ state: 'RESULT_IN_PACS', code: null });
    expect(done).toEqual([JOB]);
    expect(pacs.stored).toHaveLength(2);
  });

  it.each([0xb000, 0xb006, 0xb007])('takes the warning %i as stored', async (status) => {
    pacs.answers = [status, status];
    await work(1);
    expect(job()).toMatchObject({ state: 'RESULT_IN_PACS' });
    expect(rows()[0]).toMatchObject({ dimse_status: status });
  });

  it('sends nothing twice when the answer to a C-STORE was lost', async () => {
    pacs.answers = ['silent', 'silent'];
    await work(3);
    expect(job()).toMatchObject({ state: 'RESULT_IN_PACS' });
    expect(pacs.stored).toHaveLength(2);
  });

  it('sends nothing twice when the process died between C-STORE and its row', async () => {
    pacs.answers = ['hang'];
    void sut.runOnce();
    while (pacs.stored.length === 0) await new Promise((resolve) => setImmediate(resolve));
    sut = makeSut();
    await work(3);
    expect(pacs.stored).toHaveLength(2);
    expect(job()).toMatchObject({ state: 'RESULT_IN_PACS' });
  });

  it('takes a duplicate as delivered once the PACS lists it', async () => {
    pacs.stored.push({ sopInstanceUid: '2.25.100' } as StoreObject);
    pacs.answers = [0x0111];
    await work(1);
    expect(job()).toMatchObject({ state: 'RESULT_IN_PACS' });
  });

  it.each([0xa700, 0x0110])('tries again after status %i', async (status) => {
    pacs.answers = [status];
    await work(3);
    expect(job()).toMatchObject({ state: 'RESULT_IN_PACS' });
    expect(pacs.stored).toHaveLength(2);
  });

  it.each([0xa900, 0xc000, 0x0122])('ends the job after status %i', async (status) => {
    pacs.answers = [status];
    await work(2);
    expect(job()).toEqual({ state: 'NOT_ANALYSED_NOTIFIED', code: 'PACS_REFUSED' });
    expect(rows()[0]).toMatchObject({ state: 'DEAD', dimse_status: status });
    expect(pacs.stored).toHaveLength(0);
    expect(done).toEqual([JOB]);
  });

  it('ends the job when the PACS takes no such object at all', async () => {
    pacs.answers = [new AifiError('PEER_REFUSED', 'no context')];
    await work(1);
    expect(job()).toEqual({ state: 'NOT_ANALYSED_NOTIFIED', code: 'PACS_REFUSED' });
  });

  it.each([
    ['another patient id', [{ ...MATCH, patientId: 'P-2' }]],
    ['another case of the patient id', [{ ...MATCH, patientId: 'p-1' }]],
    ['another birth date', [{ ...MATCH, patientBirthDate: '19700103' }]],
    ['another issuer', [{ ...MATCH, issuerOfPatientId: 'ELSEWHERE' }]],
    ['two patients', [MATCH, { ...MATCH, patientId: 'P-2' }]],
  ])('holds the job when the PACS has the study under %s', async (_, matches) => {
    pacs.matches = matches;
    await work(2);
    expect(job()).toEqual({ state: 'HELD', code: 'IDENTITY_UNEXPLAINED' });
    expect(pacs.stored).toHaveLength(0);
  });

  it('waits for a study that the PACS does not have yet', async () => {
    pacs.matches = [];
    await work(2);
    expect(job()).toMatchObject({ state: 'REIDENTIFIED' });
    pacs.matches = [MATCH];
    await work(1);
    expect(job()).toMatchObject({ state: 'RESULT_IN_PACS' });
  });

  it('sends an object again that the PACS accepted and lost', async () => {
    pacs.isIndexing = false;
    await work(4);
    expect(pacs.stored).toHaveLength(2);
    expect(job()).toMatchObject({ state: 'REIDENTIFIED' });
    pacs.stored.length = 0;
    pacs.isIndexing = true;
    await work(6);
    expect(job()).toMatchObject({ state: 'RESULT_IN_PACS' });
    expect(pacs.stored).toHaveLength(2);
  });

  it('stops asking after five failures and probes with C-ECHO every 30 s', async () => {
    pacs.isUp = false;
    await work(10);
    const echoes = pacs.echoes;
    expect(pacs.asked - echoes).toBe(5);
    expect(echoes).toBeGreaterThan(0);
    await work(10, 1_000);
    expect(pacs.echoes).toBe(echoes + 1);
    pacs.isUp = true;
    await work(4);
    expect(job()).toMatchObject({ state: 'RESULT_IN_PACS' });
  });

  it('sends nothing and quarantines when the file is not the one on record', async () => {
    database.read((sql) => sql.run("UPDATE delivery SET sha256 = 'x'"));
    await work(2);
    expect(pacs.stored).toHaveLength(0);
    expect(job()).toEqual({ state: 'QUARANTINED', code: 'OUTPUT_INVALID' });
  });
});

async function queue(database: GatewayDatabase, folder: string, count: number): Promise<void> {
  const files = await Promise.all(
    Array.from({ length: count }, (_, index) => {
      const dataset = new DicomDataset()
        .setString('SOPClassUID', SR)
        .setString('SOPInstanceUID', `2.25.${100 + index}`)
        .setString('PatientID', 'P-1')
        .setString('IssuerOfPatientID', 'HERE')
        .setString('PatientBirthDate', '19700102')
        .setString('StudyInstanceUID', STUDY);
      return writeDurableFile(join(folder, 'outgoing', `0-${index}.dcm`), encodePart10(dataset));
    }),
  );
  await database.write((sql) => {
    const studyId = sql.insert("INSERT INTO study VALUES (NULL, '2.25.10', 1, 0)");
    sql.run("INSERT INTO study_revision VALUES (?, 1, 0, 'SELECTED')", studyId);
    sql.run(
      `INSERT INTO job (job_id, study_id, revision, product, product_version, model_digest, lane,
         rule_set_sha256, attestations, state, created_ms)
       VALUES (?, ?, 1, 'p', '1', 'd', 'routine', 'r', '[]', 'REIDENTIFIED', 0)`,
      JOB,
      studyId,
    );
    files.forEach(({ path, sha256 }, index) =>
      sql.run(
        `INSERT INTO delivery (job_id, issue, output_index, role, sop_class_uid, series_uid,
           sop_instance_uid, path, sha256, state)
         VALUES (?, 0, ?, 'r', ?, '2.25.2', ?, ?, ?, 'QUEUED')`,
        JOB,
        index,
        SR,
        `2.25.${100 + index}`,
        path,
        sha256,
      ),
    );
  });
}
