/**
 * Goal: only listed senders are heard, over TCP or TLS; each attack on the line ends as it should;
 * one bad message or sender never holds up another; messages of one sender keep their order.
 * Method: the listening stage with a real database; sockets of our own; real certificates.
 */
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { systemClock, type Clock } from '@aifi/shared-kernel';
import { FakeClock, temporaryFolder } from '@aifi/shared-testing';
import { makeDevelopmentCertificates } from '../../../../deploy/certs/make-certs.mjs';
import { hl7Config, Hl7World, readAnswer, SENDER } from '../test/hl7-world.js';
import { createHl7Stage } from './hl7-stage.js';
import { readTallies } from './message-log.store.js';
import { MLLP_LIMITS } from './mllp-connection.js';
import { framed } from './mllp-framer.js';

const HOST = '127.0.0.1';
const KIB = 1024;

const order = (id: string, more: { accession?: string; code?: string } = {}): Buffer => {
  const { accession = `A${id}`, code = 'CTHERS' } = more;
  const segments = [
    `MSH|^~\\&|ZIS|ZKH|AIFI|RAD|20261105083000||ORM^O01|${id}|P|2.4||||||8859/1`,
    'PID|1||1000001^^^ZIS^PI||Berg^Jan||19610402|M',
    `ORC|NW|N${id}`,
    `OBR|1|N${id}||${code}^tekst^L||||||||||||||${accession}`,
  ];
  return Buffer.from(segments.map((segment) => `${segment}\r`).join(''), 'latin1');
};

/** A sender that can do anything. */
class Peer {
  readonly #read: Buffer[] = [];
  readonly closed: Promise<unknown>;
  constructor(readonly socket: Socket) {
    socket.on('data', (chunk: Buffer) => this.#read.push(chunk));
    socket.on('error', () => undefined);
    this.closed = new Promise((resolve) => socket.once('close', resolve));
  }
  send(...parts: (Buffer | string)[]): void {
    for (const part of parts) this.socket.write(part);
  }
  /** `code id` of the first so many answers; of all until the end without a number. */
  async answers(count = Infinity): Promise<string[]> {
    for (;;) {
      const frames = Buffer.concat(this.#read).toString('latin1').split('\x1c\r').slice(0, -1);
      if (frames.length >= count || this.socket.destroyed) {
        return frames.map((frame) => {
          const { code, id } = readAnswer(Buffer.from(frame.slice(1), 'latin1'));
          return `${code} ${id}`;
        });
      }
      await Promise.race([once(this.socket, 'data').catch(() => undefined), this.closed]);
    }
  }
}

describe('the HL7 listener', () => {
  const folder = temporaryFolder('hl7-tls');
  let certificates: Awaited<ReturnType<typeof makeDevelopmentCertificates>>;
  let stop: (() => Promise<void>) | undefined;
  let world: Hl7World;
  let ports: { port: number; tlsPort: number };
  beforeAll(async () => {
    certificates = await makeDevelopmentCertificates({
      folder: folder.path,
      sites: ['zis', 'other'],
    });
  });
  afterAll(() => folder.remove());
  afterEach(async () => {
    await stop?.();
    stop = undefined;
    world?.close();
  });

  async function start(config = hl7Config(), clock: Clock = systemClock): Promise<void> {
    world = new Hl7World(config, clock);
    const stage = createHl7Stage(world.dependencies);
    const stopping = new AbortController();
    const running = stage.run(stopping.signal);
    stop = async () => {
      stopping.abort();
      await running;
    };
    ports = await stage.listening;
  }
  const peer = (): Peer => new Peer(connect(ports.port, HOST));
  /** After the stage has written its counts. */
  async function closedBy(): Promise<string[]> {
    await stop?.();
    stop = undefined;
    return world
      .read(readTallies)
      .filter(({ answer }) => answer === 'closed')
      .map(({ sender, detail, count }) => `${sender} ${detail} ${count}`);
  }

  it('answers one message after the other, in their order', async () => {
    await start();
    const sut = peer();
    const ids = Array.from({ length: 30 }, (_, n) => String(n + 1));
    // In one piece: the next is there before the last one is answered.
    sut.send(Buffer.concat(ids.map((id) => framed(order(id)))));
    expect(await sut.answers(30)).toEqual(ids.map((id) => `AA ${id}`));
    sut.socket.destroy();
  });

  it('goes on after a message that is wrong, on the same connection', async () => {
    await start();
    const sut = peer();
    sut.send(framed(order('1', { code: 'geen code' })), framed(order('2')));
    expect(await sut.answers(2)).toEqual(['AE 1', 'AA 2']);
    sut.socket.destroy();
  });

  it('takes a message that comes over two connections at once only once', async () => {
    await start();
    const peers = [peer(), peer(), peer()];
    for (const each of peers) each.send(framed(order('1')));
    const answers = await Promise.all(peers.map((each) => each.answers(1)));
    expect(answers).toEqual([['AA 1'], ['AA 1'], ['AA 1']]);
    const rows = world.read((sql) => sql.all('SELECT order_key FROM imaging_order'));
    expect(rows).toHaveLength(1);
    for (const each of peers) each.socket.destroy();
  });

  it('ends a message of 100 MB with an answer, without keeping it', async () => {
    await start();
    const sut = peer();
    const before = process.memoryUsage().rss;
    sut.send('\v', order('1').subarray(0, 90), '\rOBX|1|ED|');
    const piece = Buffer.alloc(64 * KIB, 'a');
    for (let sent = 0; sent < 100 * KIB * KIB && !sut.socket.destroyed; sent += piece.length) {
      if (!sut.socket.write(piece)) {
        await Promise.race([once(sut.socket, 'drain').catch(() => undefined), sut.closed]);
      }
    }
    expect(await sut.answers(1)).toEqual(['AE 1']);
    await sut.closed;
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * KIB * KIB);
  });

  it.each([
    ['another protocol', 'GET / HTTP/1.1\r\n\r\n', 'junk'],
    ['a frame without a header', '\vPID|1\r\x1c\r', 'no-header'],
    ['a frame that is cut', '\vMSH|', 'cut-short'],
  ])('closes on %s, and says so to its operator only', async (_, text, word) => {
    await start();
    const sut = peer();
    sut.send(text);
    sut.socket.end();
    expect(await sut.answers()).toEqual([]);
    expect(await closedBy()).toEqual([`${SENDER} ${word} 1`]);
  });

  it('hears nobody who is not listed', async () => {
    await start(hl7Config({ senders: [{ name: 'zis', host: '192.0.2.7', plain: true }] }));
    const sut = peer();
    sut.send(framed(order('1')));
    expect(await sut.answers()).toEqual([]);
    expect(await closedBy()).toEqual([' unknown-sender 1']);
  });

  it('has so many connections of one sender, and no more', async () => {
    await start();
    const peers = Array.from({ length: MLLP_LIMITS.connectionsPerSender }, () => peer());
    for (const [n, each] of peers.entries()) each.send(framed(order(String(n))));
    await Promise.all(peers.map((each) => each.answers(1)));
    const one = peer();
    expect(await one.answers()).toEqual([]);
    expect(await closedBy()).toEqual([`${SENDER} too-many 1`]);
    for (const each of peers) each.socket.destroy();
  });

  it('gives a frame its time, and not a byte a second more', async () => {
    const clock = new FakeClock();
    await start(hl7Config(), clock);
    const sut = peer();
    sut.send(framed(order('1')), '\v');
    expect(await sut.answers(1)).toEqual(['AA 1']);
    // Until the listener has seen the beginning of the frame and its time is over.
    while (!sut.socket.destroyed) {
      sut.send('M');
      clock.advance(MLLP_LIMITS.frameMs / 2);
      await setImmediate();
    }
    expect(await closedBy()).toContain(`${SENDER} too-slow 1`);
  });

  it('answers the message in hand before it stops', async () => {
    await start();
    const sut = peer();
    sut.send(framed(order('1')));
    await sut.answers(1);
    sut.send(framed(order('2')));
    await once(sut.socket, 'data');
    await stop?.();
    expect(await sut.answers()).toEqual(['AA 1', 'AA 2']);
  });

  describe('over TLS', () => {
    const fingerprint = (file: string): string =>
      new X509Certificate(readFileSync(file)).fingerprint256.replaceAll(':', '').toLowerCase();

    async function startTls(): Promise<void> {
      const { certificateFile, keyFile, caFile } = certificates.hub;
      const { zis } = certificates.sites;
      await start(
        hl7Config({
          port: undefined,
          tls: { port: 0, certificateFile, keyFile, caFile },
          senders: [
            { name: SENDER, certificateSha256: fingerprint(zis!.certificateFile), host: HOST },
          ],
        }),
      );
    }
    function tlsPeer(name?: string): Peer {
      const { certificateFile, keyFile } = certificates.sites[name ?? ''] ?? {};
      return new Peer(
        connectTls({
          ...{ port: ports.tlsPort, host: HOST, rejectUnauthorized: false },
          ...(certificateFile && { cert: readFileSync(certificateFile) }),
          ...(keyFile && { key: readFileSync(keyFile) }),
        }),
      );
    }

    it('answers a sender by its certificate', async () => {
      await startTls();
      expect(ports.port).toBe(0);
      const sut = tlsPeer('zis');
      sut.send(framed(order('1')));
      expect(await sut.answers(1)).toEqual(['AA 1']);
      sut.socket.destroy();
    });

    it('bounds the handshakes of one address', async () => {
      await startTls();
      const silent = Array.from(
        { length: MLLP_LIMITS.connectionsPerSender },
        () => new Peer(connect(ports.tlsPort, HOST)),
      );
      await Promise.all(silent.map(({ socket }) => once(socket, 'connect')));
      const one = new Peer(connect(ports.tlsPort, HOST));
      await one.closed;
      for (const { socket } of silent) socket.destroy();
      await Promise.all(silent.map(({ closed }) => closed));
      expect(await closedBy()).toContain(' too-many 1');
    });

    it('hears no other certificate, none, and nothing in plain', async () => {
      await startTls();
      for (const each of [tlsPeer('other'), tlsPeer()]) {
        each.send(framed(order('1')));
        expect(await each.answers()).toEqual([]);
      }
      const plain = new Peer(connect(ports.tlsPort, HOST));
      plain.send(framed(order('1')));
      expect(await plain.answers()).toEqual([]);
      expect(await closedBy()).toEqual([' unknown-sender 1', ' untrusted 2']);
    });
  });
});
