/**
 * Goal: a report of storage commitment reaches the gateway out of the listener child, and the PACS
 * hears 0000 only when the gateway has kept it.
 * Method: the real child; a PACS of raw bytes that opens an association as SCP of the class.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { DicomDataset, ElementWalker, encodeDataset, encodingOf } from '@aifi/dicom-core';
import { STORAGE_COMMITMENT_SOP_CLASS, type CommitmentReport } from '@aifi/dicom-dimse';
import { GATEWAY_MIGRATIONS, GatewayDatabase } from '@aifi/gateway-database';
import { AifiError, systemClock } from '@aifi/shared-kernel';
import { silentLogger } from '@aifi/shared-observability';
import { keyRingOf } from '@aifi/shared-site-keys';
import { fakeSiteKeys, temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import { createReceiveStage, receiveConfigSchema } from './index.js';

const HOST = '127.0.0.1';
const IMPLICIT = '1.2.840.10008.1.2';
const MR = '1.2.840.10008.5.1.4.1.1.4';
const title = (text: string): Buffer => Buffer.from(text.padEnd(16));
const uint16 = (value: number): Buffer => Buffer.of(value >> 8, value & 0xff);

/** PS3.8 9.3: one item, or a PDU, by its type. */
function item(type: number, ...parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.of(type, 0), uint16(body.length), body]);
}
function pdu(type: number, ...parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.of(type, 0, 0, 0), uint16(body.length), body]);
}
const role = Buffer.concat([
  uint16(STORAGE_COMMITMENT_SOP_CLASS.length),
  Buffer.from(STORAGE_COMMITMENT_SOP_CLASS),
  Buffer.of(0, 1),
]);
const associate = pdu(
  0x01,
  ...[uint16(1), uint16(0), title('AIFI'), title('PACS'), Buffer.alloc(32)],
  item(0x10, Buffer.from('1.2.840.10008.3.1.1.1')),
  item(
    0x20,
    Buffer.of(1, 0, 0, 0),
    item(0x30, Buffer.from(STORAGE_COMMITMENT_SOP_CLASS)),
    item(0x40, Buffer.from(IMPLICIT)),
  ),
  item(
    0x50,
    item(0x51, Buffer.of(0, 0, 0x40, 0)),
    item(0x52, Buffer.from('2.25.9')),
    item(0x54, role),
  ),
);
const data = (header: number, dataset: DicomDataset): Buffer => {
  const value = encodeDataset(dataset, encodingOf(IMPLICIT));
  const length = Buffer.of(0, 0, ...uint16(value.length + 2));
  return pdu(0x04, length, Buffer.of(1, header), value);
};
const command = (): DicomDataset => {
  const elements = new DicomDataset()
    .setString(0x00000002, STORAGE_COMMITMENT_SOP_CLASS, 'UI')
    .setNumbers(0x00000100, [0x0100], 'US')
    .setNumbers(0x00000110, [7], 'US')
    .setNumbers(0x00000800, [1], 'US')
    .setString(0x00001000, `${STORAGE_COMMITMENT_SOP_CLASS}.1`, 'UI')
    .setNumbers(0x00001002, [1], 'US');
  const { length } = encodeDataset(elements, encodingOf(IMPLICIT));
  return elements.setNumbers(0x00000000, [length], 'UL');
};
const reportOn = (sopInstanceUid: string): DicomDataset =>
  new DicomDataset()
    .setString('TransactionUID', '2.25.1')
    .setItems('ReferencedSOPSequence', [
      new DicomDataset()
        .setString('ReferencedSOPClassUID', MR)
        .setString('ReferencedSOPInstanceUID', sopInstanceUid),
    ]);

describe('a report of storage commitment', () => {
  let folder: TemporaryFolder;
  let database: GatewayDatabase;
  let running: Promise<void>;
  let socket: Socket;
  let stop: AbortController;
  const reports: CommitmentReport[] = [];
  let fault: AifiError | undefined;

  beforeEach(async () => {
    folder = temporaryFolder('commitment');
    stop = new AbortController();
    database = GatewayDatabase.open(join(folder.path, 'gateway.db'), GATEWAY_MIGRATIONS);
    const callers = [{ aeTitle: 'PACS', host: HOST, plain: true }];
    const sut = createReceiveStage({
      ...{ database, dataFolder: folder.path, clock: systemClock, logger: silentLogger },
      config: receiveConfigSchema.parse({ port: 0, aeTitle: 'AIFI', callers }),
      keys: keyRingOf(fakeSiteKeys()),

      commitmentFrom: ['PACS'],
      onCommitment: async (told) => {
        if (fault) throw fault;
        reports.push(told);
      },
    });
    running = sut.run(stop.signal);
    socket = connect(await sut.ready, HOST);
    await once(socket, 'connect');
  });
  afterEach(async () => {
    socket.destroy();
    stop.abort();
    await running;
    database.close();
    folder.remove();
  });

  async function asked(bytes: Uint8Array): Promise<Buffer> {
    socket.write(bytes);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    return answer;
  }
  async function told(sopInstanceUid = '2.25.3'): Promise<number | undefined> {
    const report = data(2, reportOn(sopInstanceUid));
    const answer = await asked(Buffer.concat([data(3, command()), report]));
    const walker = new ElementWalker(encodingOf(IMPLICIT));
    walker.push(answer.subarray(12));
    return walker.end().dataset.number(0x00000900);
  }

  it('is answered by what became of it', async () => {
    expect((await asked(associate))[0]).toBe(0x02);
    fault = new AifiError('OUT_OF_RESOURCES', 'full');
    expect(await told()).not.toBe(0);
    fault = undefined;
    expect(await told()).toBe(0);
    const committed = [{ sopClassUid: MR, sopInstanceUid: '2.25.3' }];
    expect(reports).toEqual([{ transactionUid: '2.25.1', committed, failed: [] }]);
  });

  it('does not end the listener with a UID that the gateway does not take', async () => {
    reports.length = 0;
    expect((await asked(associate))[0]).toBe(0x02);
    expect(await told('2.25.03')).not.toBe(0);
    expect(await told()).toBe(0);
    expect(reports).toHaveLength(1);
  });
});
