/**
 * Goal: the stage works with a PACS that none of us wrote.
 * Method: DCMTK's dcmqrscp as PACS, filled by storescu with the original image; the stage
 * delivers a secondary capture of the same patient and study; the PACS has our dataset bytes.
 */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DicomDataset, decodeFileMeta, encodePart10 } from '@aifi/dicom-core';
import { DimseScu } from '@aifi/dicom-dimse';
import { GATEWAY_MIGRATIONS, GatewayDatabase, type Row } from '@aifi/gateway-database';
import { systemClock, Wake, writeDurableFile } from '@aifi/shared-kernel';
import { silentLogger } from '@aifi/shared-observability';
import { freePorts, temporaryFolder } from '@aifi/shared-testing';
import { createDeliverStage } from './deliver-stage.js';

const run = promisify(execFile);
const JOB = 'b'.repeat(32);
const SECONDARY_CAPTURE = '1.2.840.10008.5.1.4.1.1.7';

function image(sopInstanceUid: string, series: string, pixel: number): DicomDataset {
  return new DicomDataset()
    .setString('SOPClassUID', SECONDARY_CAPTURE)
    .setString('SOPInstanceUID', sopInstanceUid)
    .setString('StudyDate', '20260102')
    .setString('StudyTime', '101112')
    .setString('AccessionNumber', 'A1')
    .setString('Modality', 'OT')
    .setString('PatientName', 'Doe^Jane')
    .setString('PatientID', 'P-77')
    .setString('PatientBirthDate', '19700102')
    .setString('StudyInstanceUID', '2.25.500')
    .setString('SeriesInstanceUID', series)
    .setString('StudyID', '1')
    .setNumbers('Rows', [200])
    .setNumbers('Columns', [200])
    .setNumbers('BitsAllocated', [8])
    .setBytes('PixelData', Buffer.alloc(40_000, pixel), 'OB');
}

describe('createDeliverStage', () => {
  const folder = temporaryFolder('deliver-pacs');
  const storage = join(folder.path, 'pacs');
  let pacsProcess: ChildProcess;
  let port = 0;

  beforeAll(async () => {
    [port] = (await freePorts(1)) as [number];
    mkdirSync(storage);
    const configuration = join(folder.path, 'dcmqrscp.cfg');
    const lines = [
      `NetworkTCPPort = ${port}`,
      'MaxPDUSize = 16384',
      'MaxAssociations = 8',
      'HostTable BEGIN',
      'HostTable END',
      'VendorTable BEGIN',
      'VendorTable END',
      'AETable BEGIN',
      `PACS ${storage} RW (50, 100mb) ANY`,
      'AETable END',
    ];
    writeFileSync(configuration, `${lines.join('\n')}\n`);
    pacsProcess = spawn('dcmqrscp', ['-c', configuration], { stdio: 'ignore' });
    const original = join(folder.path, 'original.dcm');
    writeFileSync(original, encodePart10(image('2.25.501', '2.25.510', 1)));
    for (let isSent = false; !isSent; await systemClock.sleep(50)) {
      isSent = await run('storescu', ['-aec', 'PACS', '127.0.0.1', `${port}`, original]).then(
        () => true,
        () => false,
      );
    }
  }, 30_000);
  afterAll(async () => {
    pacsProcess.kill('SIGKILL');
    await once(pacsProcess, 'exit');
    folder.remove();
  });

  it('puts a result into the study of its patient, byte for byte, and proves it', async () => {
    const part10 = encodePart10(image('2.25.600', '2.25.601', 9));
    const file = await writeDurableFile(join(folder.path, 'outgoing', '0-0.dcm'), part10);
    const database = GatewayDatabase.open(join(folder.path, 'gateway.db'), GATEWAY_MIGRATIONS);
    await database.write((sql) => {
      const studyId = sql.insert("INSERT INTO study VALUES (NULL, '2.25.500', 1, 0)");
      sql.run("INSERT INTO study_revision VALUES (?, 1, 0, 'SELECTED')", studyId);
      sql.run(
        `INSERT INTO job (job_id, study_id, revision, product, product_version, model_digest, lane,
           rule_set_sha256, attestations, state, created_ms)
         VALUES (?, ?, 1, 'p', '1', 'd', 'routine', 'r', '[]', 'REIDENTIFIED', 0)`,
        JOB,
        studyId,
      );
      sql.run(
        `INSERT INTO delivery (job_id, issue, output_index, role, sop_class_uid, series_uid,
           sop_instance_uid, path, sha256, state)
         VALUES (?, 0, 0, 'sc', ?, '2.25.601', '2.25.600', ?, ?, 'QUEUED')`,
        JOB,
        SECONDARY_CAPTURE,
        file.path,
        file.sha256,
      );
    });
    const stop = new AbortController();
    const stage = createDeliverStage({
      database,
      pacs: new DimseScu({
        host: '127.0.0.1',
        port,
        calledAeTitle: 'PACS',
        callingAeTitle: 'AIFI',
        clock: systemClock,
      }),
      settings: { associationsMax: 2, rate: { perSecond: 10, burst: 20 } },
      clock: systemClock,
      wake: new Wake(),
      logger: silentLogger,
      onDone: () => stop.abort(),
    });
    await stage.run(stop.signal);
    const row = database.read((sql) => sql.get<Row>('SELECT state, code FROM job'));
    expect(row).toEqual({ state: 'RESULT_IN_PACS', code: null });
    database.close();
    const names = readdirSync(storage).filter((name) => name !== 'index.dat');
    expect(names).toHaveLength(2);
    const datasets = names.map((name) => {
      const bytes = readFileSync(join(storage, name));
      return bytes.subarray(decodeFileMeta(bytes).datasetOffset);
    });
    const sent = part10.subarray(decodeFileMeta(part10).datasetOffset);
    expect(datasets.some((dataset) => dataset.equals(sent))).toBe(true);
  });
});
