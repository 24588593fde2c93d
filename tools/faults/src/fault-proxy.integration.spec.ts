/**
 * Goal: each fault is what it says it is, and without one nothing changes.
 * Method: real sockets; a server that writes down what it gets and can answer. Times are lower
 * bounds only: a proxy may be slower than asked, never faster.
 */
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { systemClock } from '@aifi/shared-kernel';
import { FaultProxy } from './fault-proxy.js';

const HOST = '127.0.0.1';
const digest = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

interface Accepted {
  readonly socket: Socket;
  readonly received: Buffer[];
  readonly events: string[];
}

describe(FaultProxy.name, () => {
  let server: Server;
  let accepted: Accepted[];
  let sut: FaultProxy;
  let clients: Socket[];

  beforeEach(async () => {
    accepted = [];
    clients = [];
    server = createServer({ allowHalfOpen: true }, (socket) => {
      const one: Accepted = { socket, received: [], events: [] };
      accepted.push(one);
      socket.on('data', (bytes: Buffer) => one.received.push(bytes));
      socket.on('end', () => one.events.push('end'));
      socket.on('error', (error: NodeJS.ErrnoException) => one.events.push(error.code ?? 'error'));
      socket.on('close', () => one.events.push('close'));
    });
    server.listen(0, HOST);
    await once(server, 'listening');
    const { port: targetPort } = server.address() as AddressInfo;
    sut = await FaultProxy.start({ targetPort, random: () => 0.5 });
  });
  afterEach(async () => {
    for (const socket of [...clients, ...accepted.map((one) => one.socket)]) socket.destroy();
    await sut.close();
    await new Promise((resolve) => server.close(resolve));
  });

  async function dial(): Promise<Socket> {
    const socket = connect({ host: HOST, port: sut.port, allowHalfOpen: true });
    clients.push(socket);
    await once(socket, 'connect');
    await until(() => accepted.length === clients.length);
    return socket;
  }
  async function until(isSo: () => boolean): Promise<void> {
    while (!isSo()) await systemClock.sleep(5);
  }
  const receivedBytes = (at = 0): Buffer => Buffer.concat(accepted[at]?.received ?? []);

  it('changes no byte in either direction and passes ends on one by one', async () => {
    const client = await dial();
    const [there, back] = [randomBytes(3_000_000), randomBytes(2_000_000)];
    client.end(there);
    await until(() => accepted[0]!.events.includes('end'));
    expect(digest(receivedBytes())).toBe(digest(there));
    const chunks: Buffer[] = [];
    client.on('data', (bytes: Buffer) => chunks.push(bytes));
    accepted[0]!.socket.end(back);
    await once(client, 'end');
    expect(digest(Buffer.concat(chunks))).toBe(digest(back));
    await until(() => sut.openConnections === 0);
    expect(sut.counts).toEqual({ up: there.length, down: back.length, connections: 1 });
  });

  it('delays each byte by the latency, one way only, in order', async () => {
    sut.set('up', { latencyMs: 200, jitterMs: 50 });
    const client = await dial();
    const fromMs = systemClock.monotonicMs();
    for (const word of ['one ', 'two ', 'three']) client.write(word);
    await until(() => receivedBytes().toString() === 'one two three');
    // random() is 0.5: half of the jitter. A timer may be a millisecond early.
    expect(systemClock.monotonicMs() - fromMs).toBeGreaterThanOrEqual(224);
  });

  it('keeps to the bandwidth', async () => {
    sut.set('up', { bytesPerSecond: 100_000 });
    const client = await dial();
    const fromMs = systemClock.monotonicMs();
    client.end(randomBytes(50_000));
    await until(() => accepted[0]!.events.includes('end'));
    expect(receivedBytes()).toHaveLength(50_000);
    expect(systemClock.monotonicMs() - fromMs).toBeGreaterThanOrEqual(450);
  });

  it('holds everything back while paused, with bounded memory, and loses nothing', async () => {
    sut.set('both', { mode: 'pause' });
    const client = await dial();
    const bytes = randomBytes(8_000_000);
    client.end(bytes);
    await systemClock.sleep(100);
    expect(receivedBytes()).toHaveLength(0);
    // What neither the kernel nor the proxy takes stays with the sender.
    expect(client.writableLength).toBeGreaterThan(0);
    sut.set('both', { mode: 'forward' });
    await until(() => accepted[0]!.events.includes('end'));
    expect(digest(receivedBytes())).toBe(digest(bytes));
  });

  it('resets both ends when it cuts', async () => {
    const client = await dial();
    const error = once(client, 'error');
    sut.cut();
    expect((await error)[0]).toMatchObject({ code: 'ECONNRESET' });
    await until(() => accepted[0]!.events.includes('close'));
    expect(accepted[0]!.events).toContain('ECONNRESET');
    expect(sut.openConnections).toBe(0);
  });

  it.each([0, 1, 65_537, 999_999])('cuts after exactly %d bytes', async (at) => {
    const client = await dial();
    client.on('error', () => undefined);
    const bytes = randomBytes(1_000_000);
    sut.cutAfter('up', at);
    client.write(bytes);
    await until(() => accepted[0]!.events.includes('close'));
    expect(sut.counts.up).toBe(at);
    // A reset may overtake what the kernel had not handed over: a beginning, never a gap.
    const got = receivedBytes();
    expect(digest(got)).toBe(digest(bytes.subarray(0, got.length)));
    expect(got.length).toBeLessThanOrEqual(at);
  });

  it('is a black hole without FIN or RST, for good for the connection that lost bytes', async () => {
    const client = await dial();
    client.write('before');
    await until(() => receivedBytes().toString() === 'before');
    sut.set('both', { mode: 'drop' });
    client.write('lost');
    await until(() => sut.silentConnections === 1);
    await sut.heal();
    client.end('lost as well');
    await systemClock.sleep(100);
    expect(receivedBytes().toString()).toBe('before');
    expect(accepted[0]!.events).toEqual([]);
    // The one who is left alone hears nothing when the other goes, either.
    client.resetAndDestroy();
    await systemClock.sleep(50);
    expect(accepted[0]!.events).toEqual([]);
    const other = await dial();
    other.write('new');
    await until(() => receivedBytes(1).toString() === 'new');
  });

  it('drops one way only when asked to', async () => {
    const client = await dial();
    sut.set('down', { mode: 'drop' });
    const chunks: Buffer[] = [];
    client.on('data', (bytes: Buffer) => chunks.push(bytes));
    client.write('question');
    await until(() => receivedBytes().toString() === 'question');
    accepted[0]!.socket.write('answer');
    await until(() => sut.silentConnections === 1);
    client.write(' again');
    await until(() => receivedBytes().toString() === 'question again');
    expect(chunks).toEqual([]);
  });

  it('refuses new connections, keeps open ones, and listens on the same port again', async () => {
    const client = await dial();
    const { port } = sut;
    await sut.refuse();
    const refused = connect({ host: HOST, port });
    clients.push(refused);
    expect((await once(refused, 'error'))[0]).toMatchObject({ code: 'ECONNREFUSED' });
    clients.pop();
    client.write('still here');
    await until(() => receivedBytes().toString() === 'still here');
    await sut.heal();
    expect(sut.port).toBe(port);
    await dial();
  });

  it('passes on that nobody listens behind it', async () => {
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
    });
    const client = connect({ host: HOST, port: sut.port });
    clients.push(client);
    await new Promise((resolve) => client.on('error', () => undefined).on('close', resolve));
    expect(sut.openConnections).toBe(0);
  });
});
