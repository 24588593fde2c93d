/**
 * Goal: our SCU and DCMTK's servers understand each other, whatever PDU length they ask for.
 * Method: storescp (bit preserving) and dcmqrscp with a configuration of their own, on free ports.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { DicomDataset, encodeDataset } from '@aifi/dicom-core';
import { systemClock } from '@aifi/shared-kernel';
import { freePorts, hasPeers, temporaryFolder } from '@aifi/shared-testing';
import { DimseScu, type StoreObject } from './dimse-scu.js';
import { peerFaultOf } from './peer-fault.js';

const CT = '1.2.840.10008.5.1.4.1.1.2';
const EXPLICIT = '1.2.840.10008.1.2.1';
const [STUDY, SERIES] = ['2.25.501', '2.25.502'];

function dataset(sopInstanceUid: string): Buffer {
  const slice = new DicomDataset()
    .setString('SpecificCharacterSet', 'ISO_IR 192')
    .setString('SOPClassUID', CT)
    .setString('SOPInstanceUID', sopInstanceUid)
    .setString('StudyDate', '20260101')
    .setString('StudyTime', '101010')
    .setString('AccessionNumber', 'A1')
    .setString('Modality', 'CT')
    .setString('PatientName', 'Ünal^Zoë')
    .setString('PatientID', 'P-é1')
    .setString('PatientBirthDate', '19700102')
    .setString('StudyInstanceUID', STUDY)
    .setString('SeriesInstanceUID', SERIES)
    .setString('StudyID', '1')
    .setString('SeriesNumber', '1')
    .setString('InstanceNumber', '1')
    .setBytes('PixelData', Buffer.alloc(200_000, 5), 'OW');
  return encodeDataset(slice, { explicitVr: true, littleEndian: true });
}
async function* pieces(bytes: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 7_777) yield bytes.subarray(at, at + 7_777);
}

(hasPeers('storescp', 'dcmqrscp') ? describe : describe.skip)('DCMTK servers', () => {
  const folder = temporaryFolder('scu-dcmtk');
  let server: ChildProcess | undefined;
  afterEach(async () => {
    server?.kill();
    if (server?.exitCode === null && server.signalCode === null) await once(server, 'exit');
  });
  afterAll(() => folder.remove());

  async function start(command: string, options: readonly string[], port: number) {
    server = spawn(command, [...options], { stdio: 'ignore' });
    for (let isUp = false; !isUp; await systemClock.sleep(20)) {
      const socket = connect(port, '127.0.0.1');
      isUp = await once(socket, 'connect').then(
        () => true,
        () => false,
      );
      socket.destroy();
    }
    const titles = { calledAeTitle: 'PACS', callingAeTitle: 'GATEWAY' };
    return new DimseScu({ host: '127.0.0.1', port, ...titles, clock: systemClock });
  }

  for (const pduBytes of [4_096, 131_072]) {
    it(`storescp with PDUs of ${pduBytes} gets exactly the bytes`, async () => {
      const [port] = await freePorts(1);
      const out = join(folder.path, `out-${pduBytes}`);
      mkdirSync(out);
      const options = ['-aet', 'PACS', '-od', out, '+B', '-pdu', String(pduBytes), String(port)];
      const sut = await start('storescp', options, port!);
      await sut.echo();
      const bytes = dataset('2.25.503');
      const uids = { sopClassUid: CT, sopInstanceUid: '2.25.503' };
      const object: StoreObject = { ...uids, transferSyntaxUid: EXPLICIT, dataset: bytes };
      for (const source of [bytes, () => pieces(bytes)]) {
        expect(await sut.store({ ...object, dataset: source })).toBe(0);
        const [file] = readdirSync(out);
        expect(readFileSync(join(out, file!)).subarray(-bytes.length).equals(bytes)).toBe(true);
      }
    });
  }

  it('storescp that refuses or aborts is told apart', async () => {
    const [port] = await freePorts(1);
    const sut = await start('storescp', ['--refuse', String(port)], port!);
    const fault = peerFaultOf(await sut.echo().catch((error: unknown) => error));
    expect(fault).toMatchObject({ result: 1 });
    server?.kill();
    await once(server!, 'exit');
    const [second] = await freePorts(1);
    const aborting = await start('storescp', ['--abort-during', String(second)], second!);
    const bytes = dataset('2.25.504');
    const uids = { sopClassUid: CT, sopInstanceUid: '2.25.504' };
    const object = { ...uids, transferSyntaxUid: EXPLICIT, dataset: bytes };
    const store = await aborting.store(object).catch((error: unknown) => error);
    expect(store).toMatchObject({ code: 'PEER_UNAVAILABLE' });
    expect(peerFaultOf(store)).toBeDefined();
  });

  it('dcmqrscp stores, and finds study and instance by exact UID', async () => {
    const [port] = await freePorts(1);
    const archive = join(folder.path, 'archive');
    mkdirSync(archive);
    const configuration = join(folder.path, 'dcmqrscp.cfg');
    const lines = [
      `NetworkTCPPort = ${port}`,
      'MaxPDUSize = 4096',
      'MaxAssociations = 4',
      ...['HostTable BEGIN', 'HostTable END', 'VendorTable BEGIN', 'VendorTable END'],
      ...['AETable BEGIN', `PACS ${archive} RW (10, 1024mb) ANY`, 'AETable END'],
    ];
    writeFileSync(configuration, `${lines.join('\n')}\n`);
    const sut = await start('dcmqrscp', ['-c', configuration], port!);
    expect(await sut.findStudy(STUDY)).toEqual([]);
    const uids = { sopClassUid: CT, sopInstanceUid: '2.25.505' };
    const object = { ...uids, transferSyntaxUid: EXPLICIT, dataset: dataset('2.25.505') };
    expect(await sut.store(object)).toBe(0);
    const [study, ...others] = await sut.findStudy(STUDY);
    expect(others).toEqual([]);
    expect(study).toMatchObject({ studyInstanceUid: STUDY, patientBirthDate: '19700102' });
    expect(await sut.findInstance(STUDY, SERIES, '2.25.505')).toBe(true);
    expect(await sut.findInstance(STUDY, SERIES, '2.25.50')).toBe(false);
    const request = { transactionUid: '2.25.9', objects: [uids] };
    // It offers no storage commitment.
    await expect(sut.requestCommitment(request, 100)).rejects.toMatchObject({
      code: 'PEER_REFUSED',
    });
  });
});
