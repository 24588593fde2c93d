/**
 * Goal: a connection keeps its slot only while its gateway goes on, and what nobody comes back for
 * is looked for as long as the hub runs. Method: the protocol on real sockets and real files,
 * records in memory, time moved by hand.
 */
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { FRAME, frameHead } from '@aifi/contracts-proto';
import { FolderObjectStore } from '@aifi/hub-object-store';
import { type AifiError, type SiteId } from '@aifi/shared-kernel';
import { FakeClock, temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import { JOB, objectOf, ObjectGateway } from '../../test/object-gateway.js';
import { MemoryObjectRecords } from './memory-object-records.js';
import { ObjectCommit } from './object-commit.js';
import { createObjectProtocol, type ObjectProtocol } from './object-protocol.js';

const siteId = 'site-a' as unknown as SiteId;

const MIB = 1024 ** 2;

describe('slots and beginnings', () => {
  let folder: TemporaryFolder;
  let records: MemoryObjectRecords;
  let store: FolderObjectStore;
  let clock: FakeClock;
  let faults: string[];
  let slots: number;
  let sut: ObjectProtocol;
  let server: Server;

  beforeEach(async () => {
    folder = temporaryFolder('objects-slots');
    records = new MemoryObjectRecords();
    store = new FolderObjectStore(folder.path);
    [clock, faults, slots] = [new FakeClock(), [], 0];
    const enter = (): Promise<() => void> => {
      slots += 1;
      return Promise.resolve(() => void (slots -= 1));
    };
    sut = createObjectProtocol({
      ...{ store, records, clock, admission: { enter } },
      commit: new ObjectCommit({ store, records, clock }),
      onFault: (fault: AifiError) => faults.push(fault.code),
    });
    server = createServer((socket) => sut.accept(socket, { siteId, gateway: 1 }));
    await once(server.listen(0, '127.0.0.1'), 'listening');
  });
  afterEach(async () => {
    await sut.close();
    server.close();
    folder.remove();
  });

  it('gives up a gateway that brings a byte now and then, and keeps what has come', async () => {
    const object = objectOf(randomBytes(2 * MIB));
    records.open(siteId, JOB, [{ ...object.header, lane: 'routine' } as never]);
    const { port } = server.address() as AddressInfo;
    const gateway = new ObjectGateway(connect(port, '127.0.0.1'));
    gateway.header(object.header);
    // Less than a megabyte is not worth keeping.
    gateway.bytes(object.bytes.subarray(0, MIB));
    gateway.socket.write(frameHead(FRAME.chunk, 200_000));
    while (slots === 0) await new Promise((next) => setImmediate(next));
    let isOver = false;
    void gateway.closed.then(() => (isOver = true));
    let passedMs = 0;
    for (; !isOver && passedMs < 600_000; passedMs += 1_000) {
      const second = passedMs / 1_000;
      gateway.socket.write(object.bytes.subarray(MIB + second, MIB + second + 1));
      clock.advance(1_000);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    expect(isOver).toBe(true);
    expect(passedMs).toBeGreaterThanOrEqual(60_000);
    const beginnings = join(folder.path, 'site-a', 'beginnings');
    const isKept = (): boolean => existsSync(beginnings) && readdirSync(beginnings).length > 0;
    while (!isKept() || slots > 0) await new Promise((next) => setImmediate(next));
  });

  it('goes on looking for stale beginnings after a look that failed', async () => {
    let looks = 0;
    store.removeStaleBeginnings = () => {
      looks += 1;
      return looks === 1 ? Promise.reject(new Error('disk')) : Promise.resolve();
    };
    for (const expected of [1, 2, 3]) {
      clock.advance(3_600_000);
      for (let turn = 0; turn < 5; turn += 1) await new Promise((next) => setImmediate(next));
      expect([looks, faults]).toEqual([expected, ['INTERNAL']]);
    }
  });
});
