/**
 * Goal: the study's status object goes the way of the results, moves no job, and a result never
 * waits for it. Method: rows as the status service leaves them, beside a result or alone, against
 * the fake PACS and a clock moved by hand.
 */
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { DicomDataset, encodePart10 } from '@aifi/dicom-core';
import { GATEWAY_MIGRATIONS, GatewayDatabase, type Row } from '@aifi/gateway-database';
import { AifiError, writeDurableFile } from '@aifi/shared-kernel';
import { silentLogger } from '@aifi/shared-observability';
import { FakeClock, temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import { DeliverService } from './deliver-service.js';
import { FakePacs, MATCH, STUDY } from './fake-pacs.js';

const JOB = 'a'.repeat(32);
const SR = '1.2.840.10008.5.1.4.1.1.88.34';
const DAY_MS = 86_400_000;

describe(`${DeliverService.name} with a status object`, () => {
  let folder: TemporaryFolder;
  let database: GatewayDatabase;
  let pacs: FakePacs;
  let clock: FakeClock;
  let done: string[];
  let sut: DeliverService;
  beforeEach(async () => {
    folder = temporaryFolder('deliver-status');
    database = GatewayDatabase.open(join(folder.path, 'gateway.db'), GATEWAY_MIGRATIONS);
    clock = new FakeClock();
    [pacs, done] = [new FakePacs(clock), []];
    const settings = { associationsMax: 2, rate: { perSecond: 10, burst: 20 } };
    sut = new DeliverService({
      ...{ database, pacs, clock, settings, logger: silentLogger },
      onDone: (jobId) => done.push(jobId),
    });
    await database.write((sql) => {
      sql.run(`INSERT INTO study VALUES (1, '${STUDY}', 1, 0)`);
      sql.run("INSERT INTO study_revision VALUES (1, 1, 0, 'SELECTED')");
      sql.run(
        `INSERT INTO job (job_id, study_id, revision, product, product_version, model_digest, lane,
           rule_set_sha256, attestations, state, created_ms)
         VALUES (?, 1, 1, 'p', '1', 'd', 'routine', 'r', '[]', 'RESULT_IN_PACS', 0)`,
        JOB,
      );
    });
    await aStatusObject();
  });
  afterEach(() => {
    database.close();
    folder.remove();
  });

  async function aFile(sopInstanceUid: string) {
    const dataset = new DicomDataset()
      .setString('SOPClassUID', SR)
      .setString('SOPInstanceUID', sopInstanceUid)
      .setString('PatientID', 'P-1')
      .setString('StudyInstanceUID', STUDY);
    return writeDurableFile(join(folder.path, `${sopInstanceUid}.dcm`), encodePart10(dataset));
  }
  async function aStatusObject(): Promise<void> {
    const { path, sha256 } = await aFile('2.25.100');
    await database.write((sql) =>
      sql.run(
        `INSERT INTO status_object (study_id, issue, revision, job_id, sop_class_uid, series_uid,
           sop_instance_uid, path, sha256, content_sha256, state, created_ms)
         VALUES (1, 0, 1, ?, ?, '2.25.1', '2.25.100', ?, ?, 'c', 'QUEUED', ?)`,
        ...[JOB, SR, path, sha256, clock.nowMs()],
      ),
    );
  }
  async function aResult(): Promise<void> {
    const { path, sha256 } = await aFile('2.25.200');
    await database.write((sql) => {
      sql.run("UPDATE job SET state = 'REIDENTIFIED'");
      sql.run(
        `INSERT INTO delivery (job_id, issue, output_index, role, sop_class_uid, series_uid,
           sop_instance_uid, path, sha256, state)
         VALUES (?, 0, 0, 'SR', ?, '2.25.2', '2.25.200', ?, ?, 'QUEUED')`,
        ...[JOB, SR, path, sha256],
      );
    });
  }
  async function work(rounds: number, stepMs = 61_000): Promise<void> {
    for (let round = 0; round < rounds; round += 1) {
      while ((await sut.runOnce()) > 0);
      clock.advance(stepMs);
    }
  }
  const object = () =>
    database.read((sql) => sql.get<Row>('SELECT state, dimse_status FROM status_object'));
  const job = () => database.read((sql) => sql.get<Row>('SELECT state, code FROM job'));
  const journal = () =>
    database.read((sql) => sql.all<Row>('SELECT event, detail FROM journal ORDER BY sequence'));

  it('stores and verifies it, writes the journal and leaves the job alone', async () => {
    await work(1);
    expect(object()).toEqual({ state: 'VERIFIED', dimse_status: 0 });
    expect(journal()).toEqual([{ event: 'status-delivered', detail: '{"issue":0}' }]);
    expect(job()).toEqual({ state: 'RESULT_IN_PACS', code: null });
    expect(done).toEqual([]);
  });

  it('sends a result that is due before it', async () => {
    await aResult();
    await work(1);
    expect(pacs.stored.map(({ sopInstanceUid }) => sopInstanceUid)).toEqual([
      '2.25.200',
      '2.25.100',
    ]);
    expect(done).toEqual([JOB]);
  });

  it('sends nothing twice when the answer to a C-STORE was lost', async () => {
    pacs.answers = ['silent'];
    await work(3);
    expect(object()).toMatchObject({ state: 'VERIFIED' });
    expect(pacs.stored).toHaveLength(1);
  });

  it.each([
    ['refuses it', 'PACS_REFUSED', () => (pacs.answers = [0xa900])],
    ['takes no such object', 'PACS_REFUSED', () => (pacs.answers = [refusal()])],
    ['has another patient', 'IDENTITY_UNEXPLAINED', () => (pacs.matches = [someoneElse()])],
  ])('leaves it to the page when the PACS %s', async (_, code, prepare) => {
    prepare();
    await work(2);
    expect(object()).toMatchObject({ state: 'DEAD' });
    expect(journal()).toEqual([{ event: 'told-on-page', detail: `{"issue":0,"code":"${code}"}` }]);
    expect(job()).toEqual({ state: 'RESULT_IN_PACS', code: null });
    expect(pacs.stored).toEqual([]);
  });

  it('leaves it to the page when our file is damaged', async () => {
    await database.write((sql) => sql.run("UPDATE status_object SET sha256 = 'x'"));
    await work(1);
    expect(object()).toMatchObject({ state: 'DEAD' });
  });

  it('waits a day for a study that the PACS does not have, not for ever', async () => {
    pacs.matches = [];
    await work(2);
    expect(object()).toMatchObject({ state: 'QUEUED' });
    clock.advance(DAY_MS);
    await work(1);
    expect(object()).toMatchObject({ state: 'DEAD' });
    expect(journal()).toMatchObject([{ detail: '{"issue":0,"code":"TIMEOUT"}' }]);
  });

  it('does not send one that was superseded while it looked at the PACS', async () => {
    const find = pacs.findStudy.bind(pacs);
    pacs.findStudy = async (study) => {
      await database.write((sql) => sql.run("UPDATE status_object SET state = 'SUPERSEDED'"));
      return find(study);
    };
    await work(2);
    expect(pacs.stored).toEqual([]);
    expect(object()).toMatchObject({ state: 'SUPERSEDED' });
  });

  it('never looks at a superseded one', async () => {
    await database.write((sql) => sql.run("UPDATE status_object SET state = 'SUPERSEDED'"));
    expect(await sut.runOnce()).toBe(0);
  });

  const refusal = (): AifiError => new AifiError('PEER_REFUSED', 'no context');
  const someoneElse = () => ({ ...MATCH, patientId: 'P-2' });
});
