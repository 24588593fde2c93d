/**
 * Goal: a PACS gets exactly the bytes we have and says what it has; silence is no answer (F6).
 * Method: a real Orthanc on free ports; its REST interface gives back the stored file. A TCP server
 * that never answers plays the hanging PACS.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DicomDataset, decodeFileMeta, encodeDataset } from '@aifi/dicom-core';
import { systemClock } from '@aifi/shared-kernel';
import { freePorts, temporaryFolder } from '@aifi/shared-testing';
import { prepareOrthanc } from '../../../../deploy/services/orthanc/start.mjs';
import { DimseScu, type StoreObject } from './dimse-scu.js';

const EXPLICIT = '1.2.840.10008.1.2.1';
const SECONDARY_CAPTURE = '1.2.840.10008.5.1.4.1.1.7';
const STUDY = '2.25.1001';
const SERIES = '2.25.1002';

/** A secondary capture with what other encoders like to change: private tags, odd text, empties. */
function object(sopInstanceUid: string): StoreObject & { readonly dataset: Buffer } {
  const item = new DicomDataset().setString('CodeValue', 'A').setString('CodeMeaning', 'b');
  const dataset = new DicomDataset()
    .setString('SpecificCharacterSet', 'ISO_IR 192')
    .setString('SOPClassUID', SECONDARY_CAPTURE)
    .setString('SOPInstanceUID', sopInstanceUid)
    .setString('StudyDate', '')
    .setString('Modality', 'OT')
    .setItems('AnatomicRegionSequence', [item])
    .setBytes(0x00090010, Buffer.from('AIFI TEST '), 'LO')
    .setBytes(0x00091001, Buffer.from([1, 2, 3, 4]), 'UN')
    .setString('PatientName', 'Ünal^Zoë')
    .setString('PatientID', 'P-1')
    .setString('PatientBirthDate', '19700102')
    .setString('StudyInstanceUID', STUDY)
    .setString('SeriesInstanceUID', SERIES)
    .setNumbers('SamplesPerPixel', [1])
    .setString('PhotometricInterpretation', 'MONOCHROME2')
    .setNumbers('Rows', [300])
    .setNumbers('Columns', [500])
    .setNumbers('BitsAllocated', [8])
    .setNumbers('BitsStored', [8])
    .setNumbers('HighBit', [7])
    .setNumbers('PixelRepresentation', [0])
    .setBytes('PixelData', Buffer.from(Array.from({ length: 150_000 }, (_, i) => i & 255)), 'OB');
  return {
    sopClassUid: SECONDARY_CAPTURE,
    sopInstanceUid,
    transferSyntaxUid: EXPLICIT,
    dataset: encodeDataset(dataset, { explicitVr: true, littleEndian: true }),
  };
}

describe(DimseScu.name, () => {
  const folder = temporaryFolder('orthanc');
  let [orthanc, http, port]: [ChildProcess | undefined, string, number] = [undefined, '', 0];
  let sut: DimseScu;

  beforeAll(async () => {
    const [dicomPort, httpPort] = await freePorts(2);
    http = `http://127.0.0.1:${httpPort}`;
    port = dicomPort!;
    const [modalityPort] = await freePorts(1);
    const prepared = prepareOrthanc({
      ...{ folder: folder.path, aeTitle: 'PACS', dicomPort: dicomPort!, httpPort: httpPort! },
      modalities: [{ name: 'us', aeTitle: 'GATEWAY', host: '127.0.0.1', port: modalityPort! }],
    });
    orthanc = spawn(prepared.command, prepared.arguments, { stdio: 'ignore' });
    const peer = { host: '127.0.0.1', port, calledAeTitle: 'PACS' };
    sut = new DimseScu({ ...peer, callingAeTitle: 'GATEWAY', clock: systemClock });
    for (let isUp = false; !isUp; await systemClock.sleep(50)) {
      isUp = await fetch(`${http}/system`).then(
        (answer) => answer.ok,
        () => false,
      );
    }
  }, 60_000);
  afterAll(async () => {
    orthanc?.kill('SIGTERM');
    if (orthanc) await once(orthanc, 'exit');
    folder.remove();
  });

  it('gets an answer to C-ECHO', async () => {
    await expect(sut.echo()).resolves.toBeUndefined();
  });

  it('stores bytes unchanged and finds study and instance afterwards', async () => {
    const sent = object('2.25.1003');
    expect(await sut.findStudy(STUDY)).toEqual([]);
    expect(await sut.findInstance(STUDY, SERIES, sent.sopInstanceUid)).toBe(false);
    expect(await sut.store(sent)).toBe(0);
    expect(await sut.findInstance(STUDY, SERIES, sent.sopInstanceUid)).toBe(true);
    expect(await sut.findInstance(STUDY, SERIES, '2.25.9')).toBe(false);
    const [study, ...others] = await sut.findStudy(STUDY);
    expect(others).toEqual([]);
    expect(study).toMatchObject({ studyInstanceUid: STUDY, patientId: 'P-1' });
    expect(study?.patientBirthDate).toBe('19700102');
    const [id] = (await (await fetch(`${http}/instances`)).json()) as string[];
    const file = Buffer.from(await (await fetch(`${http}/instances/${id}/file`)).arrayBuffer());
    const { meta, datasetOffset } = decodeFileMeta(file);
    expect(meta.transferSyntaxUid).toBe(EXPLICIT);
    expect(file.subarray(datasetOffset).equals(sent.dataset)).toBe(true);
  });

  it('has its commitment request accepted, the report comes on an association of the PACS', async () => {
    const objects = [{ sopClassUid: SECONDARY_CAPTURE, sopInstanceUid: '2.25.1003' }];
    const request = { transactionUid: '2.25.1005', objects };
    expect(await sut.requestCommitment(request, 200)).toBeUndefined();
  });

  it('says PEER_REFUSED when the PACS does not take the SOP class', async () => {
    const unknown = { ...object('2.25.1004'), sopClassUid: '1.2.3.4.5' };
    await expect(sut.store(unknown)).rejects.toMatchObject({ code: 'PEER_REFUSED' });
  });

  it('says PEER_UNAVAILABLE when the association is rejected or the port is closed', async () => {
    const [closedPort] = await freePorts(1);
    const peer = { host: '127.0.0.1', callingAeTitle: 'GATEWAY', clock: systemClock };
    const wrongTitle = new DimseScu({ ...peer, port, calledAeTitle: 'OTHER' });
    const nobody = new DimseScu({ ...peer, port: closedPort!, calledAeTitle: 'PACS' });
    await expect(wrongTitle.echo()).rejects.toMatchObject({ code: 'PEER_UNAVAILABLE' });
    await expect(nobody.echo()).rejects.toMatchObject({ code: 'PEER_UNAVAILABLE' });
  });

  it('gives up a silent peer at the deadline', async () => {
    const sockets: Socket[] = [];
    const silent: Server = createServer((socket) => void sockets.push(socket.resume()));
    await new Promise<void>((done) => silent.listen(0, '127.0.0.1', done));
    const mutePort = (silent.address() as AddressInfo).port;
    const titles = { calledAeTitle: 'PACS', callingAeTitle: 'GATEWAY' };
    const peer = { host: '127.0.0.1', port: mutePort, ...titles };
    const mute = new DimseScu({ ...peer, clock: systemClock, timeoutMs: 100 });
    await expect(mute.findStudy(STUDY)).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    for (const socket of sockets) socket.destroy();
    silent.close();
  });
});
