/**
 * Goal: reports of storage commitment reach us from the PACS that may send them, in the role of an
 * SCP, and are answered by what became of them; nobody can ask us to commit (H10).
 * Method: a listening SCP and raw sockets; hand-made Event Information datasets.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { DicomDataset, encodeDataset, encodingOf } from '@aifi/dicom-core';
import { AifiError } from '@aifi/shared-kernel';
import { RawPeer } from '../test/raw-peer.js';
import {
  associate,
  COMMITMENT,
  commandSet,
  context,
  CT,
  element,
  EXPLICIT,
  IMPLICIT,
  pData,
  pdv,
  role,
  store,
  uint16,
  userInformation,
} from '../test/wire.js';

import type { CommitmentReport } from './storage-commitment.js';
import { startStoreScp, type RunningScp } from './store-scp.js';

const DEFLATED = '1.2.840.10008.1.2.1.99';
const INSTANCE = '1.2.840.10008.1.20.1.1';
const reference = (instance: string): DicomDataset =>
  new DicomDataset()
    .setString('ReferencedSOPClassUID', CT)
    .setString('ReferencedSOPInstanceUID', instance);

function eventInformation(isWhole = true): DicomDataset {
  const dataset = new DicomDataset()
    .setString('TransactionUID', '1.2.9')
    .setItems('ReferencedSOPSequence', [reference('1.2.1')]);
  if (isWhole) return dataset;
  const failure = reference('1.2.2').setNumbers('FailureReason', [0x0112]);
  return dataset.setItems('FailedSOPSequence', [failure]);
}
interface ReportParts {
  readonly eventType?: number;
  readonly instance?: string;
  readonly sopClass?: string;
  readonly field?: number;
  readonly bytes?: Buffer;
}
/** N-EVENT-REPORT-RQ with message id 7 on context 1. */
function report(parts: ReportParts = {}): Buffer {
  const { eventType = 1, instance = INSTANCE, sopClass = COMMITMENT, field = 0x0100 } = parts;
  const { bytes = encodeDataset(eventInformation(eventType === 1), encodingOf(EXPLICIT)) } = parts;
  const command = Buffer.concat([
    commandSet({ field, messageId: 7, sopClassUid: sopClass, sopInstanceUid: instance }),
    element(0x1002, uint16(eventType)),
  ]);
  return pData(pdv(1, 'command', command), pdv(1, 'data', bytes));
}
const asScp = (syntaxes = [EXPLICIT], roles = role(COMMITMENT, 0, 1), calling = 'PACS'): Buffer =>
  associate({
    calling,
    contexts: [context(1, COMMITMENT, syntaxes), context(3)],
    userInformation: userInformation(roles),
  });

describe('reception of storage commitment reports', () => {
  const reports: [CommitmentReport, string][] = [];
  let failure: AifiError | undefined;
  let sut: RunningScp;

  beforeAll(async () => {
    sut = await startStoreScp({
      host: '127.0.0.1',
      port: 0,
      aeTitle: 'SUT',
      callers: ['PACS', 'CT1'].map((aeTitle) => ({ aeTitle, host: '127.0.0.1', plain: true })),
      handler: {
        begin: () => ({
          write: () => undefined,
          end: async () => 0,
          abort: async () => undefined,
        }),
      },
      commitment: {
        from: ['PACS'],
        onReport: async (told, callingAeTitle) => {
          if (failure) throw failure;
          reports.push([told, callingAeTitle]);
        },
      },
    });
  });
  afterAll(() => sut.close());
  beforeEach(() => {
    reports.length = 0;
    failure = undefined;
  });
  async function associated(request = asScp()): Promise<RawPeer> {
    const peer = await RawPeer.open(sut.port);
    expect(await peer.ask(request)).toEqual(['accept 1:0 3:0 role 0/1']);
    return peer;
  }

  it('takes a report of success and one with failures', async () => {
    const peer = await associated();
    expect(await peer.ask(report())).toEqual(['event-report#7 0000']);
    expect(await peer.ask(report({ eventType: 2 }))).toEqual(['event-report#7 0000']);
    const committed = [{ sopClassUid: CT, sopInstanceUid: '1.2.1' }];
    const failed = [{ sopClassUid: CT, sopInstanceUid: '1.2.2', reason: 0x0112 }];
    expect(reports).toEqual([
      [{ transactionUid: '1.2.9', committed, failed: [] }, 'PACS'],
      [{ transactionUid: '1.2.9', committed, failed }, 'PACS'],
    ]);
    peer.socket.destroy();
  });

  it('answers with the fault of who keeps it, so that the PACS sends it again', async () => {
    const peer = await associated();
    failure = new AifiError('INTERNAL', 'not kept');
    expect(await peer.ask(report())).toEqual(['event-report#7 0110']);
    failure = undefined;
    expect(await peer.ask(report())).toEqual(['event-report#7 0000']);
    peer.socket.destroy();
  });

  it.each<[string, ReportParts, string]>([
    ['another SOP class', { sopClass: CT }, '0118'],
    ['another SOP instance', { instance: '1.2.3' }, '0112'],
    ['an unknown event', { eventType: 3 }, '0113'],
    ['a dataset of noise', { bytes: Buffer.alloc(50, 0xa5) }, '0115'],
    ['an empty dataset', { bytes: Buffer.alloc(0) }, '0115'],
  ])('refuses a report of %s', async (_, parts, status) => {
    const peer = await associated();
    expect(await peer.ask(report(parts))).toEqual([`event-report#7 ${status}`]);
    expect(reports).toEqual([]);
    peer.socket.destroy();
  });

  it('keeps the order of reports and C-STOREs', async () => {
    const peer = await associated();
    const images = pData(pdv(3, 'command', commandSet()), pdv(3, 'data', Buffer.alloc(8)));
    const said = await peer.ask(Buffer.concat([images, report(), images]), 3);
    expect(said).toEqual(['store#1 0000', 'event-report#7 0000', 'store#1 0000']);
    peer.socket.destroy();
  });

  it.each([
    ['without roles', Buffer.alloc(0), 'PACS', 'accept 1:3 3:0'],
    ['as SCU only', role(COMMITMENT, 1, 0), 'PACS', 'accept 1:3 3:0'],
    ['as both', role(COMMITMENT, 1, 1), 'PACS', 'accept 1:0 3:0 role 0/1'],
    ['by one that may not report', role(COMMITMENT, 0, 1), 'CT1', 'accept 1:3 3:0'],
  ])('answers the class proposed %s', async (_, roles, calling, answer) => {
    const peer = await RawPeer.open(sut.port);
    expect(await peer.ask(asScp([EXPLICIT], roles, calling))).toEqual([answer]);
    peer.socket.destroy();
  });

  it('accepts a report in a syntax that it reads', async () => {
    const peer = await associated(asScp([DEFLATED, IMPLICIT]));
    const bytes = encodeDataset(eventInformation(), encodingOf(IMPLICIT));
    expect(await peer.ask(report({ bytes }))).toEqual(['event-report#7 0000']);
    peer.socket.destroy();
  });

  it.each([
    ['an N-ACTION', report({ field: 0x0130 }), 'abort 2/2'],
    ['a C-STORE of the class', store(), 'store#1 0122'],
  ])('refuses %s of one that may report', async (_, bytes, answer) => {
    const peer = await associated();
    expect(await peer.ask(bytes)).toEqual([answer]);
    expect(reports).toEqual([]);
    peer.socket.destroy();
  });
});
