/**
 * Goal: an object counts as sent by the hub's acknowledgement of just these bytes; a broken line, a
 * silent hub, a hub that goes and one that refuses are told apart. Method: the transport on real
 * sockets against a hub of the same contract that misbehaves on demand; time moved by hand.
 */
import { createHash, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { FRAME, frameOf, FrameReader, uplink } from '@aifi/contracts-proto';
import { FakeClock, temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import type { ObjectBatch, OwedObject } from '../object-transport.js';
import { TlsObjectTransport } from './tls-object-transport.js';

const JOB = 'a'.repeat(32);

/** Gathers objects; `behave` decides what it says when one is whole. */
class Hub {
  readonly got = new Map<string, { offset: number; bytes: Buffer; encoding: string }>();
  connections = 0;
  largestChunk = 0;
  readonly sockets: Socket[] = [];
  behave: (socket: Socket, header: uplink.ObjectHeader) => void = (socket, header) =>
    Hub.acknowledge(socket, header);
  readonly server: Server = createServer((socket) => this.#serve(socket));

  static acknowledge(socket: Socket, ack: uplink.ObjectAck): void {
    socket.write(frameOf(FRAME.ack, uplink.ObjectAck.encode(ack).finish()));
  }
  #serve(socket: Socket): void {
    this.connections += 1;
    this.sockets.push(socket);
    const reader = new FrameReader(new Set(Object.values(FRAME)));
    let header: uplink.ObjectHeader | undefined;
    let chunk: Buffer[] = [];
    let parts: Buffer[] = [];
    let size = 0;
    socket.on('error', () => undefined);
    socket.on('end', () => socket.end());
    socket.on('data', (data: Buffer) => {
      for (const piece of reader.read(data)) {
        if (piece.kind === FRAME.header) {
          header = uplink.ObjectHeader.decode(piece.bytes);
          [parts, size] = [[], header.offsetBytes];
        } else if (piece.kind === FRAME.chunk) {
          chunk.push(piece.bytes);
          if (!piece.endsChunk) continue;
          const wire = Buffer.concat(chunk);
          this.largestChunk = Math.max(this.largestChunk, wire.length);
          chunk = [];
          parts.push(header!.encoding === 'zstd' ? zstdDecompressSync(wire) : wire);
          size += parts.at(-1)!.length;
        }
        if (!header || size < header.sizeBytes) continue;
        const { sha256, offsetBytes: offset, encoding } = header;
        this.got.set(sha256, { offset, encoding, bytes: Buffer.concat(parts) });
        const whole = header;
        header = undefined;
        this.behave(socket, whole);
      }
    });
  }
}

describe(TlsObjectTransport.name, () => {
  let folder: TemporaryFolder;
  let hub: Hub;
  let clock: FakeClock;
  let sut: TlsObjectTransport;
  let acknowledged: string[];

  beforeEach(async () => {
    folder = temporaryFolder('transport');
    hub = new Hub();
    hub.server.listen(0, '127.0.0.1');
    await once(hub.server, 'listening');
    clock = new FakeClock();
    acknowledged = [];
    const { port } = hub.server.address() as AddressInfo;
    const dial = async (): Promise<Socket> => {
      const socket = connect(port, '127.0.0.1');
      await once(socket, 'connect');
      return socket;
    };
    sut = new TlsObjectTransport({ dial, clock });
  });
  afterEach(() => {
    sut.close();
    for (const socket of hub.sockets) socket.destroy();
    hub.server.close();
    folder.remove();
  });

  function spooled(bytes: Buffer, offsetBytes = 0): OwedObject & { readonly bytes: Buffer } {
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const path = join(folder.path, sha256);
    writeFileSync(path, bytes);
    return { sha256, sizeBytes: bytes.length, path, offsetBytes, bytes };
  }
  const batchOf = (
    objects: readonly OwedObject[],
    changed: Partial<ObjectBatch> = {},
  ): ObjectBatch => ({
    ...{ jobId: JOB, objects, encoding: 'none', pace: () => Promise.resolve() },
    acknowledge: (sha256) => {
      acknowledged.push(sha256);
      return Promise.resolve();
    },
    signal: new AbortController().signal,
    ...changed,
  });

  it.each(['none', 'zstd'] as const)(
    'sends objects in chunks (%s), one connection',
    async (how) => {
      const sizes = [1, 0, 262_144, 262_145, 3_000_000];
      const objects = sizes.map((size) => spooled(randomBytes(size)));
      const paced: number[] = [];
      const pace = (bytes: number): Promise<void> => Promise.resolve(void paced.push(bytes));
      const batch = batchOf(objects, { encoding: how, pace });
      await expect(sut.send(batch)).resolves.toEqual({ kind: 'sent' });
      for (const { sha256, bytes } of objects) {
        expect(hub.got.get(sha256)!.bytes.equals(bytes)).toBe(true);
      }
      expect(acknowledged.sort()).toEqual(objects.map(({ sha256 }) => sha256).sort());
      expect(hub.largestChunk).toBeLessThanOrEqual(262_144);
      if (how === 'none') expect(paced.reduce((sum, one) => sum + one, 0)).toBe(3_524_290);
      await sut.send(batchOf([spooled(randomBytes(10))]));
      expect(hub.connections).toBe(1);
    },
  );

  it('goes on after what the hub holds', async () => {
    const object = spooled(randomBytes(2_000_000), 1_048_576);
    await sut.send(batchOf([object]));
    const got = hub.got.get(object.sha256)!;
    expect(got.offset).toBe(1_048_576);
    expect(got.bytes.equals(object.bytes.subarray(1_048_576))).toBe(true);
  });

  it('dials at most four times at once', async () => {
    const batches = Array.from({ length: 10 }, () => batchOf([spooled(randomBytes(100_000))]));
    await Promise.all(batches.map((batch) => sut.send(batch)));
    expect(hub.connections).toBeLessThanOrEqual(4);
    expect(acknowledged).toHaveLength(10);
  });

  it.each([
    ['NOT_FOUND', 'PEER_REFUSED'],
    ['INVALID_ARGUMENT', 'PEER_REFUSED'],
    ['DIGEST_MISMATCH', 'PEER_REFUSED'],
    ['OUT_OF_RESOURCES', 'PEER_UNAVAILABLE'],
    ['LIMIT_EXCEEDED', 'PEER_UNAVAILABLE'],
    ['PEER_UNAVAILABLE', 'PEER_UNAVAILABLE'],
    ['STATE_CONFLICT', 'STATE_CONFLICT'],
    ['INTERNAL', 'INTERNAL'],
    ['no code of ours', 'INTERNAL'],
  ])('takes %s of the hub for %s', async (said, code) => {
    hub.behave = (socket) => socket.end(frameOf(FRAME.fault, Buffer.from(said)));
    await expect(sut.send(batchOf([spooled(randomBytes(10))]))).rejects.toMatchObject({ code });
  });

  it.each<[string, Partial<uplink.ObjectAck>]>([
    ['another job', { jobId: 'b'.repeat(32) }],
    ['another size', { sizeBytes: 9 }],
    ['another object', { sha256: 'c'.repeat(64) }],
  ])('believes no acknowledgement of %s', async (_, lie) => {
    hub.behave = (socket, header) => Hub.acknowledge(socket, { ...header, ...lie });
    const sending = sut.send(batchOf([spooled(randomBytes(10))]));
    await expect(sending).rejects.toMatchObject({ code: 'PEER_UNAVAILABLE' });
    expect(acknowledged).toEqual([]);
  });

  it('keeps what was acknowledged before the line broke', async () => {
    const objects = [1, 2, 3].map((size) => spooled(randomBytes(size)));
    hub.behave = (socket, header) => {
      if (header.sizeBytes < 3) Hub.acknowledge(socket, header);
      else socket.end();
    };
    await expect(sut.send(batchOf(objects))).rejects.toMatchObject({ code: 'PEER_UNAVAILABLE' });
    expect(acknowledged).toEqual(objects.slice(0, 2).map(({ sha256 }) => sha256));
  });

  it('begins no other object when the hub goes, and says when to come again', async () => {
    const objects = Array.from({ length: 50 }, () => spooled(randomBytes(300_000)));
    hub.behave = (socket, header) => {
      const message = uplink.Drain.encode({ retryAfterMs: 1_500 }).finish();
      if (hub.got.size === 1) socket.write(frameOf(FRAME.drain, message));
      Hub.acknowledge(socket, header);
    };
    // The hub is heard between chunks.
    const pace = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
    const end = await sut.send(batchOf(objects, { pace }));
    expect(end).toEqual({ kind: 'draining', retryAfterMs: 1_500 });
    expect(hub.got.size).toBeLessThan(50);
    expect(acknowledged).toHaveLength(hub.got.size);
    await sut.send(batchOf([spooled(randomBytes(10))]));
    expect(hub.connections).toBe(2);
  });

  it('gives up a hub that is silent for half a minute, and not one that says it is there', async () => {
    let silent = false;
    hub.behave = () => (silent = true);
    let code = '';
    const sending = sut.send(batchOf([spooled(randomBytes(10))])).catch((error: unknown) => {
      code = (error as { code: string }).code;
    });
    const turns = async (count: number): Promise<void> => {
      for (let turn = 0; turn < count; turn += 1) await new Promise((next) => setImmediate(next));
    };
    while (!silent) await turns(1);
    for (let second = 0; second < 60; second += 1) {
      if (second % 20 === 0) {
        hub.sockets[0]!.write(frameOf(FRAME.alive));
        await turns(500);
      }
      clock.advance(1_000);
      await turns(20);
    }
    expect(code).toBe('');
    // Twenty of them had passed already.
    for (let second = 0; second < 16; second += 1) {
      clock.advance(1_000);
      await turns(20);
    }
    await sending;
    expect(code).toBe('PEER_UNAVAILABLE');
  });

  it('dials once more when the connection had died since the last batch', async () => {
    await sut.send(batchOf([spooled(randomBytes(10))]));
    hub.sockets[0]!.resetAndDestroy();
    await sut.send(batchOf([spooled(randomBytes(11))]));
    expect(acknowledged).toHaveLength(2);
    expect(hub.connections).toBe(2);
  });

  it('stops when it is told to', async () => {
    const stopping = new AbortController();
    hub.behave = () => stopping.abort();
    const batch = batchOf([spooled(randomBytes(10))], { signal: stopping.signal });
    await expect(sut.send(batch)).rejects.toMatchObject({ code: 'PEER_UNAVAILABLE' });
  });

  it('fails when a spooled file is shorter than its row says', async () => {
    const object = spooled(randomBytes(1_000));
    writeFileSync(object.path, randomBytes(10));
    await expect(sut.send(batchOf([object]))).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' });
  });
});
