/**
 * Goal: a dataset of any size leaves with exactly its bytes, in PDUs that the peer takes, and never
 * lies in memory as a whole.
 * Method: a scripted peer with the PDU lengths that peers offer; a generated dataset; a peer that
 * does not read for a while.
 */
import { createHash } from 'node:crypto';
import { afterEach, describe, expect, it } from '@jest/globals';
import { LIMITS, systemClock } from '@aifi/shared-kernel';
import { DimseScu, type StoreObject } from './dimse-scu.js';
import { ScriptedScp, type ScriptedMessage } from './scripted-scp.js';

const OBJECT: Omit<StoreObject, 'dataset'> = {
  sopClassUid: '1.2.840.10008.5.1.4.1.1.7',
  sopInstanceUid: '2.25.3',
  transferSyntaxUid: '1.2.840.10008.1.2.4.80',
};
const MEBIBYTE = 1024 * 1024;
const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

describe('C-STORE of a stream', () => {
  let scp: ScriptedScp;
  afterEach(() => scp.close());

  async function start(pduBytesMax: number, isKept: boolean, pauseMs = 0) {
    const messages: ScriptedMessage[] = [];
    scp = await ScriptedScp.start(async (peer) => {
      await peer.accept({ pduBytesMax });
      await systemClock.sleep(pauseMs);
      const message = await peer.receive(isKept);
      messages.push(message);
      peer.answer(message.command, 0);
      await peer.release();
    });
    const titles = { calledAeTitle: 'PACS', callingAeTitle: 'GATEWAY' };
    const peer = { host: '127.0.0.1', port: scp.port, ...titles };
    return { sut: new DimseScu({ ...peer, clock: systemClock }), messages };
  }

  // 0: no limit (PS3.8 D.1). An odd limit leaves room for an even fragment only.
  for (const pduBytesMax of [0, 8, 4_096, 4_097, 16_384, 65_536, MEBIBYTE, 0xffffffff]) {
    it(`keeps to a PDU length of ${pduBytesMax}`, async () => {
      const { sut, messages } = await start(pduBytesMax, true);
      const length = pduBytesMax === 8 ? 64 : 700_002;
      const dataset = Buffer.from(Array.from({ length }, (_, index) => (index * 7) & 255));
      async function* odd(): AsyncGenerator<Uint8Array> {
        for (let at = 0; at < length; at += 9_999) yield dataset.subarray(at, at + 9_999);
      }
      for (const source of [dataset, odd]) {
        expect(await sut.store({ ...OBJECT, dataset: source })).toBe(0);
      }
      const limit = Math.min(pduBytesMax || Infinity, LIMITS.pduSendBytesMax);
      for (const { fragments, ...message } of messages) {
        expect(digest(message.dataset)).toBe(digest(dataset));
        expect(message.command.affectedSopInstanceUid).toBe(OBJECT.sopInstanceUid);
        expect(fragments.every((bytes) => bytes % 2 === 0 && bytes > 0)).toBe(true);
        expect(message.pduBytes).toBeLessThanOrEqual(limit);
        expect(fragments[0]! + 6).toBeLessThanOrEqual(limit);
        expect(fragments[0]! + 8).toBeGreaterThan(Math.min(limit, length));
      }
      expect(messages).toHaveLength(2);
    });
  }

  it('reads on only as fast as the peer takes it, and holds no more than that', async () => {
    const { sut, messages } = await start(16_384, false, 300);
    const sizeMebibytes = 512;
    let [given, givenAtPause] = [0, 0];
    async function* large(): AsyncGenerator<Uint8Array> {
      for (; given < sizeMebibytes; given += 1) yield Buffer.alloc(MEBIBYTE, given);
    }
    const atStart = process.memoryUsage().rss;
    let peak = atStart;
    void systemClock.sleep(200).then(() => (givenAtPause = given));
    const over = new AbortController();
    const watched = (async () => {
      for (; !over.signal.aborted; await systemClock.sleep(20, over.signal)) {
        peak = Math.max(peak, process.memoryUsage().rss);
      }
    })();
    expect(await sut.store({ ...OBJECT, dataset: large })).toBe(0);
    over.abort();
    await watched;
    expect(messages[0]?.datasetBytes).toBe(sizeMebibytes * MEBIBYTE);
    // What the two kernel buffers of a loopback connection hold, and one chunk.
    expect(givenAtPause).toBeLessThan(24);
    // Garbage of both sides included; the whole object would be twice that.
    expect((peak - atStart) / MEBIBYTE).toBeLessThan(sizeMebibytes / 2);
  }, 30_000);
});
