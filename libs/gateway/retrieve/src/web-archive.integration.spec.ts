/**
 * Goal: a service that answers WADO-RS wrongly costs neither memory nor time, and brings nothing in
 * that was not asked for.
 * Method: a scripted HTTP server for what no archive does.
 */
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { DicomWebArchive } from '@aifi/dicom-dicomweb';
import { systemClock } from '@aifi/shared-kernel';
import type { IntakePort } from './object-relay.js';
import { WebArchive } from './pacs-archives.js';

const STUDY = '2.25.901';
const MEBIBYTE = 1024 * 1024;
const never = new AbortController().signal;

describe('WebArchive with a scripted service', () => {
  const servers: Server[] = [];
  afterEach(async () => {
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    }
  });

  async function sutOf(listener: RequestListener, intake: IntakePort): Promise<WebArchive> {
    const server = createServer(listener);
    servers.push(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const options = { baseUrl: `http://127.0.0.1:${port}/web`, plain: true, clock: systemClock };
    return new WebArchive({ web: new DicomWebArchive(options), instancesMax: 100, intake });
  }
  const order = { studyInstanceUid: STUDY, objectsMax: 2, sopClassUids: [], signal: never };
  const type = 'multipart/related; type="application/dicom"; boundary=XX';
  const part = '--XX\r\nContent-Type: application/dicom\r\n\r\n';
  const swallow: IntakePort = {
    store: async (file) => {
      for await (const chunk of file) void chunk;
      return 0;
    },
  };

  it('asks for any transfer syntax and follows no redirect', async () => {
    const asked: unknown[] = [];
    const sut = await sutOf((request, response) => {
      asked.push([request.url, request.headers.accept]);
      response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end();
    }, swallow);
    await expect(sut.fetch(order)).rejects.toMatchObject({ code: 'PEER_UNAVAILABLE' });
    expect(asked).toEqual([
      [`/web/studies/${STUDY}`, 'multipart/related; type="application/dicom"; transfer-syntax=*'],
    ]);
  });

  it.each([
    ['more parts than there can be', `${`${part}abcd\r\n`.repeat(3)}--XX--`, type],
    ['an answer that breaks off', `${part}abcd`, type],
    ['a part that is no object', '--XX\r\nContent-Type: text/html\r\n\r\nx\r\n--XX--', type],
    ['an answer that is no multipart', '[]', 'application/dicom+json'],
  ])('takes %s for no answer', async (_, body, contentType) => {
    const sut = await sutOf((_request, response) => {
      response.writeHead(200, { 'content-type': contentType }).end(body);
    }, swallow);
    await expect(sut.fetch(order)).rejects.toMatchObject({ code: 'PEER_UNAVAILABLE' });
  });

  it('stops asking where there is no room, and says so', async () => {
    let stored = 0;
    const full: IntakePort = {
      store: async (file) => {
        for await (const chunk of file) void chunk;
        stored += 1;
        return 0xa700;
      },
    };
    const sut = await sutOf((_request, response) => {
      response.writeHead(200, { 'content-type': type });
      response.end(`${`${part}abcd\r\n`.repeat(2)}--XX--`);
    }, full);
    await expect(sut.fetch(order)).rejects.toMatchObject({ code: 'OUT_OF_RESOURCES' });
    expect(stored).toBe(1);
  });

  it('holds a few chunks of an object and no more, however large it is', async () => {
    const chunk = Buffer.alloc(MEBIBYTE, 7);
    let [sent, taken, mostBetween] = [0, 0, 0];
    const slow: IntakePort = {
      store: async (file) => {
        for await (const bytes of file) {
          taken += bytes.length;
          mostBetween = Math.max(mostBetween, sent - taken);
        }
        return 0;
      },
    };
    const sut = await sutOf(async (_request, response) => {
      response.writeHead(200, { 'content-type': type });
      response.write(part);
      for (let at = 0; at < 256; at += 1) {
        sent += chunk.length;
        if (!response.write(chunk)) await once(response, 'drain');
      }
      response.end('\r\n--XX--');
    }, slow);
    const before = process.memoryUsage().rss;
    expect(await sut.fetch(order)).toBeUndefined();
    expect(taken).toBe(256 * MEBIBYTE);
    // Socket buffers of both ends, and what the relay holds.
    expect(mostBetween).toBeLessThan(24 * MEBIBYTE);
    expect(process.memoryUsage().rss - before).toBeLessThan(160 * MEBIBYTE);
  });

  it('ends when it is told to', async () => {
    const stop = new AbortController();
    const sut = await sutOf((_request, response) => {
      response.writeHead(200, { 'content-type': type });
      response.write(`${part}abcd`);
      stop.abort();
    }, swallow);
    const fault = sut.fetch({ ...order, signal: stop.signal });
    await expect(fault).rejects.toMatchObject({ code: 'PEER_UNAVAILABLE' });
  });
});
