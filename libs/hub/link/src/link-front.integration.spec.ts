/**
 * Goal: only known gateways reach a protocol, and not a minute longer than they may; certificates
 * of the hub change without a restart; who floods the port is kept out.
 * Method: the real front on loopback with real TLS, a clock that the test moves, and a trust that
 * says what the test wants.
 */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect as connectNet, type TcpSocketConnectOpts } from 'node:net';
import { join } from 'node:path';
import { connect, type TLSSocket, type ConnectionOptions as TlsOptions } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { peerFromAlternativeNames } from '@aifi/hub-identity';
import { AifiError } from '@aifi/shared-kernel';
import { silentLogger, type Logger } from '@aifi/shared-observability';
import { FakeClock, temporaryFolder } from '@aifi/shared-testing';
import { LINK_LIMITS, type LinkLimits } from './connection-book.js';
import { LinkFront, REFRESH_MS } from './link-front.js';
import { noMeter } from './link-meter.js';
import type { AnyProtocol } from './link-protocol.js';
import type { Admission, LinkTrust, ServerIdentity } from './link-trust.js';

interface Files {
  readonly caFile: string;
  readonly certificateFile: string;
  readonly keyFile: string;
}
interface Certificates {
  readonly hub: Files;
  readonly sites: Readonly<Record<string, Files>>;
}
/** TLS passes on what is of the socket below it. */
type ConnectionOptions = TlsOptions & Pick<TcpSocketConnectOpts, 'localAddress'>;
const folder = temporaryFolder('link-front');
const text = (path: string): string => readFileSync(path, 'utf8');
function makeCertificates(name: string): Certificates {
  const program = join(import.meta.dirname, '../../../../deploy/certs/make-certs.mjs');
  const into = join(folder.path, name);
  const printed = execFileSync(process.execPath, [program, into, 'site-a', 'site-b']);
  return JSON.parse(printed.toString()) as Certificates;
}
const identityOf = ({ hub }: Certificates): ServerIdentity => ({
  ...{ certificate: text(hub.certificateFile), key: text(hub.keyFile) },
});

let ours: Certificates;
let others: Certificates;
beforeAll(() => {
  ours = makeCertificates('ours');
  others = makeCertificates('others');
});
afterAll(() => folder.remove());

/** Lets everybody in by the URI, until told otherwise. */
class TrustStandIn implements LinkTrust {
  trusted = [ours];
  readonly refusedSites = new Set<string>();
  fails = false;
  open = 0;

  async anchors(): Promise<string[]> {
    return this.trusted.map(({ hub }) => text(hub.caFile));
  }
  async admit({ subjectAltName }: { subjectAltName: string | undefined }): Promise<Admission> {
    if (this.fails) throw new AifiError('PEER_UNAVAILABLE', 'the database does not answer');
    const peer = peerFromAlternativeNames(subjectAltName ?? '');
    if (this.refusedSites.has(peer.siteId)) throw new AifiError('UNTRUSTED', 'revoked');
    this.open += 1;
    return { peer, release: () => void (this.open -= 1) };
  }
  async lapsed(open: readonly Admission[]): Promise<Set<Admission>> {
    if (this.fails) throw new AifiError('PEER_UNAVAILABLE', 'the database does not answer');
    return new Set(open.filter(({ peer }) => this.refusedSites.has(peer.siteId)));
  }
}

let sut: LinkFront;
let port: number;
let clock: FakeClock;
let trust: TrustStandIn;
let identity: ServerIdentity;
const refusals: string[] = [];
const logged: string[] = [];
const logger: Logger = {
  ...silentLogger,
  fault: (_message, error) => void logged.push(AifiError.from(error).code),
};
const sockets: TLSSocket[] = [];

/** Says which site it was given. */
const echo: AnyProtocol = {
  alpn: 'test/1',
  accept: (socket, peer) => void socket.write(`site ${peer.siteId}`),
};
/** As echo, for one connection of a gateway. */
const frugal: AnyProtocol = { ...echo, alpn: 'frugal/1', perPeerMax: 1 };
const strangers: AnyProtocol = {
  ...{ alpn: 'stranger/1', timeoutMs: 30_000, connectionsMax: 3, perAddressMax: 2 },
  acceptStranger: (socket) => void socket.write('hello'),
};
async function start(limits: Partial<LinkLimits> = {}): Promise<void> {
  clock = new FakeClock();
  trust = new TrustStandIn();
  identity = identityOf(ours);
  refusals.length = 0;
  logged.length = 0;
  sut = new LinkFront({
    ...{ clock, logger, trust, protocols: [echo, frugal, strangers] },
    ...{ readIdentity: () => identity, limits: { ...LINK_LIMITS, ...limits } },
    meter: { ...noMeter, refused: (code) => void refusals.push(code) },
  });
  port = await sut.start({ host: '127.0.0.1', port: 0 });
}
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  sut.destroy();
  clock.advance(60_000);
  await until(() => sut.connectionCount === 0);
});

function dial(files: Files | undefined, options: ConnectionOptions = {}): TLSSocket {
  const own = files && { cert: text(files.certificateFile), key: text(files.keyFile) };
  const socket = connect({
    ...{ host: 'localhost', port, ca: [text(ours.hub.caFile), text(others.hub.caFile)] },
    ...{ ALPNProtocols: ['test/1'], ...own, ...options },
  });
  socket.on('error', () => undefined);
  sockets.push(socket);
  return socket;
}
/** What the front's protocol said first; undefined: the connection ended before. */
function said(socket: TLSSocket): Promise<string | undefined> {
  return new Promise((resolve) => {
    socket.once('data', (bytes) => resolve(String(bytes)));
    socket.once('close', () => resolve(undefined));
  });
}
async function until(holds: () => boolean): Promise<void> {
  for (let tries = 0; tries < 500 && !holds(); tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  expect(holds()).toBe(true);
}
const siteA = (): Files => ours.sites['site-a']!;

describe('who gets in', () => {
  it('is a gateway with a certificate that is known, as itself', async () => {
    await start();
    expect(await said(dial(siteA()))).toBe('site site-a');
    expect(await said(dial(ours.sites['site-b']!))).toBe('site site-b');
  });
  it.each<[string, () => TLSSocket, string]>([
    ['no certificate', () => dial(undefined), 'UNTRUSTED'],
    ['one of another authority', () => dial(others.sites['site-a']!), 'UNTRUSTED'],
    ['one of a server', () => dial(ours.hub), 'UNTRUSTED'],
    ['no protocol', () => dial(siteA(), { ALPNProtocols: [] }), 'INVALID_ARGUMENT'],
    ['another protocol', () => dial(siteA(), { ALPNProtocols: ['http/1.1'] }), 'HANDSHAKE'],
    [
      'TLS 1.1',
      () =>
        dial(siteA(), { maxVersion: 'TLSv1.1', minVersion: 'TLSv1', ciphers: 'ALL@SECLEVEL=0' }),
      'HANDSHAKE',
    ],
    [
      'TLS 1.2 without forward secrecy',
      () => dial(siteA(), { maxVersion: 'TLSv1.2', ciphers: 'AES256-GCM-SHA384' }),
      'HANDSHAKE',
    ],
  ])('is nobody with %s', async (_name, connecting, code) => {
    await start();
    expect(await said(connecting())).toBeUndefined();
    await until(() => refusals.length > 0);
    expect(refusals).toEqual([code]);
  });
  it('is a stranger where a protocol serves them, few and not for long', async () => {
    await start();
    const options = { ALPNProtocols: ['stranger/1'] };
    const [first, second] = [dial(undefined, options), dial(undefined, options)];
    expect([await said(first), await said(second)]).toEqual(['hello', 'hello']);
    expect(await said(dial(undefined, options))).toBeUndefined();
    // One address does not take the places of all.
    const elsewhere = { ...options, localAddress: '127.0.0.2' };
    expect(await said(dial(undefined, elsewhere))).toBe('hello');
    expect(await said(dial(undefined, elsewhere))).toBeUndefined();
    const gone = Promise.all([once(first, 'close'), once(second, 'close')]);
    clock.advance(30_000);
    await gone;
    await until(() => sut.connectionCount === 0);
    expect(await said(dial(undefined, options))).toBe('hello');
  });
  it('shows its certificate at each connection: no session is resumed', async () => {
    await start();
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      const first = dial(siteA(), { maxVersion });
      let session: Buffer | undefined;
      first.on('session', (bytes: Buffer) => (session = bytes));
      expect(await said(first)).toBe('site site-a');
      session ??= first.getSession();
      const again = dial(siteA(), { maxVersion, ...(session && { session }) });
      expect(await said(again)).toBe('site site-a');
      expect(again.isSessionReused()).toBe(false);
    }
  });
});

describe('who is inside', () => {
  it('is cut within seconds of a revocation, and does not come back', async () => {
    await start();
    const [revoked, kept] = [dial(siteA()), dial(ours.sites['site-b']!)];
    expect([await said(revoked), await said(kept)]).toEqual(['site site-a', 'site site-b']);
    const gone = once(revoked, 'close');
    trust.refusedSites.add('site-a');
    clock.advance(REFRESH_MS);
    await gone;
    await until(() => trust.open === 1);
    expect(kept.destroyed).toBe(false);
    expect(await said(dial(siteA()))).toBeUndefined();
  });
  it('is cut within a minute when revocations cannot be looked up at all', async () => {
    await start();
    const socket = dial(siteA());
    expect(await said(socket)).toBe('site site-a');
    let goneAtMs = 0;
    const startedAtMs = clock.monotonicMs();
    socket.on('close', () => (goneAtMs = clock.monotonicMs()));
    trust.fails = true;
    for (let second = 0; second < 60 && goneAtMs === 0; second += 1) {
      clock.advance(1_000);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await until(() => goneAtMs > 0);
    expect(goneAtMs - startedAtMs).toBeLessThanOrEqual(60_000);
    // A short fault of the database cuts nobody.
    expect(goneAtMs - startedAtMs).toBeGreaterThanOrEqual(40_000);
  });
  it('stays while certificate and anchors of the hub change', async () => {
    await start();
    const before = dial(siteA());
    expect(await said(before)).toBe('site site-a');
    expect(await said(dial(others.sites['site-b']!))).toBeUndefined();
    const shown = before.getPeerCertificate().fingerprint256;
    trust.trusted = [ours, others];
    identity = identityOf(others);
    await sut.look();
    const after = dial(others.sites['site-b']!);
    expect(await said(after)).toBe('site site-b');
    expect(after.getPeerCertificate().fingerprint256).not.toBe(shown);
    expect(await said(dial(siteA()))).toBe('site site-a');
    expect(before.destroyed).toBe(false);
  });
  it('keeps the certificate that worked when the new files are broken', async () => {
    await start();
    identity = { certificate: 'no certificate', key: 'no key' };
    await sut.look();
    expect(await said(dial(siteA()))).toBe('site site-a');
  });
});

describe('room', () => {
  it('ends at the limit of an address and of a gateway, and comes back', async () => {
    await start({ perAddressMax: 4, perPeerMax: 2 });
    const [first, second] = [dial(siteA()), dial(siteA())];
    expect([await said(first), await said(second)]).toEqual(['site site-a', 'site site-a']);
    expect(await said(dial(siteA()))).toBeUndefined();
    expect(refusals).toEqual(['LIMIT_EXCEEDED']);
    await until(() => sut.connectionCount === 2);
    for (let count = 0; count < 2; count += 1) {
      expect(await said(dial(ours.sites['site-b']!))).toBe('site site-b');
    }
    expect(await said(dial(ours.sites['site-b']!))).toBeUndefined();
    first.destroy();
    await until(() => sut.connectionCount === 3);
    expect(await said(dial(siteA()))).toBe('site site-a');
  });
  it('is counted for each protocol, which may want fewer of a gateway', async () => {
    await start({ perPeerMax: 2 });
    const options = { ALPNProtocols: ['frugal/1'] };
    expect(await said(dial(siteA(), options))).toBe('site site-a');
    expect(await said(dial(siteA(), options))).toBeUndefined();
    expect(await said(dial(siteA()))).toBe('site site-a');
    expect(await said(dial(ours.sites['site-b']!, options))).toBe('site site-b');
  });
  it('of those who say nothing is another one than that of gateways', async () => {
    await start({ handshakesMax: 3, handshakesPerAddressMax: 2, connectionsMax: 1 });
    const silent = Array.from({ length: 2 }, () => connectNet(port, '127.0.0.1'));
    await until(() => sut.connectionCount === 2);
    expect(await said(dial(siteA()))).toBeUndefined();
    // Another address has a handshake left, and the gateway then leaves it to the next one.
    const elsewhere = { localAddress: '127.0.0.2' };
    expect(await said(dial(siteA(), elsewhere))).toBe('site site-a');
    expect(await said(dial(ours.sites['site-b']!, elsewhere))).toBeUndefined();
    await until(() => refusals.length === 2);
    expect(refusals).toEqual(['LIMIT_EXCEEDED', 'LIMIT_EXCEEDED']);
    for (const socket of silent) socket.destroy();
  });
});

describe('the log', () => {
  it('says nothing of strangers, and little of gateways that are refused', async () => {
    await start({ perPeerMax: 1 });
    for (const options of [{ ALPNProtocols: [] }, {}]) await said(dial(undefined, options));
    expect(await said(dial(siteA()))).toBe('site site-a');
    expect(await said(dial(siteA()))).toBeUndefined();
    await until(() => refusals.length === 3);
    expect(logged).toEqual([]);
    trust.refusedSites.add('site-b');
    for (let tries = 0; tries < 12; tries += 1) await said(dial(ours.sites['site-b']!));
    await until(() => refusals.length === 15);
    expect(logged).toEqual(Array<string>(10).fill('UNTRUSTED'));
  });
});
