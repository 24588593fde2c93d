/**
 * Goal: DICOM TLS takes known certificates only, over TLS 1.2 and 1.3 with sound suites, and what
 * does not get that far is ended, reported and harmless.
 * Method: a listening SCP with development certificates; Node's TLS client, hand-made records, and
 * DCMTK's tools as a peer that none of us wrote.
 */
import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { connect, createServer, type ConnectionOptions } from 'node:tls';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { DicomDataset, encodePart10 } from '@aifi/dicom-core';
import { LIMITS } from '@aifi/shared-kernel';
import { FakeClock, hasPeers, temporaryFolder } from '@aifi/shared-testing';
import { makeDevelopmentCertificates } from '../../../../deploy/certs/make-certs.mjs';
import { RawPeer } from '../test/raw-peer.js';
import { associate, CT, echo, RELEASE, store } from '../test/wire.js';
import type { ScpRefusal } from './scp-connection.js';
import type { StoreHandler } from './store-exchange.js';
import { startStoreScp, type RunningScp } from './store-scp.js';

const run = promisify(execFile);
const HOST = '127.0.0.1';
interface Identity {
  readonly caFile: string;
  readonly certificateFile: string;
  readonly keyFile: string;
}
const fingerprintOf = ({ certificateFile }: Identity): string =>
  new X509Certificate(readFileSync(certificateFile)).fingerprint256
    .replaceAll(':', '')
    .toLowerCase();

/** A ClientHello of TLS 1.2 whose server name is as long as asked. */
function clientHello(serverNameBytes: number): Buffer {
  const uint16 = (value: number): Buffer => Buffer.from([value >> 8, value & 0xff]);
  const name = Buffer.alloc(serverNameBytes, 'a');
  const names = Buffer.concat([Buffer.from([0]), uint16(name.length), name]);
  const list = Buffer.concat([uint16(names.length), names]);
  const extension = Buffer.concat([uint16(0), uint16(list.length), list]);
  const body = Buffer.concat([
    uint16(0x0303),
    Buffer.alloc(32, 7),
    Buffer.from([0]),
    uint16(4),
    uint16(0xc02b),
    uint16(0xc02f),
    Buffer.from([1, 0]),
    uint16(extension.length),
    extension,
  ]);
  const handshake = Buffer.concat([Buffer.from([1, 0]), uint16(body.length), body]);
  return Buffer.concat([Buffer.from([22, 3, 1]), uint16(handshake.length), handshake]);
}

/** Takes every version, suite and certificate. */
async function laxServer(identity: Identity): Promise<{ port: number; close(): Promise<void> }> {
  const lax = createServer({
    cert: readFileSync(identity.certificateFile),
    key: readFileSync(identity.keyFile),
    minVersion: 'TLSv1',
    ciphers: 'ALL:eNULL:@SECLEVEL=0',
    requestCert: true,
    rejectUnauthorized: false,
  });
  lax.on('secureConnection', (socket) => socket.on('error', () => undefined).resume());
  lax.listen(0, HOST);
  await once(lax, 'listening');
  return {
    port: (lax.address() as AddressInfo).port,
    close: () => new Promise((resolve) => lax.close(() => resolve())),
  };
}

describe('DICOM TLS', () => {
  const folder = temporaryFolder('dicom-tls');
  const refusals: ScpRefusal[] = [];
  const received: number[] = [];
  let clock: FakeClock;
  let sut: RunningScp;
  let server: Identity;
  let known: Identity;
  let other: Identity;
  let foreign: Identity;

  const handler: StoreHandler = {
    begin: () => {
      let bytes = 0;
      return {
        write: (chunk) => void (bytes += chunk.length),
        end: async () => {
          received.push(bytes);
          return 0;
        },
        abort: async () => undefined,
      };
    },
  };
  beforeAll(async () => {
    const ours = join(folder.path, 'ours');
    const made = await makeDevelopmentCertificates({ folder: ours, sites: ['ct-1', 'ct-2'] });
    const theirs = join(folder.path, 'theirs');
    const wrong = await makeDevelopmentCertificates({ folder: theirs, sites: ['ct-1'] });
    server = made.hub;
    known = made.sites['ct-1']!;
    other = made.sites['ct-2']!;
    foreign = wrong.sites['ct-1']!;
  });
  afterAll(() => folder.remove());
  beforeEach(async () => {
    refusals.length = 0;
    received.length = 0;
    clock = new FakeClock();
    sut = await startStoreScp({
      host: HOST,
      port: 0,
      tls: {
        port: 0,
        certificate: readFileSync(server.certificateFile),
        key: readFileSync(server.keyFile),
        ca: readFileSync(server.caFile),
      },
      aeTitle: 'SUT',
      callers: [
        { aeTitle: 'PEER', certificateSha256: fingerprintOf(known) },
        { aeTitle: 'BYHOST', host: HOST },
        { aeTitle: 'BOTH', host: '192.0.2.1', certificateSha256: fingerprintOf(known) },
        { aeTitle: 'NEITHER' },
        { aeTitle: 'PLAIN', host: HOST, plain: true },
      ],
      handler,
      clock,
      onRefusal: (refusal) => void refusals.push(refusal),
    });
  });
  afterEach(() => sut.close());

  const credentials = (identity: Identity): ConnectionOptions => ({
    cert: readFileSync(identity.certificateFile),
    key: readFileSync(identity.keyFile),
  });
  /** A peer after its handshake; rejects when there is none. In TLS 1.3 the server judges later. */
  async function secure(options: ConnectionOptions): Promise<RawPeer> {
    const ca = readFileSync(server.caFile);
    const socket = connect({ host: HOST, port: sut.tlsPort, ca, ...options });
    await once(socket, 'secureConnect');
    return new RawPeer(socket);
  }
  async function isServing(): Promise<void> {
    const peer = await secure(credentials(known));
    const said = await peer.ask(Buffer.concat([associate(), echo(), RELEASE]), 3);
    expect(said).toEqual(['accept 1:0 3:0', 'echo#1 0000', 'release']);
    peer.socket.end();
    await peer.closed();
  }
  const untrusted = { what: 'association', code: 'UNTRUSTED', callingAeTitle: '' };

  it.each(['TLSv1.2', 'TLSv1.3'] as const)('stores over %s', async (version) => {
    const options = { ...credentials(known), minVersion: version, maxVersion: version };
    const peer = await secure(options);
    const said = await peer.ask(Buffer.concat([associate(), store(1), echo(2)]), 3);
    expect(said).toEqual(['accept 1:0 3:0', 'store#1 0000', 'echo#2 0000']);
    expect(received).toHaveLength(1);
    peer.socket.destroy();
  });

  it.each([
    ['a caller with the certificate of another', 'PEER', 'other', 'reject 1/1/3'],
    ['a caller bound to its address only', 'BYHOST', 'other', 'accept 1:0 3:0'],
    ['a caller whose certificate fits and whose address does not', 'BOTH', 'known', 'reject 1/1/3'],
    ['a caller bound to nothing', 'NEITHER', 'known', 'reject 1/1/3'],
    ['a caller that may come plain too', 'PLAIN', 'known', 'accept 1:0 3:0'],
    ['an unknown caller', 'STRANGER', 'known', 'reject 1/1/3'],
  ])('answers %s', async (_, calling, whose, answer) => {
    const peer = await secure(credentials(whose === 'known' ? known : other));
    expect(await peer.ask(associate({ calling }))).toEqual([answer]);
    peer.socket.destroy();
  });

  it.each([
    ['a caller that may come plain', 'PLAIN', 'accept 1:0 3:0'],
    ['a caller that has a certificate', 'PEER', 'reject 1/1/3'],
    ['a caller that has an address', 'BYHOST', 'reject 1/1/3'],
  ])('answers %s on the plain port', async (_, calling, answer) => {
    const peer = await RawPeer.open(sut.port);
    expect(await peer.ask(associate({ calling }))).toEqual([answer]);
    peer.socket.destroy();
  });

  it.each<[string, () => ConnectionOptions]>([
    [
      'TLS 1.0',
      () => ({ minVersion: 'TLSv1', maxVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' }),
    ],
    [
      'TLS 1.1',
      () => ({ minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }),
    ],
    ['a null cipher', () => ({ maxVersion: 'TLSv1.2', ciphers: 'NULL-SHA256:eNULL:@SECLEVEL=0' })],
    ['CBC', () => ({ maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA256' })],
    ['no client certificate over TLS 1.2', () => ({ maxVersion: 'TLSv1.2', cert: '', key: '' })],
    ['no client certificate over TLS 1.3', () => ({ minVersion: 'TLSv1.3', cert: '', key: '' })],
    ['a certificate of another authority', () => credentials(foreign)],
    ['a certificate of a server', () => credentials(server)],
  ])('refuses %s', async (_, options) => {
    const given = options();
    const own = given.cert === undefined ? credentials(known) : {};
    const ca = readFileSync(server.caFile);
    const { cert, key, ...rest } = { ...own, ...given };
    const pair = cert ? { cert, key } : {};
    const peer = new RawPeer(connect({ host: HOST, port: sut.tlsPort, ca, ...rest, ...pair }));
    // Nothing that it says is heard.
    expect(await peer.ask(associate())).toEqual(['closed']);
    await peer.closed();
    await isServing();
    expect(refusals).toEqual([untrusted]);
    // It is not the client that cannot: a server without standards takes it.
    const lax = await laxServer(server);
    const taken = connect({ host: HOST, port: lax.port, ca, ...rest, ...pair });
    await once(taken, 'secureConnect').finally(() => {
      taken.destroy();
      return lax.close();
    });
  });

  it('does not report a peer that only looked whether the port is open', async () => {
    const peer = await RawPeer.open(sut.tlsPort);
    peer.socket.end();
    await peer.closed();
    await isServing();
    expect(refusals).toEqual([]);
  });

  it.each([
    ['a server name of 300 bytes', clientHello(300)],
    ['a server name of 16,000 bytes', clientHello(16_000)],
    ['a record of noise', Buffer.concat([Buffer.from([22, 3, 1, 0x40, 0]), Buffer.alloc(16_384)])],
    ['a record that is too long', Buffer.from([22, 3, 1, 255, 255, 1, 2, 3, 4])],
    ['DICOM without TLS', associate()],
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n')],
  ])('ends a connection that sends %s', async (_, bytes) => {
    const peer = await RawPeer.open(sut.tlsPort);
    peer.socket.write(bytes);
    await peer.closed();
    await isServing();
    expect(refusals).toEqual([untrusted]);
  });

  it('aborts a TLS handshake on the plain port', async () => {
    const peer = await RawPeer.open(sut.port);
    expect(await peer.ask(clientHello(10))).toEqual(['abort 2/1']);
    await peer.closed();
  });

  it.each([
    ['before its handshake', () => RawPeer.open(sut.tlsPort)],
    [
      'inside its handshake',
      async () => {
        const peer = await RawPeer.open(sut.tlsPort);
        peer.socket.write(clientHello(10).subarray(0, 30));
        return peer;
      },
    ],
    ['after its handshake', () => secure(credentials(known))],
  ])('ends a connection that falls silent %s when ARTIM ends', async (_, open) => {
    const peer = await open();
    await isServing();
    clock.advance(LIMITS.artimMs - 1);
    await isServing();
    expect(peer.socket.closed).toBe(false);
    clock.advance(1);
    await peer.closed();
    await isServing();
    expect(refusals).toEqual([{ ...untrusted, code: 'DEADLINE_EXCEEDED' }]);
  });

  it('counts handshakes as connections', async () => {
    const peers = await Promise.all(
      Array.from({ length: LIMITS.associationsPerPeerMax }, () => RawPeer.open(sut.tlsPort)),
    );
    const tooMany = await RawPeer.open(sut.tlsPort);
    await tooMany.closed();
    expect(refusals).toEqual([{ ...untrusted, code: 'LIMIT_EXCEEDED' }]);
    for (const { socket } of peers) socket.destroy();
    await Promise.all(peers.map((peer) => peer.closed()));
  });

  it.each([
    ['no port at all', {}],
    ['a key that does not fit', { tls: true }],
  ])('refuses to start with %s', async (_, { tls }: { tls?: boolean }) => {
    const ca = readFileSync(server.caFile);
    const files = {
      port: 0,
      certificate: readFileSync(server.certificateFile),
      key: readFileSync(known.keyFile),
      ca,
    };
    const options = { host: HOST, aeTitle: 'SUT', callers: [], handler };
    await expect(startStoreScp({ ...options, ...(tls ? { tls: files } : {}) })).rejects.toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID' }),
    );
  });

  (hasPeers('storescu', 'echoscu') ? describe : describe.skip)('DCMTK', () => {
    const as = (identity: Identity, calling: string): string[] => [
      ...['+tls', identity.keyFile, identity.certificateFile],
      ...['+cf', server.caFile, '-aet', calling, '-aec', 'SUT', HOST, String(sut.tlsPort)],
    ];

    it('stores and is refused with the certificate of another', async () => {
      const path = join(folder.path, 'phantom.dcm');
      const phantom = new DicomDataset()
        .setString('SOPClassUID', CT)
        .setString('SOPInstanceUID', '1.2.3.4.5')
        .setBytes('PixelData', Buffer.alloc(300_000, 7), 'OW');
      writeFileSync(path, encodePart10(phantom));
      await run('storescu', [...as(known, 'PEER'), path]);
      expect(received[0]).toBeGreaterThan(300_000);
      await expect(run('echoscu', as(other, 'PEER'))).rejects.toMatchObject({
        stderr: expect.stringMatching(/Calling AE Title Not Recognized/),
      });
      await expect(run('echoscu', as(foreign, 'PEER'))).rejects.toThrow();
      expect(received).toHaveLength(1);
    });
  });
});
