/**
 * Goal: no peer costs the web listener memory or time beyond its limits, and what was stored before
 * the listener or the connection died is there, once.
 * Method: the real listener child, watched in /proc and killed at its crash points; a listener in
 * this process with a clock that the test moves.
 */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from '@jest/globals';
import { decodeFileMeta, DicomDataset, encodePart10 } from '@aifi/dicom-core';
import type { ScpRefusal, StoreSink } from '@aifi/dicom-dimse';
import { LIMITS, systemClock } from '@aifi/shared-kernel';
import { FakeClock } from '@aifi/shared-testing';
import { WebListener } from './web-listener.js';
import {
  aFile,
  bodyOf,
  BOUNDARY,
  HOST,
  LAST,
  listed,
  MR,
  partOf,
  STORED,
  STOW,
  WebSite,
} from './web-site.js';

const run = promisify(execFile);
const MEBIBYTE = 1024 * 1024;
const plain = { port: 0, callers: [{ name: 'WEB1', host: HOST, plain: true }] };

/** An object up to its pixels, which are as long as its rows and columns say. */
function headOf(uid: string, rows: number, columns: number, pixelBytes: number): Buffer {
  const file = encodePart10(
    new DicomDataset()
      .setString('SOPClassUID', MR)
      .setString('SOPInstanceUID', uid)
      .setString('StudyInstanceUID', '2.25.1')
      .setString('SeriesInstanceUID', '2.25.2')
      .setNumbers('SamplesPerPixel', [1])
      .setNumbers('Rows', [rows])
      .setNumbers('Columns', [columns])
      .setNumbers('BitsAllocated', [16])
      .setBytes('PixelData', Buffer.alloc(2), 'OW'),
  );
  const head = file.subarray(0, -2);
  head.writeUInt32LE(pixelBytes, head.length - 4);
  return head;
}

describe('a listener with much to take, or with a short life', () => {
  const sites: WebSite[] = [];
  afterEach(async () => {
    for (const site of sites.splice(0)) await site.remove();
  });
  async function started(...args: Parameters<WebSite['start']>): Promise<WebSite> {
    const site = new WebSite();
    sites.push(site);
    await site.start(...args);
    return site;
  }

  it('takes an object of 300 MiB without holding it', async () => {
    const site = await started(plain);
    const { stdout } = await run('pgrep', ['-P', `${process.pid}`, '-f', 'listener-main']);
    const status = `/proc/${stdout.trim().split('\n').at(-1)}/status`;
    const peakMiB = (): number =>
      Number(/VmHWM:\s+(\d+)/.exec(readFileSync(status, 'utf8'))![1]) / 1024;
    await site.post(bodyOf(aFile('2.25.3')));
    const before = peakMiB();
    const pixels = 300 * MEBIBYTE;
    const head = headOf('2.25.4', 15_360, 10_240, pixels);
    async function* body(): AsyncGenerator<Uint8Array> {
      yield Buffer.from(`--${BOUNDARY}\r\n\r\n`);
      yield head;
      const piece = Buffer.alloc(MEBIBYTE, 5);
      for (let sent = 0; sent < pixels; sent += piece.length) yield piece;
      yield Buffer.concat([Buffer.from('\r\n'), LAST]);
    }
    expect(listed(await site.post(body()), STORED)).toEqual([['2.25.4', undefined]]);
    expect(site.rows().at(-1)!['size_bytes']).toBeGreaterThan(pixels);
    expect(peakMiB() - before).toBeLessThan(100);
  }, 180_000);

  it.each(['walk', 'before-file', 'after-file', 'before-answer'])(
    'killed at %s of the third object, has the two before it, and all of them after another try',
    async (moment) => {
      // Each object of this size is walked in one piece.
      const site = await started(plain, { crashAt: `gateway.receive.${moment}#3` });
      const files = ['2.25.3', '2.25.4', '2.25.5', '2.25.6'].map((uid) => aFile(uid));
      async function* slowly(): AsyncGenerator<Uint8Array> {
        for (const file of files) {
          yield partOf(file);
          await systemClock.sleep(50);
        }
        yield LAST;
      }
      await expect(site.post(slowly())).rejects.toThrow();
      const kept = site.rows().map((row) => row['sop_instance_uid']);
      expect(kept.slice(0, 2)).toEqual(['2.25.3', '2.25.4']);
      for (let status = 0; status !== 200;) {
        status = (await site.post(bodyOf(...files)).catch(() => ({ status: 0 }))).status;
        await systemClock.sleep(50);
      }
      expect(site.rows().map((row) => [row['sop_instance_uid'], row['conflict']])).toEqual(
        ['2.25.3', '2.25.4', '2.25.5', '2.25.6'].map((uid) => [uid, 0]),
      );
      expect(site.files()).toHaveLength(4);
      const datasets = site.rows().map(({ path }) => readFileSync(String(path)));
      const at = (file: Buffer): Buffer => file.subarray(decodeFileMeta(file).datasetOffset);
      expect(datasets.every((file, i) => at(file).equals(at(files[i]!)))).toBe(true);
    },
    60_000,
  );
});

describe(WebListener.name, () => {
  const clock = new FakeClock();
  const refusals: ScpRefusal[] = [];
  const aborted: string[] = [];
  let sut: WebListener;
  let port: number;
  afterEach(() => sut.close());

  async function listen(): Promise<void> {
    refusals.splice(0);
    aborted.splice(0);
    const sink: StoreSink = {
      write: () => undefined,
      end: () => Promise.resolve(0),
      abort: () => Promise.resolve(void aborted.push('aborted')),
    };
    const caller = { name: 'WEB1', host: HOST, plain: true, lane: 'routine' } as const;
    sut = new WebListener({
      handler: { begin: () => sink, isOpenTo: () => true },
      callers: [{ ...caller, certificateSha256: undefined, tokenSha256: undefined }],
      onRefusal: (refusal) => void refusals.push(refusal),
      clock,
    });
    port = await sut.listenPlain(HOST, 0);
  }
  async function opened(text = ''): Promise<{ socket: Socket; closed: Promise<unknown> }> {
    const socket = connect(port, HOST);
    socket.on('error', () => undefined).resume();
    await once(socket, 'connect');
    socket.write(text);
    // Not once(): a connection that is reset is closed as well.
    return { socket, closed: new Promise((done) => socket.once('close', done)) };
  }
  /** Time passes until something that the listener does has happened. */
  async function passing(what: Promise<unknown>, stepMs: number): Promise<number> {
    let [passedMs, isOver] = [0, false];
    void what.then(() => (isOver = true));
    while (!isOver) {
      for (let turn = 0; turn < 20; turn += 1) await setImmediate();
      await systemClock.sleep(5);
      clock.advance(stepMs);
      passedMs += stepMs;
    }
    return passedMs;
  }
  const fields = `Host: x\r\nContent-Type: ${STOW}\r\nContent-Length: 99999`;
  const head = `POST /studies HTTP/1.1\r\n${fields}\r\n\r\n`;

  it('gives up a peer that does not finish the head of its request', async () => {
    await listen();
    const { closed } = await opened('POST /studies HTTP/1.1\r\nHost: ');
    expect(await passing(closed, 1_000)).toBeGreaterThanOrEqual(LIMITS.artimMs);
    expect(refusals).toEqual([]);
  });

  it('gives up a peer that trickles its body, and closes its sink', async () => {
    await listen();
    const { socket, closed } = await opened(head);
    socket.write(partOf(aFile('2.25.3')).subarray(0, 1_000));
    let isOver = false;
    void closed.then(() => (isOver = true));
    const trickle = (async () => {
      while (!isOver) {
        socket.write('x');
        await systemClock.sleep(2);
      }
    })();
    expect(await passing(closed, 5_000)).toBeGreaterThan(60_000);
    await trickle;
    while (aborted.length === 0) await setImmediate();
    expect(refusals).toMatchObject([{ what: 'stream', code: 'DEADLINE_EXCEEDED' }]);
  });

  it('has eight connections for one address, and tells that there were more', async () => {
    await listen();
    const open = [];
    for (let i = 0; i < LIMITS.associationsPerPeerMax; i += 1) open.push(await opened());
    const { closed } = await opened();
    await closed;
    expect(refusals).toMatchObject([{ what: 'association', code: 'LIMIT_EXCEEDED' }]);
    for (const { socket } of open) socket.destroy();
  });
});
