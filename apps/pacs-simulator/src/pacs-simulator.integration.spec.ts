/**
 * Goal: the stand-in answers the calls of the demo as an Orthanc does.
 * Method: our SCU and plain HTTP against both sides of one simulator, which also sends to itself.
 */
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DicomDataset, decodeFileMeta, encodePart10 } from '@aifi/dicom-core';
import { DimseScu, type RunningScp } from '@aifi/dicom-dimse';
import { systemClock } from '@aifi/shared-kernel';
import { freePorts, temporaryFolder } from '@aifi/shared-testing';
import { Archive } from './archive.js';
import { startDicomService } from './dicom-service.js';
import { startRestApi } from './rest-api.js';

const SR = '1.2.840.10008.5.1.4.1.1.88.34';
const [STUDY, SERIES] = ['2.25.31', '2.25.32'];
const object = (sopInstanceUid: string) =>
  encodePart10(
    new DicomDataset()
      .setString('SOPClassUID', SR)
      .setString('SOPInstanceUID', sopInstanceUid)
      .setString('PatientID', 'P-9')
      .setString('StudyInstanceUID', STUDY)
      .setString('SeriesInstanceUID', SERIES),
  );

describe('pacs-simulator', () => {
  const folder = temporaryFolder('simulator');
  let [dicom, http, url]: [RunningScp | undefined, Server | undefined, string] = [
    undefined,
    undefined,
    '',
  ];
  let scu: DimseScu;

  beforeAll(async () => {
    const [port] = (await freePorts(1)) as [number];
    const host = '127.0.0.1';
    const config = {
      dicom: { host, port, aeTitle: 'PACS' },
      http: { host, port: 0 },
      dataFolder: folder.path,
      modalities: [{ name: 'self', aeTitle: 'PACS', host, port }],
    };
    const archive = await Archive.open(config.dataFolder);
    dicom = await startDicomService(config, archive);
    http = await startRestApi(config, archive, dicom.port);
    url = `http://${host}:${(http.address() as AddressInfo).port}`;
    const titles = { calledAeTitle: 'PACS', callingAeTitle: 'TEST' };
    scu = new DimseScu({ host, port, ...titles, clock: systemClock });
  });
  afterAll(async () => {
    http?.close();
    http?.closeAllConnections();
    await dicom?.close();
    folder.remove();
  });
  const post = async (path: string, body: string | Uint8Array): Promise<unknown> =>
    (await fetch(`${url}${path}`, { method: 'POST', body: body as string })).json();

  it('keeps what comes by C-STORE and by HTTP, and finds it by C-FIND and by UID', async () => {
    const bytes = object('2.25.33');
    const { meta, datasetOffset } = decodeFileMeta(bytes);
    expect(await scu.store({ ...meta, dataset: bytes.subarray(datasetOffset) })).toBe(0);
    expect(await post('/instances', object('2.25.34'))).toMatchObject({ Status: 'Success' });
    expect(await post('/instances', object('2.25.34'))).toMatchObject({ Status: 'AlreadyStored' });
    expect(await scu.findStudy(STUDY)).toMatchObject([{ patientId: 'P-9' }]);
    expect(await scu.findInstance(STUDY, SERIES, '2.25.33')).toBe(true);
    expect(await scu.findInstance(STUDY, SERIES, '2.25.35')).toBe(false);
    const [study] = (await post('/tools/lookup', STUDY)) as { ID: string; Type: string }[];
    expect(study?.Type).toBe('Study');
    const query = { Level: 'Study', Query: { StudyInstanceUID: STUDY } };
    expect(await post('/tools/find', JSON.stringify(query))).toEqual([study?.ID]);
    const answer = await fetch(`${url}/studies/${study?.ID}/instances`);
    const instances = (await answer.json()) as { ID: string }[];
    expect(instances).toHaveLength(2);
    const file = await (await fetch(`${url}/instances/${instances[0]?.ID}/file`)).arrayBuffer();
    expect(decodeFileMeta(Buffer.from(file)).meta.sopClassUid).toBe(SR);
    const send = { Resources: [study?.ID], Synchronous: true };
    const sent = await post('/modalities/self/store', JSON.stringify(send));
    expect(sent).toMatchObject({ InstancesCount: 2, FailedInstancesCount: 0 });
  });

  it('answers 404 for what it does not have', async () => {
    expect((await fetch(`${url}/instances/00/file`)).status).toBe(404);
    expect((await fetch(`${url}/nothing`)).status).toBe(404);
  });
});
