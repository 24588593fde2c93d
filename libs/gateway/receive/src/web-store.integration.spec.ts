/**
 * Goal: what comes by STOW-RS is treated as what comes by C-STORE: an instance counts as stored
 * when file and row are durable, and everything else leaves nothing; nobody else may store.
 * Method: the real listener child, a real database, requests of our own, good and hostile.
 */
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { once } from 'node:events';
import { X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { decodeFileMeta } from '@aifi/dicom-core';
import { sha256Hex, systemClock } from '@aifi/shared-kernel';
import { makeDevelopmentCertificates } from '../../../../deploy/certs/make-certs.mjs';
import { createPrivateIntake, type DiskLevel } from './index.js';
import {
  aFile,
  bodyOf,
  BOUNDARY,
  FAILED,
  HOST,
  LAST,
  listed,
  MR,
  NAMELESS,
  partOf,
  STORED,
  STOW,
  WebSite,
} from './web-site.js';

const plain = { port: 0, callers: [{ name: 'WEB1', host: HOST, plain: true }] };

describe('STOW-RS', () => {
  let sut: WebSite;
  beforeEach(() => {
    sut = new WebSite();
  });
  afterEach(() => sut.remove());

  it('keeps each dataset as it came, with our file meta, and a row that says the way', async () => {
    await sut.start(plain);
    const files = [aFile('2.25.3'), aFile('2.25.4')];
    const answer = await sut.post(bodyOf(...files));
    expect(answer.status).toBe(200);
    expect(answer.headers['content-type']).toBe('application/dicom+json');
    expect(listed(answer, STORED)).toEqual([
      ['2.25.3', undefined],
      ['2.25.4', undefined],
    ]);
    const rows = sut.rows();
    expect(rows).toHaveLength(2);
    for (const [i, row] of rows.entries()) {
      const kept = readFileSync(String(row['path']));
      const sent = files[i]!;
      const at = decodeFileMeta(kept).datasetOffset;
      expect(kept.subarray(at).equals(sent.subarray(decodeFileMeta(sent).datasetOffset))).toBe(
        true,
      );
      expect(row).toMatchObject({
        ...{ way: 'web', calling_ae: 'WEB1', called_ae: '', sha256: sha256Hex(kept) },
        ...{ sop_class_uid: MR, conflict: 0 },
      });
      expect(JSON.stringify(row)).not.toMatch(/canary/i);
    }
    expect((await sut.post(bodyOf(files[0]!))).status).toBe(200);
    expect(sut.rows()).toHaveLength(2);
  });

  it('takes a preamble and file meta of others and drops them', async () => {
    await sut.start(plain);
    const file = aFile('2.25.3');
    file.write('MZ polyglot', 0);
    expect((await sut.post(bodyOf(file))).status).toBe(200);
    const kept = readFileSync(String(sut.rows()[0]!['path']));
    expect(kept.subarray(0, 128).every((byte) => byte === 0)).toBe(true);
  });

  it('says of each instance what a C-STORE of it would have said', async () => {
    await sut.start(plain);
    const good = aFile('2.25.3');
    const cut = aFile('2.25.4').subarray(0, -100);
    const other = aFile('2.25.5', '2.25.99');
    const noMeta = Buffer.alloc(300);
    const answer = await sut.post(bodyOf(good, cut, other, noMeta), { path: '/studies/2.25.1' });
    expect(answer.status).toBe(202);
    expect(listed(answer, STORED)).toEqual([['2.25.3', undefined]]);
    expect(listed(answer, FAILED)).toEqual([
      ['2.25.4', 0xc000],
      ['2.25.5', 0xa900],
    ]);
    expect(listed(answer, NAMELESS)).toEqual([[undefined, 0xc000]]);
    expect(sut.files()).toHaveLength(1);
    const none = await sut.post(bodyOf(cut));
    expect(none.status).toBe(409);
    expect(none.text).not.toMatch(/canary/i);
    expect((await sut.refusals(4)).map((row) => Object.values(row))).toEqual([
      ['WEB1', 'object', 'DICOM_MALFORMED', 0xc000, 3],
      ['WEB1', 'object', 'DICOM_SOP_MISMATCH', 0xa900, 1],
    ]);
  });

  it('refuses a class and a transfer syntax that an association would not be given', async () => {
    await sut.start(plain);
    const rewritten = (from: string, to: string): Buffer => {
      const text = aFile('2.25.3').toString('latin1');
      return Buffer.from(text.replaceAll(from, to), 'latin1');
    };
    const directory = rewritten(MR, '1.2.840.10008.1.3.1000000');
    const jpip = rewritten('1.2.840.10008.1.2.1\0', '1.2.840.10008.1.2.0\0');
    const answer = await sut.post(
      bodyOf(directory, rewritten('1.2.840.10008.1.2.1', '1.2.840.10008.9.9.9')),
    );
    expect(answer.status).toBe(409);
    expect(listed(answer, FAILED).map(([, status]) => status)).toEqual([0x0122, 0xc122]);
    expect((await sut.post(bodyOf(jpip))).status).not.toBe(500);
  });

  it.each([
    ['another path', { path: '/' }, 404],
    ['a study that is no UID', { path: '/studies/1.02' }, 404],
    ['a series', { path: '/studies/2.25.1/series' }, 404],
    ['a query', { method: 'GET' }, 405],
    ['an answer in XML', { headers: { accept: 'application/dicom+xml' } }, 406],
    ['a body that is packed', { headers: { 'content-encoding': 'gzip' } }, 415],
    ['one object without parts', { headers: { 'content-type': 'application/dicom' } }, 415],
    [
      'metadata apart from pixels',
      { headers: { 'content-type': STOW.replace('application/dicom', 'application/dicom+json') } },
      415,
    ],
    ['a certificate in place of images', { headers: { 'content-type': 'image' } }, 415],
    [
      'no boundary',
      { headers: { 'content-type': 'multipart/related; type="application/dicom"' } },
      400,
    ],
    ['an endless boundary', { headers: { 'content-type': STOW + 'x'.repeat(200) } }, 400],
  ])('answers %s with fixed words', async (_name, options, status) => {
    await sut.start(plain);
    const body = 'method' in options ? Buffer.alloc(0) : bodyOf(aFile('2.25.3'));
    const answer = await sut.post(body, options);
    expect([answer.status, answer.headers['content-type']]).toEqual([
      status,
      'text/plain; charset=utf-8',
    ]);
    expect(sut.rows()).toEqual([]);
  });

  const part = partOf(aFile('2.25.3'));
  it.each([
    ['no parts', LAST, 400, 0],
    ['nothing at all', Buffer.alloc(0), 400, 0],
    ['no end', part, 400, 0],
    ['no end after one that is whole', Buffer.concat([part, partOf(aFile('2.25.4'))]), 400, 1],
    [
      'a part of another type',
      Buffer.concat([partOf(part, 'Content-Type: text/html'), LAST]),
      415,
      0,
    ],
    [
      'a multipart within a part',
      Buffer.concat([partOf(part, `Content-Type: multipart/related; boundary=x`), LAST]),
      415,
      0,
    ],
    [
      'a part in base64',
      Buffer.concat([partOf(part, 'Content-Transfer-Encoding: base64'), LAST]),
      415,
      0,
    ],
    ['a giant header', Buffer.concat([partOf(part, `X: ${'y'.repeat(9_000)}`), LAST]), 413, 0],
    ['a header that does not read', Buffer.concat([partOf(part, 'no colon'), LAST]), 400, 0],
    ['bytes before the first part', Buffer.concat([Buffer.alloc(5_000), part, LAST]), 413, 0],
  ])('answers a body with %s', async (_name, body, status, stored) => {
    await sut.start(plain);
    expect((await sut.post(body)).status).toBe(status);
    expect(sut.rows()).toHaveLength(stored);
    expect(sut.files()).toHaveLength(stored);
  });

  it('keeps bytes that look like its boundary, and parts without a type', async () => {
    await sut.start(plain);
    const file = aFile('2.25.3');
    file.write(`\r\n--${BOUNDARY.slice(0, -1)}`, file.length - 1_000, 'latin1');
    const body = Buffer.concat([
      Buffer.from(`preamble\r\n--${BOUNDARY} \t\r\n\r\n`),
      file,
      Buffer.from(`\r\n--${BOUNDARY}--\r\nepilogue`),
    ]);
    // Byte by byte it means the same.
    async function* bytes(): AsyncGenerator<Uint8Array> {
      for (const byte of body) yield Uint8Array.of(byte);
    }
    expect((await sut.post(bytes())).status).toBe(200);
    const kept = readFileSync(String(sut.rows()[0]!['path']));
    expect(kept.includes(`--${BOUNDARY.slice(0, -1)}`)).toBe(true);
  });

  it('keeps what was stored when the sender goes in the middle, and nothing of the rest', async () => {
    await sut.start(plain);
    const socket = connect(sut.ports.webPort, HOST);
    socket.write(
      `POST /studies HTTP/1.1\r\nHost: x\r\nContent-Type: ${STOW}\r\n` +
        'Content-Length: 99999999\r\n\r\n',
    );
    socket.write(
      Buffer.concat([partOf(aFile('2.25.3')), partOf(aFile('2.25.4')).subarray(0, -900)]),
    );
    while (sut.rows().length === 0) await systemClock.sleep(10);
    socket.destroy();
    expect((await sut.refusals(1)).map((row) => Object.values(row))).toEqual([
      ['WEB1', 'stream', 'PEER_UNAVAILABLE', -1, 1],
    ]);
    while (sut.files().length > 1) await systemClock.sleep(10);
    expect(sut.rows()).toHaveLength(1);
  });

  it('says 503 with a time when there is no room, before and in the middle of a request', async () => {
    let level: DiskLevel = 'refuse-routine';
    let tell: (level: DiskLevel) => void = () => undefined;
    const acute = { name: 'ER', host: HOST, plain: true, lane: 'acute' };
    await sut.start(plain, { diskLevel: () => level, onDiskLevel: (told) => (tell = told) });
    const full = await sut.post(bodyOf(aFile('2.25.3')));
    expect([full.status, full.headers['retry-after']]).toEqual([503, '60']);
    await sut.end();
    await sut.start(
      { ...plain, callers: [acute] },
      { diskLevel: () => level, onDiskLevel: (told) => (tell = told) },
    );
    async function* slowly(): AsyncGenerator<Uint8Array> {
      const [first, second] = [partOf(aFile('2.25.4')), partOf(aFile('2.25.5'))];
      yield Buffer.concat([first, second.subarray(0, 40)]);
      while (sut.rows().length === 0) await systemClock.sleep(10);
      level = 'refuse-all';
      tell(level);
      await systemClock.sleep(200);
      yield Buffer.concat([second.subarray(40), LAST]);
    }
    const answer = await sut.post(slowly());
    expect([answer.status, answer.headers['retry-after']]).toEqual([503, '60']);
    expect(listed(answer, STORED)).toEqual([['2.25.4', undefined]]);
    expect(listed(answer, FAILED)).toEqual([['2.25.5', 0xa700]]);
    expect(sut.files()).toHaveLength(1);
  });

  it('lists thousands of instances, and ends a request with more parts than a study has', async () => {
    await sut.start(plain);
    const tiny = partOf(Buffer.from('x'));
    async function* parts(count: number): AsyncGenerator<Uint8Array> {
      const many = Buffer.concat(Array.from({ length: 1_000 }, () => tiny));
      for (let sent = 0; sent < count; sent += 1_000) yield many;
      yield LAST;
    }
    const some = await sut.post(parts(5_000));
    expect([some.status, listed(some, NAMELESS).length]).toEqual([409, 5_000]);
    expect((await sut.post(parts(100_000))).status).toBe(413);
  }, 60_000);

  it('gives a connection that says nothing no longer than the ARTIM time', async () => {
    await sut.start(plain);
    const socket = connect(sut.ports.webPort, HOST);
    socket.write('POST /stud');
    await once(socket.resume(), 'close');
    expect(sut.rows()).toEqual([]);
  }, 30_000);

  it('answers what is no HTTP and goes', async () => {
    await sut.start(plain);
    const socket = connect(sut.ports.webPort, HOST);
    const said: Buffer[] = [];
    socket.on('data', (bytes) => said.push(bytes));
    socket.write(Buffer.alloc(100, 1));
    await once(socket, 'close');
    expect(Buffer.concat(said).toString()).toMatch(/^HTTP\/1.1 400 /);
  });

  it('knows over TLS who shows his certificate or his credential, and nobody else', async () => {
    const folder = sut.folder.path;
    const made = { folder: join(folder, 'certs'), sites: ['a', 'b'] };
    const own = await makeDevelopmentCertificates(made);
    const bearerTokenFile = join(folder, 'token');
    writeFileSync(bearerTokenFile, `${'t'.repeat(40)}\n`);
    const { fingerprint256 } = new X509Certificate(readFileSync(own.sites['a']!.certificateFile));
    const certificateSha256 = fingerprint256.replaceAll(':', '').toLowerCase();
    await sut.start({
      tls: { port: 0, ...own.hub },
      callers: [
        { name: 'CERT', certificateSha256 },
        { name: 'TOKEN', bearerTokenFile },
      ],
    });
    const port = sut.ports.webTlsPort;
    const anyName = { ca: readFileSync(own.hub.caFile), servername: 'localhost' };
    const shown = (site: string): object => {
      const { certificateFile, keyFile } = own.sites[site]!;
      return { ...anyName, cert: readFileSync(certificateFile), key: readFileSync(keyFile) };
    };
    const status = async (tls: object, headers = {}): Promise<number> =>
      (await sut.post(bodyOf(aFile('2.25.3')), { port, tls, headers })).status;
    expect(await status(anyName)).toBe(401);
    expect(await status(shown('b'))).toBe(401);
    expect(await status(anyName, { authorization: `Bearer ${'u'.repeat(40)}` })).toBe(401);
    expect(sut.rows()).toEqual([]);
    expect(await status(shown('a'))).toBe(200);
    expect(await status(anyName, { authorization: `Bearer ${'t'.repeat(40)}` })).toBe(200);
    expect(sut.rows().map((row) => row['calling_ae'])).toEqual(['CERT']);
  }, 30_000);

  it('refuses a peer that is not listed, whatever it calls itself', async () => {
    await sut.start({ port: 0, callers: [{ name: 'OTHER', host: '127.0.0.9', plain: true }] });
    const headers = { 'aifi-way': 'folder', 'aifi-from': 'OTHER', 'aifi-lane': 'acute' };
    const answer = await sut.post(bodyOf(aFile('2.25.3')), { headers });
    expect(answer.status).toBe(403);
    expect(sut.rows()).toEqual([]);
  });
});

describe(createPrivateIntake.name, () => {
  const sut = new WebSite();
  afterEach(() => sut.remove());

  it('stores for the gateway itself, on a socket that only its user may open', async () => {
    await sut.start(undefined);
    const intake = createPrivateIntake(sut.folder.path, systemClock);
    const folder = join(sut.folder.path, 'intake');
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(statSync(join(folder, 'store.sock')).mode & 0o777).toBe(0o600);
    const origin = { way: 'folder', from: 'BATCHES', lane: 'routine' } as const;
    async function* inTwo(bytes: Buffer): AsyncGenerator<Uint8Array> {
      yield bytes.subarray(0, 140);
      yield bytes.subarray(140);
    }
    expect(await intake.store(inTwo(aFile('2.25.3')), origin)).toBe(0);
    expect(await intake.store(inTwo(aFile('2.25.4').subarray(0, -8)), origin)).toBe(0xc000);
    expect(await intake.store(inTwo(Buffer.alloc(200)), origin)).toBe(0xc000);
    const body = bodyOf(aFile('2.25.5'), aFile('2.25.6').subarray(0, -8), aFile('2.25.7'));
    expect(await intake.forward(inTwo(body), STOW, { ...origin, way: 'retrieved' })).toEqual({
      ...{ httpStatus: 202, stored: 2 },
      failed: [{ sopInstanceUid: '2.25.6', status: 0xc000 }],
    });
    expect(sut.rows().map(({ way, calling_ae: ae }) => [way, ae])).toEqual([
      ['folder', 'BATCHES'],
      ['retrieved', 'BATCHES'],
      ['retrieved', 'BATCHES'],
    ]);
    await sut.end();
    const failed = intake.store(inTwo(aFile('2.25.8')), origin);
    await expect(failed).rejects.toMatchObject({ code: 'PEER_UNAVAILABLE' });
    rmSync(folder, { recursive: true });
  });
});
