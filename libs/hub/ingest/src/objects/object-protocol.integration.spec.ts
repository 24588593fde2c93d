/**
 * Goal: an object is acknowledged when it is durable and listed by a job of the caller, and only
 * then; whatever else a gateway sends ends the connection and leaves nothing, or a beginning.
 * Method: the protocol on real sockets and real files, records in memory, time moved by hand.
 */
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { join } from 'node:path';
import { zstdCompressSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type AifiError, type SiteId } from '@aifi/shared-kernel';
import { FRAME, frameHead, frameOf } from '@aifi/contracts-proto';
import { FolderObjectStore } from '@aifi/hub-object-store';
import { FakeClock, temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import { JOB, objectOf, ObjectGateway, type Made } from '../../test/object-gateway.js';
import type { Admission } from '../admission.js';
import { MemoryObjectRecords } from './memory-object-records.js';
import { ObjectCommit } from './object-commit.js';
import { createObjectProtocol, type ObjectProtocol } from './object-protocol.js';

const MIB = 1024 ** 2;
const [siteA, siteB] = ['site-a', 'site-b'] as unknown as [SiteId, SiteId];

describe(createObjectProtocol.name, () => {
  let folder: TemporaryFolder;
  let records: MemoryObjectRecords;
  let store: FolderObjectStore;
  let clock: FakeClock;
  let faults: string[];
  let entered: number;
  let left: number;
  let accepted: number;
  let admitted: Promise<void>;
  let sut: ObjectProtocol;
  let server: Server;
  let peer: { siteId: SiteId; gateway: number };

  beforeEach(async () => {
    folder = temporaryFolder('objects');
    records = new MemoryObjectRecords();
    store = new FolderObjectStore(folder.path);
    clock = new FakeClock();
    faults = [];
    [entered, left, accepted, admitted] = [0, 0, 0, Promise.resolve()];
    peer = { siteId: siteA, gateway: 1 };
    const admission: Admission = {
      enter: () => {
        entered += 1;
        return admitted.then(() => () => void (left += 1));
      },
    };
    sut = createObjectProtocol({
      ...{ store, records, clock, admission },
      commit: new ObjectCommit({ store, records, clock }),
      onFault: (fault: AifiError) => faults.push(fault.code),
    });
    server = createServer((socket) => sut.accept(socket, peer)).listen(0, '127.0.0.1');
    server.on('connection', () => (accepted += 1));
    await once(server, 'listening');
  });
  afterEach(async () => {
    await sut.close();
    server.close();
    folder.remove();
    expect(left).toBe(entered);
  });

  const dial = (): ObjectGateway =>
    new ObjectGateway(connect((server.address() as AddressInfo).port, '127.0.0.1'));
  function list(...objects: readonly Made[]): void {
    const listed = objects.map(({ header }) => ({ ...header, lane: 'routine' }) as never);
    records.open(siteA, JOB, listed);
  }
  const kept = (name: string): string[] => {
    const path = join(folder.path, 'site-a', name);
    return existsSync(path) ? readdirSync(path) : [];
  };
  const incoming = (name: string): string => join(folder.path, 'site-a', 'incoming', name);
  async function turns(count: number): Promise<void> {
    for (let turn = 0; turn < count; turn += 1) await new Promise((next) => setImmediate(next));
  }
  async function pass(ms: number): Promise<void> {
    clock.advance(ms);
    await turns(5);
  }

  it('acknowledges each object once its bytes and its row are there', async () => {
    const objects = [10, 0, 700_001, 3 * MIB].map((size) => objectOf(randomBytes(size)));
    list(...objects);
    const gateway = dial();
    for (const object of objects) gateway.send(object);
    await gateway.until(() => gateway.acks.length === objects.length);
    for (const { bytes, header } of objects) {
      expect(gateway.acks).toContain(header.sha256);
      expect(readFileSync(store.path(siteA, header.sha256 as never)).equals(bytes)).toBe(true);
      expect(records.holds(siteA, header.sha256)).toBe(true);
    }
    expect(kept('incoming')).toEqual([]);
    expect(faults).toEqual([]);
  });

  it('takes compressed chunks, each on its own', async () => {
    const bytes = Buffer.alloc(600_000, 'a pattern that compresses well; ');
    const object = objectOf(bytes, { encoding: 'zstd' });
    list(object);
    const gateway = dial();
    gateway.header(object.header);
    for (let at = 0; at < bytes.length; at += 250_000) {
      const chunk = zstdCompressSync(bytes.subarray(at, at + 250_000));
      gateway.socket.write(frameOf(FRAME.chunk, chunk));
    }
    await gateway.until(() => gateway.acks.length === 1);
    const path = store.path(siteA, object.header.sha256 as never);
    expect(readFileSync(path).equals(bytes)).toBe(true);
  });

  const some = randomBytes(2 * MIB);
  it.each<[string, string, (gateway: ObjectGateway) => void]>([
    [
      'an object of a job that does not list it',
      'NOT_FOUND',
      (gateway) => {
        gateway.send(objectOf(randomBytes(10)));
      },
    ],
    [
      'another size than is listed',
      'NOT_FOUND',
      (gateway) => {
        gateway.header(objectOf(some, { sizeBytes: 11 }).header);
      },
    ],
    [
      'an offset of which nothing is held',
      'STATE_CONFLICT',
      (gateway) => {
        gateway.send(objectOf(some, { offsetBytes: MIB }));
      },
    ],
    [
      'an offset behind the end',
      'STATE_CONFLICT',
      (gateway) => {
        gateway.header(objectOf(some, { offsetBytes: 3 * MIB }).header);
      },
    ],
    [
      'other bytes than were declared',
      'DIGEST_MISMATCH',
      (gateway) => {
        gateway.header(objectOf(some).header);
        gateway.bytes(randomBytes(2 * MIB));
      },
    ],
    [
      'more bytes than were declared',
      'INVALID_ARGUMENT',
      (gateway) => {
        gateway.header(objectOf(some).header);
        gateway.bytes(some.subarray(0, 2 * MIB - 10));
        gateway.bytes(randomBytes(11));
      },
    ],
    ['bytes without a header', 'INVALID_ARGUMENT', (gateway) => gateway.bytes(randomBytes(10))],
    [
      'a header within an object',
      'INVALID_ARGUMENT',
      (gateway) => {
        gateway.header(objectOf(some).header);
        gateway.header(objectOf(some).header);
      },
    ],
    [
      'a header over 8 KiB',
      'LIMIT_EXCEEDED',
      (gateway) => {
        gateway.socket.write(frameHead(FRAME.header, 9_000));
      },
    ],
    [
      'a header that is no message',
      'INVALID_ARGUMENT',
      (gateway) => {
        gateway.socket.write(frameOf(FRAME.header, Buffer.alloc(20, 0xff)));
      },
    ],
    [
      'a compression that is not known',
      'INVALID_ARGUMENT',
      (gateway) => {
        gateway.header(objectOf(some, { encoding: 'gzip' }).header);
      },
    ],
    [
      'a compressed bomb',
      'INVALID_ARGUMENT',
      (gateway) => {
        gateway.header(objectOf(some, { encoding: 'zstd' }).header);
        gateway.socket.write(frameOf(FRAME.chunk, zstdCompressSync(Buffer.alloc(64 * MIB))));
      },
    ],
    [
      'compressed bytes that are none',
      'INVALID_ARGUMENT',
      (gateway) => {
        gateway.header(objectOf(some, { encoding: 'zstd' }).header);
        gateway.socket.write(frameOf(FRAME.chunk, randomBytes(1_000)));
      },
    ],
  ])('refuses %s with %s, and keeps nothing of it', async (_, code, misbehave) => {
    list(objectOf(some));
    const gateway = dial();
    misbehave(gateway);
    await gateway.until(() => gateway.said.length > 0);
    await gateway.closed;
    expect(gateway.said).toEqual([code]);
    expect(faults).toEqual([code]);
    expect(gateway.acks).toEqual([]);
    expect([kept('incoming'), kept('beginnings')]).toEqual([[], []]);
    expect(records.digestsOf(siteA)).toEqual([]);
  });

  it('gives an object of one site to no other, whoever names the job', async () => {
    const object = objectOf(some);
    list(object);
    peer = { siteId: siteB, gateway: 1 };
    const gateway = dial();
    gateway.send(object);
    await gateway.until(() => gateway.said.length > 0);
    expect(gateway.said).toEqual(['NOT_FOUND']);
    expect(existsSync(join(folder.path, 'site-b', 'incoming'))).toBe(false);
  });

  it('keeps the beginning of an object whose line broke, and goes on after just that', async () => {
    const object = objectOf(randomBytes(5 * MIB));
    list(object);
    const { sha256 } = object.header;
    const first = dial();
    first.header(object.header);
    first.bytes(object.bytes.subarray(0, 3 * MIB));
    first.socket.end();
    await first.closed;
    while (kept('beginnings').length === 0) await new Promise((resolve) => setImmediate(resolve));
    const offsets = await store.offsets(siteA, [sha256 as never]);
    expect([...offsets]).toEqual([[sha256, 3 * MIB]]);
    const second = dial();
    second.send({ ...object, header: { ...object.header, offsetBytes: 3 * MIB } });
    await second.until(() => second.acks.length === 1);
    expect(readFileSync(store.path(siteA, sha256 as never)).equals(object.bytes)).toBe(true);
    expect(kept('beginnings')).toEqual([]);
  });

  it('believes a beginning at the end of the object, and not before', async () => {
    const [object, other] = [objectOf(randomBytes(3 * MIB)), objectOf(randomBytes(3 * MIB))];
    list(object);
    const liar = dial();
    liar.header(object.header);
    liar.bytes(other.bytes.subarray(0, 2 * MIB));
    liar.socket.end();
    await liar.closed;
    while (kept('beginnings').length === 0) await new Promise((resolve) => setImmediate(resolve));
    const gateway = dial();
    gateway.send({ ...object, header: { ...object.header, offsetBytes: 2 * MIB } });
    await gateway.until(() => gateway.said.length > 0);
    expect(gateway.said).toEqual(['DIGEST_MISMATCH']);
    await gateway.closed;
    expect(kept('beginnings')).toEqual([]);
    const again = dial();
    again.send(object);
    await again.until(() => again.acks.length === 1);
  });

  it('gives up a gateway that stops in the middle of an object after half a minute', async () => {
    const object = objectOf(some);
    list(object);
    const gateway = dial();
    gateway.header(object.header);
    // A megabyte is written when all of it has come.
    gateway.bytes(some.subarray(0, MIB));
    const written = (): boolean =>
      kept('incoming').some((name) => statSync(incoming(name)).size === MIB);
    while (!written()) await turns(1);
    let isOver = false;
    void gateway.closed.then(() => (isOver = true));
    for (let second = 0; second < 28; second += 1) await pass(1_000);
    expect(isOver).toBe(false);
    for (let second = 0; second < 7; second += 1) await pass(1_000);
    await gateway.closed;
  });

  it('gives up a gateway that only says that it is there in the middle of an object', async () => {
    const object = objectOf(some);
    list(object);
    const gateway = dial();
    gateway.header(object.header);
    while (entered === 0) await new Promise((resolve) => setImmediate(resolve));
    let isOver = false;
    void gateway.closed.then(() => (isOver = true));
    let passedMs = 0;
    for (; !isOver && passedMs < 600_000; passedMs += 1_000) {
      gateway.socket.write(frameOf(FRAME.alive));
      clock.advance(1_000);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    expect(isOver).toBe(true);
    expect(passedMs).toBeGreaterThanOrEqual(60_000);
  });

  it('ends the longest silent connection of a gateway that comes with a fifth', async () => {
    const gateways: ObjectGateway[] = [];
    for (let index = 0; index < 5; index += 1) {
      clock.advance(10);
      const gateway = dial();
      await once(gateway.socket, 'connect');
      gateways.push(gateway);
      // Accepted in this order.
      gateway.socket.write(frameOf(FRAME.alive));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await gateways[0]!.closed;
    const object = objectOf(some);
    list(object);
    gateways[4]!.send(object);
    await gateways[4]!.until(() => gateways[4]!.acks.length === 1);
  });

  /** The next objects wait in admission until it is called. */
  function holdAdmission(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    admitted = promise;
    return resolve;
  }
  async function dialInTurn(): Promise<ObjectGateway> {
    const before = accepted;
    const gateway = dial();
    while (accepted === before) await turns(1);
    clock.advance(10);
    return gateway;
  }

  it('ends none that waits for its turn when another one is silent', async () => {
    const object = objectOf(some);
    list(object);
    const letIn = holdAdmission();
    const waiting = await dialInTurn();
    waiting.send(object);
    while (entered === 0) await turns(1);
    const silent = [await dialInTurn(), await dialInTurn(), await dialInTurn()];
    const fifth = await dialInTurn();
    await silent[0]!.closed;
    letIn();
    await waiting.until(() => waiting.acks.length === 1);
    for (const { socket } of [waiting, silent[1]!, silent[2]!, fifth]) {
      expect(socket.destroyed).toBe(false);
    }
  });

  it('counts none that is on its way to its end', async () => {
    const live = [await dialInTurn(), await dialInTurn(), await dialInTurn()];
    const refused = await dialInTurn();
    refused.send(objectOf(randomBytes(10)));
    // It lingers, so that the gateway can read why.
    await refused.until(() => refused.said.length > 0);
    await dialInTurn();
    await turns(20);
    expect(live.map(({ socket }) => socket.destroyed)).toEqual([false, false, false]);
  });

  it('survives ten thousand connections that are reset', async () => {
    const object = objectOf(some);
    list(object);
    for (let round = 0; round < 100; round += 1) {
      const flood = Array.from({ length: 100 }, () => dial());
      for (const gateway of flood) gateway.header(object.header);
      for (const gateway of flood) gateway.socket.resetAndDestroy();
      await Promise.all(flood.map((gateway) => gateway.closed));
    }
    const gateway = dial();
    gateway.send(object);
    await gateway.until(() => gateway.acks.length === 1);
    expect(kept('beginnings')).toEqual([]);
  }, 60_000);

  it('tells every gateway that it goes, and still takes what is in hand', async () => {
    const object = objectOf(some);
    list(object);
    const gateway = dial();
    gateway.header(object.header);
    while (entered === 0) await new Promise((resolve) => setImmediate(resolve));
    sut.drain(2_000);
    await gateway.until(() => gateway.said.includes('drain 2000'));
    gateway.bytes(some);
    await gateway.until(() => gateway.acks.length === 1);
    const late = dial();
    await late.until(() => late.said.includes('drain 2000'));
  });
});
