/**
 * Goal: a PACS behind DICOMweb gets exactly our bytes and is asked like one behind DIMSE; a service
 * that misbehaves costs neither memory nor time, and gets nothing that is not its own.
 * Method: Orthanc with its DICOMweb plugin; a scripted HTTP server for what no service does.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createHttpsServer, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { setImmediate } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { decodeFileMeta, DicomDataset, encodeDataset } from '@aifi/dicom-core';
import type { StoreObject } from '@aifi/dicom-dimse';
import { systemClock, type Clock } from '@aifi/shared-kernel';
import { FakeClock, freePorts, temporaryFolder } from '@aifi/shared-testing';
import { makeDevelopmentCertificates } from '../../../../deploy/certs/make-certs.mjs';
import {
  ensureOrthancDicomweb,
  ORTHANC_DICOMWEB_PLUGIN,
} from '../../../../deploy/services/orthanc-dicomweb/install.mjs';
import { prepareOrthanc } from '../../../../deploy/services/orthanc/start.mjs';
import { DicomWebPacs, type DicomWebOptions } from './dicom-web-pacs.js';

const EXPLICIT = '1.2.840.10008.1.2.1';
const SECONDARY_CAPTURE = '1.2.840.10008.5.1.4.1.1.7';
const [STUDY, SERIES] = ['2.25.1001', '2.25.1002'];
const MEBIBYTE = 1024 * 1024;

function object(sopInstanceUid: string): StoreObject & { readonly dataset: Buffer } {
  const dataset = new DicomDataset()
    .setString('SpecificCharacterSet', 'ISO_IR 192')
    .setString('SOPClassUID', SECONDARY_CAPTURE)
    .setString('SOPInstanceUID', sopInstanceUid)
    .setString('Modality', 'OT')
    .setBytes(0x00090010, Buffer.from('AIFI TEST '), 'LO')
    .setBytes(0x00091001, Buffer.from([1, 2, 3, 4]), 'UN')
    .setString('PatientName', 'Ünal^Zoë')
    .setString('PatientID', 'P-ü1')
    .setString('IssuerOfPatientID', 'HOSPITAL')
    .setString('PatientBirthDate', '19700102')
    .setString('StudyInstanceUID', STUDY)
    .setString('SeriesInstanceUID', SERIES)
    .setBytes('PixelData', Buffer.from(Array.from({ length: 600_000 }, (_, i) => i & 255)), 'OB');
  return {
    ...{ sopClassUid: SECONDARY_CAPTURE, sopInstanceUid, transferSyntaxUid: EXPLICIT },
    dataset: encodeDataset(dataset, { explicitVr: true, littleEndian: true }),
  };
}
async function* pieces(bytes: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 9_999) yield bytes.subarray(at, at + 9_999);
}
async function codeOf(work: Promise<unknown>): Promise<string | undefined> {
  const error: unknown = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return (error as { code?: string } | undefined)?.code;
}

const hasOrthanc = ensureOrthancDicomweb().ok || process.env['CI'] === 'true';
(hasOrthanc ? describe : describe.skip)('DicomWebPacs with Orthanc', () => {
  const folder = temporaryFolder('dicomweb');
  let [orthanc, rest]: [ChildProcess | undefined, string] = [undefined, ''];
  let sut: DicomWebPacs;

  beforeAll(async () => {
    const [dicomPort, httpPort] = await freePorts(2);
    const prepared = prepareOrthanc({
      ...{ folder: folder.path, aeTitle: 'PACS', dicomPort: dicomPort!, httpPort: httpPort! },
      modalities: [],
      plugins: [ORTHANC_DICOMWEB_PLUGIN],
    });
    rest = prepared.restUrl;
    orthanc = spawn(prepared.command, prepared.arguments, { stdio: 'ignore' });
    sut = new DicomWebPacs({ baseUrl: `${rest}/dicom-web`, plain: true, clock: systemClock });
    while ((await codeOf(sut.echo())) !== undefined) await systemClock.sleep(50);
  }, 60_000);
  afterAll(async () => {
    orthanc?.kill('SIGTERM');
    if (orthanc) await once(orthanc, 'exit');
    folder.remove();
  });

  it('stores bytes unchanged, whole or as a stream, and finds study and instance', async () => {
    const [whole, streamed] = [object('2.25.1003'), object('2.25.1004')];
    expect(await sut.findStudy(STUDY)).toEqual([]);
    expect(await sut.findInstance(STUDY, SERIES, '2.25.1003')).toBe(false);
    expect(await sut.store(whole)).toBe(0);
    expect(await sut.store({ ...streamed, dataset: () => pieces(streamed.dataset) })).toBe(0);
    expect(await sut.findInstance(STUDY, SERIES, '2.25.1003')).toBe(true);
    expect(await sut.findInstance(STUDY, SERIES, '2.25.1004')).toBe(true);
    expect(await sut.findInstance(STUDY, SERIES, '2.25.100')).toBe(false);
    expect(await sut.findStudy(STUDY)).toMatchObject([
      {
        studyInstanceUid: STUDY,
        patientId: 'P-ü1',
        issuerOfPatientId: 'HOSPITAL',
        patientBirthDate: '19700102',
      },
    ]);
    const ids = (await (await fetch(`${rest}/instances`)).json()) as string[];
    const files = await Promise.all(
      ids.map(async (id) =>
        Buffer.from(await (await fetch(`${rest}/instances/${id}/file`)).arrayBuffer()),
      ),
    );
    const sent = [whole, streamed].map(({ dataset }) => dataset);
    const received = files.map((file) => file.subarray(decodeFileMeta(file).datasetOffset));
    expect(received).toHaveLength(2);
    expect(received.every((bytes) => sent.some((one) => one.equals(bytes)))).toBe(true);
  });

  it('is not told Success for what the service does not keep', async () => {
    const broken = { ...object('2.25.1005'), dataset: Buffer.from('no dataset at all') };
    expect(await sut.store(broken).catch(() => 'fault')).not.toBe(0);
    expect(await sut.findInstance(STUDY, SERIES, '2.25.1005')).toBe(false);
  });

  it('says that there is no such service', async () => {
    const elsewhere = new DicomWebPacs({
      baseUrl: `${rest}/none`,
      plain: true,
      clock: systemClock,
    });
    expect(await codeOf(elsewhere.echo())).toBe('PEER_UNAVAILABLE');
    expect(await codeOf(elsewhere.findStudy(STUDY))).toBe('PEER_UNAVAILABLE');
    expect(await codeOf(elsewhere.store(object('2.25.1006')))).toBe('PEER_UNAVAILABLE');
  });
});

describe('DicomWebPacs with a scripted service', () => {
  const folder = temporaryFolder('dicomweb-tls');
  const servers: Server[] = [];
  afterEach(async () => {
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    }
  });
  afterAll(() => folder.remove());

  async function listen(listener: RequestListener, tls?: ServerOptions): Promise<number> {
    const server = tls ? createHttpsServer(tls, listener) : createServer(listener);
    servers.push(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  }
  async function pacsOf(
    listener: RequestListener,
    options: Partial<DicomWebOptions> = {},
  ): Promise<DicomWebPacs> {
    const baseUrl = `http://127.0.0.1:${await listen(listener)}/web/`;
    return new DicomWebPacs({ baseUrl, plain: true, clock: systemClock, ...options });
  }

  it('asks where it was told to, with the credential, and follows no redirect', async () => {
    const asked: (readonly [string | undefined, string | undefined])[] = [];
    const other = await listen((request, response) => {
      asked.push(['other', request.url]);
      response.end('[]');
    });
    const sut = await pacsOf(
      (request, response) => {
        asked.push([request.headers.authorization, request.url]);
        response.writeHead(307, { location: `http://127.0.0.1:${other}/` }).end();
      },
      { authorization: () => 'Bearer abc' },
    );
    expect(await codeOf(sut.findInstance('1.2', '1.3', '1.4'))).toBe('PEER_UNAVAILABLE');
    expect(await codeOf(sut.store(object('2.25.1')))).toBe('PEER_UNAVAILABLE');
    const search = '/web/studies/1.2/series/1.3/instances?limit=100&SOPInstanceUID=1.4';
    expect(asked).toEqual([
      ['Bearer abc', search],
      ['Bearer abc', '/web/studies'],
    ]);
  });

  it('says that a credential cannot be sent, and not what it is', async () => {
    const authorization = (): string => 'Bearer secret\r\nx-other: 1';
    const sut = await pacsOf((_request, response) => void response.end('[]'), { authorization });
    const error = await sut.echo().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'CONFIG_INVALID' });
    expect((error as Error).message).not.toContain('secret');
  });

  it('lets nothing but a UID into a URL', async () => {
    const sut = await pacsOf(() => expect(true).toBe(false));
    for (const uid of ['', '*', '1.2/../..', '1.2?x', `1.${'2'.repeat(63)}`, '1..2']) {
      expect(await codeOf(sut.findStudy(uid))).toBe('INVALID_IDENTIFIER');
      expect(await codeOf(sut.findInstance('1.2', uid, '1.3'))).toBe('INVALID_IDENTIFIER');
    }
  });

  it('counts only matches of the very UID, and finds nothing in 204 and 404', async () => {
    const match = (uid: string) => ({ '0020000D': { vr: 'UI', Value: [uid] } });
    const list = JSON.stringify([match('1.2.3'), match('1.2'), {}, { '0020000D': { vr: 'UI' } }]);
    const sut = await pacsOf((_request, response) => void response.end(list));
    expect(await sut.findStudy('1.2')).toHaveLength(1);
    const empty = await pacsOf((_request, response) => void response.writeHead(204).end());
    expect(await empty.findStudy('1.2')).toEqual([]);
    const absent = await pacsOf((_request, response) => void response.writeHead(404).end());
    expect(await absent.findInstance('1.2', '1.3', '1.4')).toBe(false);
    expect(await codeOf(absent.findStudy('1.2'))).toBe('PEER_UNAVAILABLE');
  });

  it('takes no answer that is too long, encoded, cut short or no JSON', async () => {
    const listeners: readonly RequestListener[] = [
      (_request, response) => void response.end(`"${'a'.repeat(2 * MEBIBYTE)}"`),
      (_request, response) => void response.setHeader('content-encoding', 'gzip').end('[]'),
      (_request, response) => {
        response.writeHead(200, { 'content-length': 100 }).write('[');
        void setImmediate().then(() => response.destroy());
      },
      (_request, response) => void response.end('<html>'),
      (_request, response) => void response.end(''),
      (_request, response) => void response.setHeader('x-long', 'a'.repeat(20_000)).end('[]'),
      (request) => void request.socket.destroy(),
    ];
    for (const listener of listeners) {
      const sut = await pacsOf(listener);
      expect(await codeOf(sut.findStudy('1.2'))).toBe('PEER_UNAVAILABLE');
    }
  });

  it('streams with back-pressure and stops when the service has answered', async () => {
    let [given, isClosed, received] = [0, false, 0];
    async function* large(): AsyncGenerator<Uint8Array> {
      try {
        for (; given < 128; given += 1) yield Buffer.alloc(MEBIBYTE);
      } finally {
        isClosed = true;
      }
    }
    const early = await pacsOf((_request, response) => {
      void systemClock.sleep(100).then(() => response.writeHead(413).end());
    });
    expect(await early.store({ ...object('2.25.1'), dataset: large })).toBe(0xc000);
    expect([given < 24, isClosed]).toEqual([true, true]);
    given = 0;
    const hash = createHash('sha256');
    const sut = await pacsOf(async (request, response) => {
      for await (const chunk of request) {
        received += (chunk as Buffer).length;
        hash.update(chunk as Buffer);
      }
      const item = { '00081155': { vr: 'UI', Value: ['2.25.1'] } };
      response.end(JSON.stringify({ '00081199': { vr: 'SQ', Value: [item] } }));
    });
    expect(await sut.store({ ...object('2.25.1'), dataset: large })).toBe(0);
    expect(received).toBeGreaterThan(128 * MEBIBYTE);
    expect(received).toBeLessThan(128 * MEBIBYTE + 1_024);
  }, 30_000);

  it('passes a fault of our own disk on as it is', async () => {
    const broken = new Error('disk');
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield Buffer.alloc(10);
      throw broken;
    }
    const sut = await pacsOf((request) => void request.resume().on('error', () => undefined));
    const work = sut.store({ ...object('2.25.1'), dataset: failing });
    await expect(work).rejects.toBe(broken);
  });

  it('gives up a service that never answers', async () => {
    const clock = new FakeClock();
    let wasAsked = false;
    const silent: Clock = clock;
    const sut = await pacsOf(() => void (wasAsked = true), { clock: silent, timeoutMs: 1_000 });
    const works = [sut.findStudy('1.2'), sut.store(object('2.25.1'))].map(codeOf);
    let isOver = false;
    const over = Promise.all(works).finally(() => (isOver = true));
    while (!wasAsked) await systemClock.sleep(1);
    for (; !isOver; await systemClock.sleep(2)) clock.advance(500);
    expect(await over).toEqual(['DEADLINE_EXCEEDED', 'DEADLINE_EXCEEDED']);
  });

  it('refuses a configuration that would send in clear without saying so', () => {
    const tls = { ca: Buffer.from('') };
    const bad: readonly Partial<DicomWebOptions>[] = [
      { baseUrl: 'http://pacs/web' },
      { baseUrl: 'https://pacs/web' },
      { baseUrl: 'http://pacs/web', tls, plain: true },
      { baseUrl: 'https://user:secret@pacs/web', tls },
      { baseUrl: 'https://pacs/web?x=1', tls },
      { baseUrl: 'ftp://pacs/web', plain: true },
      { baseUrl: 'pacs', plain: true },
      { baseUrl: 'https://pacs/web', tls: { ...tls, key: Buffer.from('') } },
    ];
    for (const options of bad) {
      const make = (): unknown => new DicomWebPacs({ clock: systemClock, baseUrl: '', ...options });
      expect(make).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
    }
  });

  it('checks the certificate of the service and shows its own', async () => {
    const path = (name: string): string => `${folder.path}/${name}`;
    const ours = await makeDevelopmentCertificates({ folder: path('ours'), sites: ['a'] });
    const foreign = await makeDevelopmentCertificates({ folder: path('foreign'), sites: ['a'] });
    const client = ours.sites['a']!;
    const tls = {
      ca: readFileSync(ours.hub.caFile),
      certificate: readFileSync(client.certificateFile),
      key: readFileSync(client.keyFile),
    };
    const peers: unknown[] = [];
    const serverOf = (own: typeof ours): Promise<number> =>
      listen(
        (request, response) => {
          const { subject } = (request.socket as TLSSocket).getPeerCertificate();
          peers.push(subject.CN);
          response.end('[]');
        },
        {
          cert: readFileSync(own.hub.certificateFile),
          key: readFileSync(own.hub.keyFile),
          ca: readFileSync(ours.hub.caFile),
          requestCert: true,
        },
      );
    const [port, stranger] = [await serverOf(ours), await serverOf(foreign)];
    const pacs = (baseUrl: string, more: object = {}): DicomWebPacs =>
      new DicomWebPacs({ baseUrl, tls: { ...tls, ...more }, clock: systemClock });
    await pacs(`https://127.0.0.1:${port}`).echo();
    await pacs(`https://localhost:${port}`).echo();
    expect(peers).toEqual(['gateway of a', 'gateway of a']);
    const wrong = { serverName: 'pacs.example' };
    expect(await codeOf(pacs(`https://127.0.0.1:${port}`, wrong).echo())).toBe('UNTRUSTED');
    expect(await codeOf(pacs(`https://127.0.0.1:${stranger}`).echo())).toBe('UNTRUSTED');
    const noKey = { key: Buffer.from('no key') };
    expect(await codeOf(pacs(`https://127.0.0.1:${port}`, noKey).echo())).toBe('CONFIG_INVALID');
  });
});
