/**
 * Goal: what a patient's images say of the patient is in no row; a product is asked for by its own
 * AE title, again and again; our own objects that come back make no work.
 * Method: the real listener child, DCMTK's storescu, a real gateway database read byte by byte.
 */
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { DicomDataset, encodePart10 } from '@aifi/dicom-core';
import { GATEWAY_MIGRATIONS, GatewayDatabase } from '@aifi/gateway-database';
import { systemClock } from '@aifi/shared-kernel';
import { silentLogger, type Logger } from '@aifi/shared-observability';
import { accessionKeyOf, keyRingOf, patientKeyOf } from '@aifi/shared-site-keys';
import { fakeSiteKeys, temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import { receiveConfigSchema } from './receive.config.js';
import { createReceiveStage } from './receive-stage.js';

const run = promisify(execFile);
const DX = '1.2.840.10008.5.1.4.1.1.1.1';
const STUDY = '1.2.826.0.1.3680043.10.1';
const keys = keyRingOf(fakeSiteKeys());
/** What must be nowhere: each is found by its bytes alone. */
const PLANTED = ['ZEBRAVIS', 'Q7732519', 'KOLIBRIHUIS', 'ACCQ88123', '19370214'];

function image(uid: string, change: (dataset: DicomDataset) => void = () => undefined): Buffer {
  const dataset = new DicomDataset()
    .setString('SpecificCharacterSet', 'ISO_IR 192')
    .setString('SOPClassUID', DX)
    .setString('SOPInstanceUID', uid)
    .setString('StudyDate', '20260301')
    .setString('StudyTime', '101500')
    .setString('AccessionNumber', 'ACCQ88123')
    .setString('Modality', 'DX')
    .setString('PatientName', 'Zebravis^Zus')
    .setString('PatientID', 'Q7732519')
    .setString('IssuerOfPatientID', 'KOLIBRIHUIS')
    .setString('PatientBirthDate', '19370214')
    .setString('PatientSex', 'F')
    .setString('StudyInstanceUID', STUDY)
    .setString('SeriesInstanceUID', `${STUDY}.1`);
  change(dataset);
  return encodePart10(dataset);
}
const byOurselves = (dataset: DicomDataset): unknown =>
  dataset.setItems('ContributingEquipmentSequence', [
    new DicomDataset()
      .setString('Manufacturer', 'AIFI')
      .setString('ContributionDescription', 'AIFI platform: routing, inference and result objects'),
  ]);

describe('images of a patient at the door', () => {
  let folder: TemporaryFolder;
  let database: GatewayDatabase;
  let stop: AbortController;
  let running: Promise<void>;
  let port: number;
  const logged: string[] = [];
  const note = (...said: unknown[]): void => void logged.push(JSON.stringify(said));
  const logger: Logger = {
    ...silentLogger,
    ...{ info: note, warn: note, error: note },
    fault: (message, error) => note(message, String(error), String((error as Error).cause)),
    child: () => logger,
  };

  beforeEach(async () => {
    folder = temporaryFolder('intake');
    logged.length = 0;
    database = GatewayDatabase.open(join(folder.path, 'gateway.db'), GATEWAY_MIGRATIONS);
    stop = new AbortController();
    const callers = [{ aeTitle: 'PACS', host: '127.0.0.1', plain: true }];
    const aeTitles = [
      { aeTitle: 'AIFI_LUNG', product: 'lung' },
      { aeTitle: 'AIFI_HAND', product: 'hand', lane: 'acute' },
    ];
    const sut = createReceiveStage({
      ...{ database, dataFolder: folder.path, clock: systemClock, keys },
      config: receiveConfigSchema.parse({ port: 0, aeTitle: 'AIFI', aeTitles, callers }),
      logger,
    });
    running = sut.run(stop.signal);
    port = await sut.ready;
  });
  afterEach(async () => {
    stop.abort();
    await running;
    database.close();
    folder.remove();
  });

  async function send(calledAeTitle: string, ...images: readonly Buffer[]): Promise<void> {
    const paths = images.map((bytes, i) => {
      const path = join(folder.path, `sent-${i}.dcm`);
      writeFileSync(path, bytes);
      return path;
    });
    await run('storescu', [
      '-aec',
      calledAeTitle,
      '-aet',
      'PACS',
      '127.0.0.1',
      `${port}`,
      ...paths,
    ]);
  }
  const all = (query: string) => database.read((sql) => sql.all(query));
  const requests = () =>
    all('SELECT product, source, lane, taken_ms FROM product_request ORDER BY request_id');

  it('leaves an age, a moment and keys of the patient, in a database without identity', async () => {
    await send('AIFI', image('1.2.3'));
    const [row] = all('SELECT header, way, called_ae, calling_ae FROM instance');
    expect(row).toMatchObject({ way: 'dimse', called_ae: 'AIFI', calling_ae: 'PACS' });
    expect(JSON.parse(String(row!['header']))).toMatchObject({
      age: expect.objectContaining({ kind: 'known', years: 89 }),
      sex: 'F',
      acquiredAtMs: Date.parse('2026-03-01T09:15:00Z'),
      patientKey: patientKeyOf(keys, { patientId: 'Q7732519', issuer: 'KOLIBRIHUIS' }),
      accessionKey: accessionKeyOf(keys, 'ACCQ88123'),
    });
    await send('AIFI_LUNG', image('1.2.3'), image('1.2.4', byOurselves));
    const files = readdirSync(folder.path).filter((name) => name.startsWith('gateway.db'));
    expect(files).toContain('gateway.db-wal');
    const bytes = files.map((name) => readFileSync(join(folder.path, name)).toString('latin1'));
    const found = [...bytes, ...logged].join('\n').toUpperCase();
    expect(found).toContain('PATIENTKEY');
    expect(PLANTED.filter((planted) => found.includes(planted))).toEqual([]);
  });

  it('asks for a product by its AE title: one push is one request, with its lane', async () => {
    await send('AIFI', image('1.2.3'));
    expect(requests()).toEqual([]);
    await send('AIFI_HAND', image('1.2.4'), image('1.2.5'));
    await send('AIFI_LUNG', image('1.2.4'));
    expect(requests()).toEqual([
      { product: 'hand', source: 'ae-title', lane: 'acute', taken_ms: null },
      { product: 'lung', source: 'ae-title', lane: null, taken_ms: null },
    ]);
    expect(all('SELECT called_ae FROM instance ORDER BY instance_id')).toEqual([
      { called_ae: 'AIFI' },
      { called_ae: 'AIFI_HAND' },
      { called_ae: 'AIFI_HAND' },
    ]);
  });

  it('answers no title that is not listed', async () => {
    await expect(send('AIFI_OTHER', image('1.2.3'))).rejects.toThrow();
    expect(all('SELECT 1 FROM instance')).toEqual([]);
  });

  it('takes our own objects and makes nothing of them', async () => {
    await send('AIFI', image('1.2.3'));
    await send('AIFI_LUNG', image('1.2.9', byOurselves), image('1.2.9', byOurselves));
    expect(all('SELECT sop_instance_uid AS uid FROM instance')).toEqual([{ uid: '1.2.3' }]);
    expect(requests()).toEqual([]);
    expect(all('SELECT sop_instance_uid AS uid, count FROM returned_object')).toEqual([
      { uid: '1.2.9', count: 2 },
    ]);
    expect(all(`SELECT event FROM journal WHERE event = 'came-back'`)).toHaveLength(1);
    const kept = readdirSync(join(folder.path, 'incoming')).filter(
      (name) => statSync(join(folder.path, 'incoming', name)).size > 0,
    );
    expect(kept).toHaveLength(1);
  });

  it('knows what it has sent itself, whatever that says of its maker', async () => {
    await send('AIFI', image('1.2.3'));
    await database.write((sql) => {
      sql.run(`INSERT INTO study_revision (study_id, revision, closed_ms, state)
               VALUES (1, 1, 1, 'SELECTED')`);
      sql.run(`INSERT INTO job (job_id, study_id, revision, product, product_version, model_digest,
                 lane, rule_set_sha256, attestations, state, created_ms)
               VALUES ('j', 1, 1, 'p', '1.0.0', 'd', 'routine', 'r', '[]', 'RESULT_IN_PACS', 1)`);
      sql.run(`INSERT INTO delivery (job_id, issue, output_index, role, sop_class_uid, series_uid,
                 sop_instance_uid, path, sha256, state)
               VALUES ('j', 0, 0, 'SC', '1.2', '1.2.8', '1.2.8.1', 'x', 'd', 'VERIFIED')`);
    });
    await send('AIFI', image('1.2.8.1'));
    expect(all('SELECT 1 FROM instance')).toHaveLength(1);
    expect(all('SELECT sop_instance_uid AS uid FROM returned_object')).toEqual([
      { uid: '1.2.8.1' },
    ]);
  });
});
