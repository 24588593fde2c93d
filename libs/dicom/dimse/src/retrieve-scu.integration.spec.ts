/**
 * Goal: whatever a provider of C-MOVE or C-GET does, its end is told as what it was, objects come
 * out byte by byte and are answered only when their sink said so, and nobody waits for ever.
 * Method: a scripted SCP that counts wrongly, falls silent, aborts, sends more than it announced,
 * or knows no destination; the clock is moved by hand where time decides.
 */
import { once } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { ElementWalker } from '@aifi/dicom-core';
import { systemClock } from '@aifi/shared-kernel';
import { FakeClock } from '@aifi/shared-testing';
import { COMMAND_FIELD } from './command-set.js';
import { peerFaultOf } from './peer-fault.js';
import { RetrieveScu, type GetOrder, type RetrieveScuOptions } from './retrieve-scu.js';
import { retrieveReason } from './retrieve-status.js';
import { commandSet, ScriptedScp, type ScriptedPeer } from './scripted-scp.js';
import type { StoreHandler, StoreRequest } from './store-exchange.js';

const CT = '1.2.840.10008.5.1.4.1.1.2';
const EXPLICIT = '1.2.840.10008.1.2.1';
const STUDY = '2.25.701';
const MOVE = { studyInstanceUid: STUDY, objectsMax: 10, signal: new AbortController().signal };

type Counts = readonly [remaining: number, completed: number, failed: number, warning: number];
/** An answer to C-MOVE or C-GET. */
function answer(peer: ScriptedPeer, field: number, status: number, counts?: Counts): void {
  const tags = [0x1020, 0x1021, 0x1022, 0x1023];
  const counted = Object.fromEntries((counts ?? []).map((count, at) => [tags[at]!, count]));
  const fields = { 0x0100: field | 0x8000, 0x0120: 1, 0x0800: 0x0101, 0x0900: status };
  peer.send(commandSet({ ...fields, ...counted }));
}
/** A C-STORE sub-operation on the first storage context. */
function store(peer: ScriptedPeer, uid: string, dataset: Buffer, messageId = 7): void {
  const fields = { 0x0002: CT, 0x0100: COMMAND_FIELD.storeRequest, 0x0110: messageId };
  const rest = { 0x0700: 0, 0x0800: 1, 0x1000: uid };
  peer.send(commandSet({ ...fields, ...rest }), dataset, 3);
}

class Kept implements StoreHandler {
  readonly objects: { readonly request: StoreRequest; readonly bytes: Buffer }[] = [];
  readonly aborted: string[] = [];
  status = 0;
  hold: Promise<void> = Promise.resolve();

  begin(request: StoreRequest) {
    const chunks: Uint8Array[] = [];
    return {
      write: (chunk: Uint8Array) => void chunks.push(Buffer.from(chunk)),
      end: async () => {
        await this.hold;
        this.objects.push({ request, bytes: Buffer.concat(chunks) });
        return this.status;
      },
      abort: async () => void this.aborted.push(request.affectedSopInstanceUid),
    };
  }
}

describe('RetrieveScu', () => {
  let scp: ScriptedScp | undefined;
  afterEach(async () => {
    await scp?.close().catch(() => undefined);
    scp = undefined;
  });

  async function sutOf(
    script: (peer: ScriptedPeer) => Promise<void>,
    options: Partial<RetrieveScuOptions> = {},
  ): Promise<RetrieveScu> {
    scp = await ScriptedScp.start(script);
    const titles = { calledAeTitle: 'PACS', callingAeTitle: 'GATEWAY' };
    const address = { host: '127.0.0.1', port: scp.port };
    return new RetrieveScu({ ...address, ...titles, clock: systemClock, ...options });
  }
  const getOrder = (handler: StoreHandler, more: Partial<GetOrder> = {}): GetOrder => {
    return { ...MOVE, handler, sopClassUids: [CT], ...more };
  };

  describe('move', () => {
    it('names study, level and destination, and counts what the provider says', async () => {
      let asked: unknown;
      const sut = await sutOf(async (peer) => {
        await peer.accept();
        const { commandBytes, dataset } = await peer.receive();
        const walker = new ElementWalker({ explicitVr: true, littleEndian: true });
        walker.push(dataset);
        const query = walker.end().dataset;
        asked = [
          commandBytes.includes('GATEWAY'),
          query.string('QueryRetrieveLevel'),
          query.string('StudyInstanceUID'),
          query.string('SeriesInstanceUID'),
        ];
        answer(peer, COMMAND_FIELD.moveRequest, 0xff00, [2, 1, 0, 0]);
        answer(peer, COMMAND_FIELD.moveRequest, 0xff00, [1, 2, 0, 0]);
        answer(peer, COMMAND_FIELD.moveRequest, 0, [0, 2, 0, 1]);
        await peer.release();
      });
      expect(await sut.move({ ...MOVE, seriesInstanceUid: '2.25.9' }, 'GATEWAY')).toEqual({
        status: 0,
        subOperations: { remaining: 0, completed: 2, failed: 0, warning: 1 },
        ...{ pending: 2, objects: 0 },
      });
      expect(asked).toEqual([true, 'SERIES', STUDY, '2.25.9']);
    });

    it.each([
      [0xa701, 'CANNOT_COUNT'],
      [0xa702, 'CANNOT_SEND'],
      [0xa801, 'UNKNOWN_DESTINATION'],
      [0xa900, 'NOT_MATCHING'],
      [0xc001, 'CANNOT_PROCESS'],
      [0xb000, 'PARTLY'],
      [0x0122, 'NOT_OFFERED'],
      [0x0124, 'NOT_AUTHORISED'],
      [0x0110, 'FAILED'],
    ])('ends with the status of the provider: %i', async (status, reason) => {
      const sut = await sutOf(async (peer) => {
        await peer.accept();
        await peer.receive();
        answer(peer, COMMAND_FIELD.moveRequest, status);
        await peer.release();
      });
      const outcome = await sut.move(MOVE, 'GATEWAY');
      expect([outcome.status, retrieveReason(outcome.status)]).toEqual([status, reason]);
    });

    it('is PEER_REFUSED where the class is not offered', async () => {
      const sut = await sutOf(async (peer) => void (await peer.accept({ result: 3 })));
      await expect(sut.move(MOVE, 'GATEWAY')).rejects.toMatchObject({ code: 'PEER_REFUSED' });
    });

    it('takes no more sub-operations than there can be', async () => {
      const sut = await sutOf(async (peer) => {
        await peer.accept();
        await peer.receive();
        answer(peer, COMMAND_FIELD.moveRequest, 0xff00, [0, 11, 0, 0]);
      });
      await expect(sut.move(MOVE, 'GATEWAY')).rejects.toMatchObject({ code: 'PEER_UNAVAILABLE' });
    });

    it('gives a provider up that falls silent in the middle', async () => {
      const clock = new FakeClock();
      let isAsked = false;
      const sut = await sutOf(
        async (peer) => {
          await peer.accept();
          await peer.receive();
          isAsked = true;
        },
        { clock, idleMs: 60_000 },
      );
      const moved = sut.move(MOVE, 'GATEWAY').catch((error: unknown) => error);
      while (!isAsked) await setImmediate();
      for (let turn = 0; turn < 50; turn += 1) await setImmediate();
      clock.advance(60_001);
      expect(await moved).toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    });

    it('tells an abort in the middle apart', async () => {
      const sut = await sutOf(async (peer) => {
        await peer.accept();
        await peer.receive();
        answer(peer, COMMAND_FIELD.moveRequest, 0xff00, [1, 1, 0, 0]);
        peer.abort(2, 0);
      });
      const error = await sut.move(MOVE, 'GATEWAY').catch((fault: unknown) => fault);
      expect(peerFaultOf(error)).toMatchObject({ phase: 'answer', source: 2 });
    });

    it('cancels with a C-CANCEL of its own message, and ends with what is answered', async () => {
      const cancel = new AbortController();
      let cancelled: unknown;
      const sut = await sutOf(async (peer) => {
        await peer.accept();
        await peer.receive();
        answer(peer, COMMAND_FIELD.moveRequest, 0xff00, [1, 1, 0, 0]);
        cancel.abort();
        const { command } = await peer.receive();
        cancelled = [command.field, command.messageId, command.hasDataset];
        answer(peer, COMMAND_FIELD.moveRequest, 0xfe00, [1, 1, 0, 0]);
        await peer.release();
      });
      const outcome = await sut.move({ ...MOVE, signal: cancel.signal }, 'GATEWAY');
      expect(cancelled).toEqual([COMMAND_FIELD.cancelRequest, 1, false]);
      expect(retrieveReason(outcome.status)).toBe('CANCELLED');
    });

    it('does not wait for a provider that does not heed the cancel', async () => {
      const clock = new FakeClock();
      const cancel = new AbortController();
      let isHeard = false;
      const sut = await sutOf(
        async (peer) => {
          await peer.accept();
          await peer.receive();
          cancel.abort();
          await peer.receive();
          isHeard = true;
        },
        { clock, cancelGraceMs: 5_000 },
      );
      const order = { ...MOVE, signal: cancel.signal };
      const moved = sut.move(order, 'GATEWAY').catch((error: unknown) => error);
      while (!isHeard) await setImmediate();
      for (let turn = 0; turn < 50; turn += 1) await setImmediate();
      clock.advance(5_001);
      expect(await moved).toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    });
  });

  describe('get', () => {
    it('proposes the role of SCP for each class, one context for each syntax', async () => {
      let roles: unknown;
      const sut = await sutOf(async (peer) => {
        const request = await peer.accept();
        await peer.receive();
        roles = request.roles;
        expect(request.contexts.slice(1).every((one) => one.abstractSyntaxUid === CT)).toBe(true);
        expect(request.contexts.slice(1).every((one) => one.transferSyntaxUids.length === 1)).toBe(
          true,
        );
        answer(peer, COMMAND_FIELD.getRequest, 0, [0, 0, 0, 0]);
        await peer.release();
      });
      await sut.get(getOrder(new Kept()));
      expect(roles).toEqual([{ sopClassUid: CT, isScu: false, isScp: true }]);
    });

    it('hands bytes on as they came and answers when the sink is done, not before', async () => {
      const kept = new Kept();
      const durable = Promise.withResolvers<void>();
      kept.hold = durable.promise;
      const bytes = Buffer.from(Array.from({ length: 700_000 }, (_, at) => at & 255));
      let statuses: unknown[] = [];
      const sut = await sutOf(async (peer) => {
        await peer.accept();
        await peer.receive();
        store(peer, '2.25.1', bytes.subarray(0, 500_000), 7);
        const answered = peer.receive();
        const early = await Promise.race([
          answered.then(() => 'answered'),
          systemClock.sleep(100).then(() => 'waits'),
        ]);
        durable.resolve();
        statuses = [early, (await answered).command.status];
        store(peer, '2.25.2', bytes.subarray(500_000), 9);
        const second = (await peer.receive()).command;
        statuses.push(second.status, second.messageId, second.affectedSopInstanceUid);
        answer(peer, COMMAND_FIELD.getRequest, 0, [0, 2, 0, 0]);
        await peer.release();
      });
      expect(await sut.get(getOrder(kept))).toMatchObject({ status: 0, objects: 2 });
      expect(statuses).toEqual(['waits', 0, 0, 9, '2.25.2']);
      expect(Buffer.concat(kept.objects.map((one) => one.bytes)).equals(bytes)).toBe(true);
      expect(kept.objects[0]!.request).toMatchObject({
        affectedSopClassUid: CT,
        transferSyntaxUid: EXPLICIT,
      });
    });

    it('tells the provider what the sink said', async () => {
      const kept = new Kept();
      kept.status = 0xa900;
      let status: number | undefined;
      const sut = await sutOf(async (peer) => {
        await peer.accept();
        await peer.receive();
        store(peer, '2.25.1', Buffer.alloc(20));
        status = (await peer.receive()).command.status;
        answer(peer, COMMAND_FIELD.getRequest, 0xb000, [0, 0, 1, 0]);
        await peer.release();
      });
      const outcome = await sut.get(getOrder(kept));
      expect([status, outcome.subOperations.failed]).toEqual([0xa900, 1]);
    });

    it('takes no more objects than there can be, and drops the one too many', async () => {
      const kept = new Kept();
      const sut = await sutOf(async (peer) => {
        await peer.accept();
        await peer.receive();
        for (const uid of ['2.25.1', '2.25.2', '2.25.3']) {
          store(peer, uid, Buffer.alloc(20));
          await peer.receive();
        }
      });
      const fault = sut.get(getOrder(kept, { objectsMax: 2 }));
      await expect(fault).rejects.toMatchObject({ code: 'PEER_UNAVAILABLE' });
      expect(kept.objects).toHaveLength(2);
    });

    it('drops an object whose provider aborts in the middle of it', async () => {
      const kept = new Kept();
      const sut = await sutOf(async (peer) => {
        await peer.accept();
        await peer.receive();
        const fields = { 0x0002: CT, 0x0100: 1, 0x0110: 3, 0x0700: 0, 0x0800: 1 };
        peer.send(commandSet({ ...fields, 0x1000: '2.25.1' }), undefined, 3);
        // A fragment that is not the last one: P-DATA-TF, PDV of 10 bytes on context 3.
        peer.socket.write(Buffer.from([4, 0, 0, 0, 0, 14, 0, 0, 0, 10, 3, 0, ...Buffer.alloc(8)]));
        peer.abort(0, 0);
      });
      const fault = sut.get(getOrder(kept));
      await expect(fault).rejects.toMatchObject({ code: 'PEER_UNAVAILABLE' });
      while (kept.aborted.length === 0) await setImmediate();
      expect([kept.objects, kept.aborted]).toEqual([[], ['2.25.1']]);
    });

    it('holds the provider while its sink is busy, however large the object', async () => {
      const [fragment, fragments] = [128 * 1024, 1_024];
      let [sent, taken, most] = [0, 0, 0];
      const slow: StoreHandler = {
        begin: () => ({
          write: async (chunk) => {
            await setImmediate();
            taken += chunk.length;
            most = Math.max(most, sent - taken);
          },
          end: async () => 0,
          abort: async () => undefined,
        }),
      };
      const sut = await sutOf(async (peer) => {
        await peer.accept();
        await peer.receive();
        const fields = { 0x0002: CT, 0x0100: 1, 0x0110: 3, 0x0700: 0, 0x0800: 1 };
        peer.send(commandSet({ ...fields, 0x1000: '2.25.1' }), undefined, 3);
        const pdu = Buffer.alloc(12 + fragment);
        pdu[0] = 4;
        pdu.writeUInt32BE(6 + fragment, 2);
        pdu.writeUInt32BE(2 + fragment, 6);
        pdu[10] = 3;
        for (let at = 1; at <= fragments; at += 1) {
          const last = Buffer.from(pdu);
          last[11] = 2;
          sent += fragment;
          if (!peer.socket.write(at === fragments ? last : pdu)) await once(peer.socket, 'drain');
        }
        await peer.receive();
        answer(peer, COMMAND_FIELD.getRequest, 0, [0, 1, 0, 0]);
        await peer.release();
      });
      expect((await sut.get(getOrder(slow))).status).toBe(0);
      expect(taken).toBe(fragment * fragments);
      // Of 128 MiB: socket buffers of both ends, and the fragments that may wait.
      expect(most).toBeLessThan(24 * 1024 * 1024);
    });

    it('takes an object on no context but the one of its class', async () => {
      const kept = new Kept();
      const sut = await sutOf(async (peer) => {
        await peer.accept();
        await peer.receive();
        const fields = { 0x0002: '1.2.840.10008.5.1.4.1.1.4', 0x0100: 1, 0x0110: 3, 0x0800: 1 };
        peer.send(commandSet({ ...fields, 0x1000: '2.25.1' }), Buffer.alloc(20), 3);
        expect((await peer.receive()).command.status).toBe(0x0122);
        answer(peer, COMMAND_FIELD.getRequest, 0xb000, [0, 0, 1, 0]);
        await peer.release();
      });
      expect((await sut.get(getOrder(kept))).status).toBe(0xb000);
      expect(kept.objects).toEqual([]);
      await scp!.close();
    });
  });
});
