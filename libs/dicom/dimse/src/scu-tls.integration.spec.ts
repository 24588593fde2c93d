/**
 * Goal: over TLS both sides prove who they are, and a certificate that does not hold is told apart
 * from a peer that is down.
 * Method: a scripted peer behind Node's TLS server with certificates of two authorities; DCMTK's
 * storescp with TLS as the peer that none of us wrote.
 */
import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { SecureVersion, TlsOptions } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { DicomDataset, encodeDataset } from '@aifi/dicom-core';
import { systemClock } from '@aifi/shared-kernel';
import { freePorts, hasPeers, temporaryFolder } from '@aifi/shared-testing';
import { makeDevelopmentCertificates } from '../../../../deploy/certs/make-certs.mjs';
import { DimseScu } from './dimse-scu.js';
import { peerFaultOf, TlsFault } from './peer-fault.js';
import { ScriptedScp } from './scripted-scp.js';
import type { PeerTls } from './scu-socket.js';

const SECONDARY_CAPTURE = '1.2.840.10008.5.1.4.1.1.7';
const EXPLICIT = '1.2.840.10008.1.2.1';

describe('DICOM TLS of the SCU', () => {
  const folder = temporaryFolder('scu-tls');
  type Certificates = Awaited<ReturnType<typeof makeDevelopmentCertificates>>;
  let [ours, foreign]: Certificates[] = [];
  let scp: ScriptedScp | undefined;
  let tls: PeerTls;

  beforeAll(async () => {
    const sites = ['a'];
    ours = await makeDevelopmentCertificates({ folder: join(folder.path, 'ours'), sites });
    foreign = await makeDevelopmentCertificates({ folder: join(folder.path, 'foreign'), sites });
    tls = clientOf(ours, ours);
  });
  afterEach(async () => {
    await scp?.close().catch(() => undefined);
    scp = undefined;
  });
  afterAll(() => folder.remove());

  function clientOf(trusted: Certificates, own: Certificates): PeerTls {
    return {
      ca: readFileSync(trusted.hub.caFile),
      certificate: readFileSync(own.sites['a']!.certificateFile),
      key: readFileSync(own.sites['a']!.keyFile),
    };
  }
  async function startScp(own: Certificates, options: TlsOptions = {}): Promise<number> {
    const cert = readFileSync(own.hub.certificateFile);
    const [key, ca] = [readFileSync(own.hub.keyFile), readFileSync(ours!.hub.caFile)];
    const identity = { cert, key, ca, requestCert: true, rejectUnauthorized: true };
    scp = await ScriptedScp.start(
      async (peer) => {
        await peer.accept();
        const { command } = await peer.receive();
        peer.answer(command, 0);
        await peer.release();
      },
      { ...identity, ...options },
    );
    return scp.port;
  }
  function scuOf(port: number, settings: PeerTls, host = '127.0.0.1'): DimseScu {
    const titles = { calledAeTitle: 'PACS', callingAeTitle: 'GATEWAY' };
    return new DimseScu({ host, port, ...titles, tls: settings, clock: systemClock });
  }
  async function faultOf(sut: DimseScu) {
    const error: unknown = await sut.echo().then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    return { code: (error as { code?: string } | undefined)?.code, cause: peerFaultOf(error) };
  }

  it('asks over TLS 1.2 and 1.3 with both certificates, by address and by name', async () => {
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      const port = await startScp(ours!, { minVersion: version, maxVersion: version });
      await scuOf(port, tls).echo();
      await scuOf(port, { ...tls, serverName: 'localhost' }).echo();
      await scp?.close();
    }
  });

  it('does not trust a peer of another authority or of another name', async () => {
    const strange = await startScp(foreign!);
    const another = await faultOf(scuOf(strange, tls));
    expect(another.code).toBe('UNTRUSTED');
    expect(another.cause).toBeInstanceOf(TlsFault);
    expect(another.cause).toMatchObject({ isUntrusted: true });
    await scp?.close();
    const port = await startScp(ours!);
    const named = await faultOf(scuOf(port, { ...tls, serverName: 'pacs.example' }));
    expect(named.code).toBe('UNTRUSTED');
    expect((await faultOf(scuOf(port, { ...tls, serverName: '127.0.0.2' }))).code).toBe(
      'UNTRUSTED',
    );
  });

  // Node's own server closes without an alert, so OpenSSL's is the peer here.
  (hasPeers('openssl') ? it : it.skip)('knows when the peer does not trust us', async () => {
    for (const version of ['-tls1_2', '-tls1_3']) {
      const [port] = await freePorts(1);
      const { certificateFile, keyFile, caFile } = ours!.hub;
      const identity = ['-cert', certificateFile, '-key', keyFile, '-CAfile', caFile];
      const options = ['-accept', String(port), '-Verify', '1', '-verify_return_error', version];
      // Its standard input stays open: it ends with it.
      const stdio: StdioOptions = ['pipe', 'ignore', 'ignore'];
      const server = spawn('openssl', ['s_server', ...options, ...identity], { stdio });
      try {
        await listening(port!);
        const { code, cause } = await faultOf(scuOf(port!, clientOf(ours!, foreign!)));
        expect(code).toBe('UNTRUSTED');
        expect(cause).toMatchObject({ isUntrusted: true });
      } finally {
        await stop(server);
      }
    }
  });

  it('speaks neither with old versions nor in clear', async () => {
    const old: SecureVersion = 'TLSv1.1';
    const weak = { minVersion: old, maxVersion: old, ciphers: 'DEFAULT@SECLEVEL=0' } as const;
    const port = await startScp(ours!, weak);
    const oldest = await faultOf(scuOf(port, tls));
    expect(oldest.code).toBe('PEER_UNAVAILABLE');
    expect(oldest.cause).toMatchObject({ isUntrusted: false });
    await scp?.close();
    scp = await ScriptedScp.start(async (peer) => {
      peer.socket.write('not TLS at all');
      await peer.next();
    });
    const clear = await faultOf(scuOf(scp.port, tls));
    expect(clear.code).toBe('PEER_UNAVAILABLE');
    expect(clear.cause).toBeInstanceOf(TlsFault);
  });

  it('says so when our own key cannot be used', async () => {
    const port = await startScp(ours!);
    const broken = { ...tls, key: Buffer.from('no key') };
    expect((await faultOf(scuOf(port, broken))).code).toBe('CONFIG_INVALID');
  });

  (hasPeers('storescp') ? it : it.skip)('stores into storescp with TLS', async () => {
    const [port] = await freePorts(1);
    const out = join(folder.path, 'out');
    mkdirSync(out);
    const { certificateFile, keyFile, caFile } = ours!.hub;
    const security = ['+tls', keyFile, certificateFile, '+cf', caFile];
    const options = ['-aet', 'PACS', '-od', out, '+B', ...security];
    const server = spawn('storescp', [...options, String(port)], { stdio: 'ignore' });
    try {
      await listening(port!);
      const dataset = new DicomDataset()
        .setString('SOPClassUID', SECONDARY_CAPTURE)
        .setString('SOPInstanceUID', '2.25.77')
        .setBytes('PixelData', Buffer.alloc(300_000, 9), 'OW');
      const bytes = encodeDataset(dataset, { explicitVr: true, littleEndian: true });
      const uids = { sopClassUid: SECONDARY_CAPTURE, sopInstanceUid: '2.25.77' };
      const object = { ...uids, transferSyntaxUid: EXPLICIT, dataset: bytes };
      expect(await scuOf(port!, tls).store(object)).toBe(0);
      const [file] = readdirSync(out);
      expect(readFileSync(join(out, file!)).subarray(-bytes.length).equals(bytes)).toBe(true);
      expect((await faultOf(scuOf(port!, clientOf(ours!, foreign!)))).code).toBe('UNTRUSTED');
    } finally {
      await stop(server);
    }
  });
});

async function stop(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null) return;
  server.kill();
  await once(server, 'exit');
}
async function listening(port: number): Promise<void> {
  for (let isUp = false; !isUp; await systemClock.sleep(20)) {
    const socket = connect(port, '127.0.0.1');
    isUp = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
  }
}
