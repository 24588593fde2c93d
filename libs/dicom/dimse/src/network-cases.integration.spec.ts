/**
 * Goal: whatever a peer sends, it gets the exact answer that it must, and the listener serves the
 * next one (security specification 4, DICOM network).
 * Method: a listening SCP and raw sockets; a table of bytes and answers; a fake clock where time
 * decides. Every case ends with a C-ECHO of another peer.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { ElementWalker, encodingOf } from '@aifi/dicom-core';
import { AifiError, LIMITS } from '@aifi/shared-kernel';
import { FakeClock } from '@aifi/shared-testing';
import { ASSOCIATE_CASES, MESSAGE_CASES, type NetworkCase } from '../test/network-cases.table.js';
import { OFFER_CASES } from '../test/offered-contexts.table.js';
import { RawPeer } from '../test/raw-peer.js';
import {
  ABORT,
  associate,
  dataset,
  echo,
  pData,
  pdv,
  RELEASE,
  store,
  storeCommand,
} from '../test/wire.js';
import { PROGRESS_WINDOW_MS } from './connection-watch.js';
import type { ScpRefusal } from './scp-connection.js';
import type { StoreHandler } from './store-exchange.js';
import { startStoreScp, type RunningScp } from './store-scp.js';

const sinks = { begun: 0, ended: 0, aborted: 0 };
/** Says Success to the instance of the command only. */
const handler: StoreHandler = {
  begin: ({ affectedSopInstanceUid, transferSyntaxUid }) => {
    sinks.begun += 1;
    const walker = new ElementWalker(encodingOf(transferSyntaxUid));
    return {
      write: (chunk) => walker.push(chunk),
      end: async () => {
        if (walker.end().dataset.string('SOPInstanceUID') !== affectedSopInstanceUid) {
          throw new AifiError('DICOM_SOP_MISMATCH', 'another instance');
        }
        sinks.ended += 1;
        return 0;
      },
      abort: async () => void (sinks.aborted += 1),
    };
  },
};
const CALLERS = ['PEER', 'SIXTEEN_BYTES_AE'].map((aeTitle) => ({
  aeTitle,
  host: '127.0.0.1',
  plain: true,
}));

describe('network cases', () => {
  const refusals: ScpRefusal[] = [];
  let clock: FakeClock;
  let sut: RunningScp;
  const start = async (callers: typeof CALLERS | 'any' = CALLERS): Promise<RunningScp> => {
    clock = new FakeClock();
    const onRefusal = (refusal: ScpRefusal): void => void refusals.push(refusal);
    const options = { host: '127.0.0.1', port: 0, aeTitle: 'SUT', handler, clock, onRefusal };
    return startStoreScp({ ...options, callers });
  };
  const isServing = async (): Promise<void> => {
    const peer = await RawPeer.open(sut.port);
    const said = await peer.ask(Buffer.concat([associate(), echo(), RELEASE]), 3);
    expect(said).toEqual(['accept 1:0 3:0', 'echo#1 0000', 'release']);
    peer.socket.end();
    await peer.closed();
  };
  const runCase = async (before: Buffer, { sends, answers, ends }: NetworkCase) => {
    const peer = await RawPeer.open(sut.port);
    if (before.length > 0) expect(await peer.ask(before)).toEqual(['accept 1:0 3:0']);
    expect(await peer.ask(sends, answers.length)).toEqual(answers);
    if (ends && answers.at(-1)?.startsWith('reject')) {
      // After a rejection it is the peer that closes (PS3.8 9.2.3, Sta13).
      peer.socket.end();
    }
    if (ends) expect(await peer.next()).toBe('closed');
    else expect(await peer.ask(RELEASE)).toEqual(['release']);
    peer.socket.end();
    await peer.closed();
    await isServing();
  };

  beforeEach(() => {
    refusals.length = 0;
    Object.assign(sinks, { begun: 0, ended: 0, aborted: 0 });
  });

  describe('bytes', () => {
    beforeAll(async () => {
      sut = await start();
    });
    afterAll(() => sut.close());

    it.each([...ASSOCIATE_CASES, ...OFFER_CASES].map((row) => [row.title, row] as const))(
      '%s',
      (_, row) => runCase(Buffer.alloc(0), row),
    );
    it.each(MESSAGE_CASES.map((row) => [row.title, row] as const))(
      'after an association: %s',
      (_, row) => runCase(associate(), row),
    );

    it.each([
      ['ends', Buffer.alloc(0)],
      ['aborts', ABORT],
    ])('a peer that %s after each byte of a short association', async (_, ending) => {
      const whole = Buffer.concat([associate(), echo(), store(), RELEASE]);
      for (let length = 0; length < whole.length; length += 1) {
        const peer = await RawPeer.open(sut.port);
        peer.socket.end(Buffer.concat([whole.subarray(0, length), ending]));
        await peer.closed();
      }
      await isServing();
      // A sink is closed after its connection: the last of them by now or very soon.
      expect(sinks.begun).toBeGreaterThan(0);
      while (sinks.ended + sinks.aborted < sinks.begun) await new Promise(setImmediate);
      expect(sinks.ended + sinks.aborted).toBe(sinks.begun);
    });
  });

  describe('time and numbers', () => {
    beforeEach(async () => {
      sut = await start();
    });
    afterEach(() => sut.close());

    it('cuts an A-ASSOCIATE-RQ that comes one byte a second when ARTIM ends', async () => {
      const peer = await RawPeer.open(sut.port);
      for (let second = 0; second < LIMITS.artimMs / 1000; second += 1) {
        expect(peer.socket.closed).toBe(false);
        peer.socket.write(associate().subarray(second, second + 1));
        await isServing();
        clock.advance(1000);
      }
      await peer.closed();
      await isServing();
      expect(refusals).toEqual([
        { what: 'association', code: 'DEADLINE_EXCEEDED', callingAeTitle: '' },
      ]);
    });

    it('aborts an association whose dataset comes one byte a second', async () => {
      const peer = await RawPeer.open(sut.port);
      await peer.ask(associate());
      peer.socket.write(pData(storeCommand()));
      const slow = pData(pdv(1, 'data', Buffer.alloc(1000)));
      for (let second = 0; second < PROGRESS_WINDOW_MS / 1000; second += 1) {
        peer.socket.write(slow.subarray(second, second + 1));
        if (second === 0) await isServing();
        clock.advance(1000);
      }
      expect(await peer.next()).toBe('abort 2/0');
      await peer.closed();
      await isServing();
      expect(sinks).toEqual({ begun: 1, ended: 0, aborted: 1 });
      expect(refusals[0]).toMatchObject({ what: 'stream', code: 'DEADLINE_EXCEEDED' });
    });

    it('aborts an association that falls silent, and not one that gets on', async () => {
      const [silent, alive] = [await RawPeer.open(sut.port), await RawPeer.open(sut.port)];
      for (const peer of [silent, alive]) await peer.ask(Buffer.concat([associate(), echo()]), 2);
      clock.advance(PROGRESS_WINDOW_MS);
      expect(await alive.ask(store())).toEqual(['store#1 0000']);
      clock.advance(PROGRESS_WINDOW_MS);
      expect(await silent.next()).toBe('abort 2/0');
      expect(await alive.ask(echo(2))).toEqual(['echo#2 0000']);
      alive.socket.destroy();
      await silent.closed();
    });

    it('destroys a connection whose peer does not close it, after the grace', async () => {
      const peer = await RawPeer.open(sut.port);
      expect(await peer.ask(associate({ called: 'OTHER' }))).toEqual(['reject 1/1/7']);
      clock.advance(LIMITS.socketGraceMs - 1);
      await isServing();
      expect(peer.socket.closed).toBe(false);
      clock.advance(1);
      await peer.closed();
    });
  });

  it('serves 64 of 1,000 connections and tells or cuts off the rest', async () => {
    sut = await start('any');
    const waves = Array.from({ length: 1000 }, async (_, i) => {
      // Eight for each of 125 addresses: only the total limit applies.
      const localAddress = `127.0.1.${1 + (i % 125)}`;
      const peer = await RawPeer.open(sut.port, { localAddress });
      const [said = 'closed'] = await peer.ask(associate());
      return { peer, said };
    });
    const outcomes = await Promise.all(waves);
    const of = (said: string): number => outcomes.filter((one) => one.said === said).length;
    expect(of('accept 1:0 3:0')).toBe(LIMITS.associationsMax);
    expect(of('reject 2/3/2')).toBeGreaterThan(0);
    expect(of('reject 2/3/2') + of('closed')).toBe(1000 - LIMITS.associationsMax);
    expect(refusals.filter(({ code }) => code === 'LIMIT_EXCEEDED')).toHaveLength(
      1000 - LIMITS.associationsMax,
    );
    for (const { peer } of outcomes) peer.socket.destroy();
    await Promise.all(outcomes.map(({ peer }) => peer.closed()));
    for (let echoed = ''; echoed !== 'accept 1:0 3:0';) {
      const peer = await RawPeer.open(sut.port);
      [echoed = ''] = await peer.ask(associate());
      peer.socket.destroy();
    }
    await sut.close();
  });

  it('keeps no more of a C-STORE than a slow sink lets it', async () => {
    let [written, release] = [0, (): void => undefined];
    const gate = new Promise<void>((resolve) => (release = resolve));
    const slow: StoreHandler = {
      begin: () => ({
        write: (chunk) => {
          written += chunk.length;
          return gate;
        },
        end: async () => 0,
        abort: async () => undefined,
      }),
    };
    const options = { host: '127.0.0.1', port: 0, aeTitle: 'SUT', callers: 'any' as const };
    const scp = await startStoreScp({ ...options, handler: slow });
    const peer = await RawPeer.open(scp.port);
    await peer.ask(associate());
    const pixels = Buffer.alloc(1_000_000);
    const whole = Buffer.concat(
      Array.from({ length: 64 }, () => pData(pdv(1, 'data', pixels, false))),
    );
    peer.socket.write(Buffer.concat([pData(storeCommand()), whole]));
    while (written === 0) await new Promise(setImmediate);
    // The kernel's buffers are full long before 64 MB: the rest waits at the sender.
    for (let turn = 0; turn < 50; turn += 1) await new Promise(setImmediate);
    expect(written).toBeLessThan(1_000_000);
    expect(peer.socket.writableLength).toBeGreaterThan(0);
    release();
    expect(await peer.ask(pData(pdv(1, 'data', dataset())))).toEqual(['store#1 0000']);
    expect(written).toBe(64_000_000 + dataset().length);
    peer.socket.destroy();
    await scp.close();
  });
});
