/**
 * Goal: a real PACS answers the questions of reconciliation, and what it holds and we do not is
 * found. Method: Orthanc with studies of today, one missed, one in part, one whole, one of another
 * modality; and a port where nobody listens.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { deployedProductSchema } from '@aifi/contracts-manifests';
import { DicomDataset, encodePart10 } from '@aifi/dicom-core';
import { DimseScu } from '@aifi/dicom-dimse';
import { systemClock } from '@aifi/shared-kernel';
import { freePorts, hasPeers, temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import { prepareOrthanc } from '../../../../deploy/services/orthanc/start.mjs';
import { Reconciliation } from './reconciliation.js';
import { DimseStudyFinder } from './study-finder.js';
import { TestTables } from './test-tables.js';

const HOUR_MS = 3_600_000;
const NEVER = new AbortController().signal;
const PRODUCT = deployedProductSchema.parse({
  ...{ product: 'brain', name: 'Brain', version: '1.0.0', modelDigest: 'a'.repeat(64) },
  ...{ label: 'RESEARCH', purpose: 'demonstration', state: 'active', lane: 'routine' },
  intendedUse: {
    series: [
      { id: 'modality', attribute: 'modality', oneOf: ['MR'], onMissing: 'deny' },
      { id: 't1', attribute: 'seriesDescription', matches: '\\bT1', onMissing: 'deny' },
    ],
  },
});

function image(study: string, number: number, atMs: number, modality = 'MR'): Buffer {
  const [date = '', time = ''] = new Date(atMs).toISOString().replaceAll(/[-:]/g, '').split(/[T.]/);
  const dataset = new DicomDataset()
    .setString('SOPClassUID', '1.2.840.10008.5.1.4.1.1.4')
    .setString('SOPInstanceUID', `${study}.1.${number}`)
    .setString('StudyDate', date)
    .setString('StudyTime', time)
    .setString('Modality', modality)
    .setString('SeriesDescription', 'T1 3D')
    .setString('PatientName', 'Planted^Name')
    .setString('PatientID', 'PLANTED-1')
    .setString('StudyInstanceUID', study)
    .setString('SeriesInstanceUID', `${study}.1`)
    .setString('InstanceNumber', String(number));
  return Buffer.from(encodePart10(dataset));
}

(hasPeers('Orthanc') ? describe : describe.skip)('reconciliation with Orthanc', () => {
  let folder: TemporaryFolder;
  let server: ChildProcess;
  let restUrl: string;
  let dicomPort: number;
  let nobody: number;
  let tables: TestTables;
  const nowMs = systemClock.nowMs();
  const clock = { ...systemClock, nowMs: () => nowMs };

  beforeAll(async () => {
    folder = temporaryFolder('reconcile-orthanc');
    const [dicom, httpPort, closed] = (await freePorts(3)) as [number, number, number];
    [dicomPort, nobody] = [dicom, closed];
    const prepared = prepareOrthanc({
      ...{ aeTitle: 'ORTHANC', folder: folder.path, dicomPort, httpPort },
      modalities: [{ name: 'gateway', aeTitle: 'GATEWAY', host: '127.0.0.1', port: closed }],
    });
    restUrl = prepared.restUrl;
    server = spawn(prepared.command, prepared.arguments, { stdio: 'ignore' });
    for (let look = 0; ; look += 1) {
      const isUp = await fetch(`${restUrl}/system`).then(
        ({ ok }) => ok,
        () => false,
      );
      if (isUp) break;
      if (look > 600 || server.exitCode !== null) throw new Error('Orthanc does not start');
      await systemClock.sleep(50);
    }
    for (const [study, images, modality] of [
      ['2.25.101', 3, 'MR'],
      ['2.25.102', 3, 'MR'],
      ['2.25.103', 2, 'MR'],
      ['2.25.104', 2, 'CT'],
    ] as const) {
      for (let number = 1; number <= images; number += 1) {
        const body = new Uint8Array(image(study, number, nowMs - 3 * HOUR_MS, modality));
        const { ok } = await fetch(`${restUrl}/instances`, { method: 'POST', body });
        if (!ok) throw new Error('Orthanc does not take the image');
      }
    }
    tables = new TestTables();
    await tables.study(2, '2.25.102');
    await tables.image(2, '2.25.102.1', 1);
    await tables.study(3, '2.25.103');
    for (const number of [1, 2]) await tables.image(3, '2.25.103.1', number);
    // The gateway has been there for two days.
    const last = { atMs: nowMs, state: 'DONE', studies: 0, doneMs: null };
    const since = JSON.stringify({ ...last, sinceMs: nowMs - 48 * HOUR_MS });
    await tables.run(`INSERT INTO setting VALUES ('reconcile.last-run', CAST(? AS BLOB))`, since);
  }, 60_000);
  afterAll(async () => {
    tables?.close();
    if (server && server.exitCode === null) {
      const exited = once(server, 'exit');
      server.kill('SIGKILL');
      await exited;
    }
    folder?.remove();
  }, 30_000);

  const sut = (port: number, matchesMax = 100) => {
    const scu = new DimseScu({
      ...{ host: '127.0.0.1', port, calledAeTitle: 'ORTHANC', callingAeTitle: 'GATEWAY' },
      ...{ clock: systemClock, timeoutMs: 10_000 },
    });
    return new Reconciliation({
      ...{ database: tables.database, logger: tables.logger, clock },
      finder: new DimseStudyFinder({ scu, matchesMax, zone: () => 0 }),
      config: { isOn: true, settleMinutes: 60, matchesMax, seriesQueriesMax: 50 },
      ...{ purpose: 'demonstration', products: () => [PRODUCT] },
    });
  };

  it('says that a PACS which is not there was not asked', async () => {
    expect(await sut(nobody).runOnce(NEVER)).toMatchObject({ state: 'PACS_SILENT' });
  });
  it('finds what was missed and what came in part, and names no patient', async () => {
    const reconciliation = sut(dicomPort);
    expect(await reconciliation.runOnce(NEVER)).toMatchObject({ state: 'DONE', studies: 4 });
    const found = reconciliation.store.list({ limit: 10 });
    expect(
      found
        .map(({ studyUid, kind, expected, received }) => [...[studyUid, kind, expected, received]])
        .sort(),
    ).toEqual([
      ['2.25.101', 'MISSED', 3, 0],
      ['2.25.102', 'PARTLY', 3, 1],
    ]);
    expect(JSON.stringify(tables.all('SELECT * FROM missed_study'))).not.toMatch(/planted/i);
  });
  it('stops reading at the bound and asks in shorter spans', async () => {
    // All four are of the same second: no span is short enough.
    expect(await sut(dicomPort, 2).runOnce(NEVER)).toMatchObject({ state: 'NOT_WHOLE' });
  });
});
