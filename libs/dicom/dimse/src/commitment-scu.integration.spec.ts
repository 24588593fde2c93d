/**
 * Goal: a request for storage commitment is the one that PS3.4 J describes, its report is taken in
 * whichever order it comes, and one that cannot be used is not answered with Success.
 * Method: a scripted PACS; its report before or after its answer, late, foreign, broken.
 */
import { afterEach, describe, expect, it } from '@jest/globals';
import { DicomDataset, ElementWalker, encodeDataset } from '@aifi/dicom-core';
import { systemClock } from '@aifi/shared-kernel';
import { DimseScu } from './dimse-scu.js';
import { PDU_TYPE } from './pdu.js';
import { PeerStatus, peerFaultOf } from './peer-fault.js';
import { commandSet, ScriptedScp, type ScriptedPeer } from './scripted-scp.js';
import { STORAGE_COMMITMENT_SOP_CLASS } from './storage-commitment.js';

const EXPLICIT = { explicitVr: true, littleEndian: true };
const IMPLICIT = { explicitVr: false, littleEndian: true };
const INSTANCE = '1.2.840.10008.1.20.1.1';
const OBJECT = { sopClassUid: '1.2.840.10008.5.1.4.1.1.7', sopInstanceUid: '2.25.3' };
const REQUEST = { transactionUid: '2.25.9', objects: [OBJECT] };
const REPORT = { transactionUid: '2.25.9', committed: [OBJECT], failed: [] };

function walked(bytes: Buffer, encoding: typeof EXPLICIT): DicomDataset {
  const walker = new ElementWalker(encoding);
  walker.push(bytes);
  return walker.end().dataset;
}
function report(peer: ScriptedPeer, transactionUid: string, eventTypeId = 1): void {
  const item = new DicomDataset()
    .setString('ReferencedSOPClassUID', OBJECT.sopClassUid)
    .setString('ReferencedSOPInstanceUID', OBJECT.sopInstanceUid);
  const dataset = new DicomDataset()
    .setString('TransactionUID', transactionUid)
    .setItems('ReferencedSOPSequence', [item]);
  const fields = { 0x0002: STORAGE_COMMITMENT_SOP_CLASS, 0x0100: 0x0100, 0x0110: 42 };
  const more = { 0x0800: 1, 0x1000: INSTANCE, 0x1002: eventTypeId };
  peer.send(commandSet({ ...fields, ...more }), encodeDataset(dataset, EXPLICIT));
}

describe('DimseScu.requestCommitment', () => {
  let scp: ScriptedScp;
  afterEach(() => scp.close());
  async function scuOf(script: (peer: ScriptedPeer) => Promise<void>): Promise<DimseScu> {
    scp = await ScriptedScp.start(script);
    const titles = { calledAeTitle: 'PACS', callingAeTitle: 'GATEWAY' };
    return new DimseScu({ host: '127.0.0.1', port: scp.port, ...titles, clock: systemClock });
  }
  /** The answer of our SCU to a report. */
  async function answerOf(peer: ScriptedPeer) {
    const { command } = await peer.receive();
    expect(command).toMatchObject({
      field: 0x8100,
      messageId: 42,
      affectedSopInstanceUid: INSTANCE,
    });
    return command.status;
  }

  it('asks for action 1 on the well-known instance, in the default roles', async () => {
    const sut = await scuOf(async (peer) => {
      const association = await peer.accept();
      expect(association.roles).toEqual([]);
      expect(association.contexts[0]?.abstractSyntaxUid).toBe(STORAGE_COMMITMENT_SOP_CLASS);
      const { command, commandBytes, dataset } = await peer.receive();
      const fields = walked(commandBytes, IMPLICIT);
      expect(fields.strings(0x00000003)).toEqual([STORAGE_COMMITMENT_SOP_CLASS]);
      expect(fields.strings(0x00001001)).toEqual([INSTANCE]);
      expect(fields.number(0x00000100)).toBe(0x0130);
      expect(fields.number(0x00001008)).toBe(1);
      expect([0x00000002, 0x00000700, 0x00001000].some((tag) => fields.has(tag))).toBe(false);
      const information = walked(dataset, EXPLICIT);
      expect(information.string('TransactionUID')).toBe('2.25.9');
      const [item] = information.items('ReferencedSOPSequence');
      expect(item?.string('ReferencedSOPInstanceUID')).toBe(OBJECT.sopInstanceUid);
      peer.answer(command, 0);
      report(peer, '2.25.9');
      expect(await answerOf(peer)).toBe(0);
      await peer.release();
    });
    expect(await sut.requestCommitment(REQUEST, 5_000)).toEqual(REPORT);
    await scp.runs[0];
  });

  it('takes a report that comes before the answer', async () => {
    const sut = await scuOf(async (peer) => {
      await peer.accept();
      const { command } = await peer.receive();
      report(peer, '2.25.9');
      expect(await answerOf(peer)).toBe(0);
      peer.answer(command, 0);
      await peer.release();
    });
    expect(await sut.requestCommitment(REQUEST, 5_000)).toEqual(REPORT);
    await scp.runs[0];
  });

  it('goes when no report comes in time, or the PACS releases', async () => {
    const sut = await scuOf(async (peer) => {
      await peer.accept();
      peer.answer((await peer.receive()).command, 0);
      await peer.release();
    });
    expect(await sut.requestCommitment(REQUEST, 50)).toBeUndefined();
    expect(await sut.requestCommitment(REQUEST, 0)).toBeUndefined();
    await Promise.all(scp.runs);
    await scp.close();
    const leaving = await scuOf(async (peer) => {
      await peer.accept();
      peer.answer((await peer.receive()).command, 0);
      await systemClock.sleep(20);
      peer.socket.end(Buffer.from([5, 0, 0, 0, 0, 4, 0, 0, 0, 0]));
      expect((await peer.next())?.type).toBe(6);
    });
    expect(await leaving.requestCommitment(REQUEST, 10_000)).toBeUndefined();
    await scp.runs[0];
  });

  it('does not say Success to a report of another transaction or a broken one', async () => {
    const sut = await scuOf(async (peer) => {
      await peer.accept();
      peer.answer((await peer.receive()).command, 0);
      report(peer, '2.25.8');
      expect(await answerOf(peer)).toBe(0x0110);
      report(peer, '2.25.9', 2);
      expect(await answerOf(peer)).toBe(0x0110);
      report(peer, '2.25.9');
      expect(await answerOf(peer)).toBe(0);
      await peer.release();
    });
    expect(await sut.requestCommitment(REQUEST, 5_000)).toEqual(REPORT);
    await scp.runs[0];
  });

  for (const [status, code] of [
    [0x0122, 'PEER_REFUSED'],
    [0x0124, 'PEER_REFUSED'],
    [0x0110, 'PEER_UNAVAILABLE'],
    [0x0213, 'PEER_UNAVAILABLE'],
  ] as const) {
    it(`ends with ${code} when the PACS answers ${status.toString(16)}`, async () => {
      const sut = await scuOf(async (peer) => {
        await peer.accept();
        peer.answer((await peer.receive()).command, status);
        expect((await peer.next())?.type).toBe(PDU_TYPE.abort);
      });
      const error = await sut.requestCommitment(REQUEST, 100).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code });
      expect(peerFaultOf(error)).toBeInstanceOf(PeerStatus);
      expect(peerFaultOf(error)).toMatchObject({ status });
      await scp.runs[0];
    });
  }
});
